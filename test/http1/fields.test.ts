/** Fields and their options: the parts of a list that the codec itself looks at. */
import { describe, expect, test } from 'vitest';
import { fieldName } from '../../src/http1/field-name.ts';
import { namesOption, parseFields } from '../../src/http1/fields.ts';
import { MessageFault } from '../../src/http1/message-fault.ts';

describe('namesOption', () => {
  test.each<[string, boolean]>([
    ['close', true],
    ['CLOSE', true],
    ['Close,x', true],
    ['x, close', true],
    ['x,\tclose \t,y', true],
    [',,close,,', true],
    ['', false],
    ['clos', false],
    ['closed', false],
    ['xclose', false],
    ['close x', false],
    ['x-close, y', false],
    ['"close", x', false],
    ['close;a, x', false],
    ['\xa0close', false],
    ['x,\xa0close', false],
    ['close\x85, x', false],
  ])('%j', (list, named) => {
    expect(namesOption(list, 'close')).toBe(named);
  });
});

describe('parseFields', () => {
  test('what the fields say about the message', () => {
    const text =
      'GET\r\nHost: a\r\nhost: b\r\nContent-Length: 1\r\nCONTENT-LENGTH: 2\r\nTransfer-Encoding: x\r\ntransfer-encoding:\r\n' +
      'Connection: a\r\nconnection:\r\nConnection: b\r\nUpgrade: c\r\nupgrade: d\r\nExpect: e\r\nexpect: f\r\nKeep-Alive: g\r\nkeep-alive: h\r\n\r\n';
    expect(parseFields(text, 5, 15)).toStrictEqual({
      headers: [
        ...['Content-Length', '1', 'CONTENT-LENGTH', '2', 'Transfer-Encoding', 'x', 'transfer-encoding', ''],
        ...['Connection', 'a', 'connection', '', 'Connection', 'b', 'Upgrade', 'c', 'upgrade', 'd'],
        ...['Expect', 'e', 'expect', 'f', 'Keep-Alive', 'g', 'keep-alive', 'h'],
      ],
      hosts: ['a', 'b'],
      contentLengths: ['1', '2'],
      transferEncodings: ['x', ''],
      connection: 'a, , b',
      upgrade: 'c, d',
      expect: 'e, f',
      keepAlive: 'h',
      persistentAuth: false,
    });
  });

  test('one head leaves nothing to the next', () => {
    const repeated = 'Host: a\r\nHost: b\r\nContent-Length: 1\r\nContent-Length: 2\r\nTransfer-Encoding: c\r\n\r\n';
    const first = parseFields(repeated, 0, 9);
    const none = parseFields('\r\n', 0, 9);
    expect([none.hosts, none.contentLengths, none.transferEncodings]).toEqual([[], [], []]);
    expect(parseFields(repeated, 0, 9)).toEqual(first);
  });

  test('as many as are taken, Host counted', () => {
    expect(parseFields('Host: a\r\nb: c\r\n\r\n', 0, 2).headers).toEqual(['b', 'c']);
    expect(() => parseFields('Host: a\r\nb: c\r\n\r\n', 0, 1)).toThrow(expect.objectContaining({ status: 431 }));
  });
});

describe('fieldName', () => {
  test.each([
    ['Host', 'host', 'host'],
    ['CONTENT-length', 'content-length', 'content-length'],
    ['Transfer-Encoding', 'transfer-encoding', 'transfer-encoding'],
    ['connection', 'connection', 'connection'],
    ['Keep-Alive', 'keep-alive', 'keep-alive'],
    ['UPGRADE', 'upgrade', 'upgrade'],
    ['Expect', 'expect', 'expect'],
    ['other', 'other', 'other'],
    ['Content_Length', 'content_length', 'other'],
    ['__proto__', '__proto__', 'other'],
    ['constructor', 'constructor', 'other'],
    ['X'.repeat(65), 'x'.repeat(65), 'other'],
  ])('%s', (written, lower, role) => {
    expect(fieldName(written)).toEqual({ written, lower, role });
    expect(fieldName(written)).toEqual({ written, lower, role });
  });

  test('every byte that is no character of a token is refused, at every place', () => {
    for (let code = 0; code < 256; code++) {
      const char = String.fromCharCode(code);
      for (const name of [char, `${char}a`, `a${char}`, `a${char}a`]) {
        if (/^[!#$%&'*+.^_`|~\w-]$/.test(char)) expect(fieldName(name).written).toBe(name);
        else expect(() => fieldName(name), JSON.stringify(name)).toThrow(MessageFault);
      }
    }
    expect(() => fieldName('')).toThrow(MessageFault);
  });
});
