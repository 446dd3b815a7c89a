/** How long a body is told to be, and the spellings that two readers could take for different lengths (H01, H02, H05). */
import { describe, expect, test } from 'vitest';
import { declaredBody } from '../../src/http1/body-framing.ts';
import { parseFields } from '../../src/http1/fields.ts';
import { MessageFault } from '../../src/http1/message-fault.ts';

function declared(fields: string, version: 'HTTP/1.0' | 'HTTP/1.1' = 'HTTP/1.1'): unknown {
  try {
    return declaredBody(parseFields(`${fields}\r\n`, 0, 100), version);
  } catch (error) {
    if (error instanceof MessageFault) return error.status;
    throw error;
  }
}

test.each<[string, unknown]>([
  ['', undefined],
  ['X: y\r\n', undefined],
  ['Content-Length: 0\r\n', 0],
  ['Content-Length: 5\r\n', 5],
  ['content-length:5 \t\r\n', 5],
  ['CONTENT-LENGTH: 9007199254740991\r\n', Number.MAX_SAFE_INTEGER],
  ['Transfer-Encoding: chunked\r\n', 'chunked'],
  ['transfer-encoding:\tChunked \r\n', 'chunked'],
  ['TRANSFER-ENCODING: CHUNKED\r\n', 'chunked'],
  ['Content_Length: 5\r\nTransfer_Encoding: chunked\r\nTransfer-Encodin: chunked\r\n', undefined],
])('%j', (fields, expected) => {
  expect(declared(fields)).toBe(expected);
});

describe('Content-Length', () => {
  const values = [
    '',
    '+5',
    '-5',
    '-0',
    '0x5',
    '5_0',
    '05',
    '00',
    '5.0',
    '5e1',
    '5,',
    ',5',
    '5, 5',
    '5,5',
    '5 5',
    '5;',
    '"5"',
  ];
  const large = [
    '9007199254740992',
    '9007199254740993',
    '9223372036854775808',
    '18446744073709551621',
    '1'.repeat(400),
  ];
  const odd = ['\xa05', '5\xa0', '\xb2', '\xd9\xa5', 'a', 'chunked', 'Infinity', 'NaN'];
  test.each([...values, ...large, ...odd])('%j is refused', (value) => {
    expect(declared(`Content-Length: ${value}\r\n`)).toBe(400);
  });

  test.each([
    ['equal', '5', '5'],
    ['different', '5', '6'],
    ['the first empty', '', '5'],
    ['the second empty', '5', ''],
    ['both 0', '0', '0'],
  ])('twice, %s', (_name, first, second) => {
    expect(declared(`Content-Length: ${first}\r\nX: y\r\ncontent-length: ${second}\r\n`)).toBe(400);
  });
});

describe('Transfer-Encoding', () => {
  test.each([
    ...[
      '',
      'identity',
      'gzip',
      'xchunked',
      'chunkedx',
      'x-chunked',
      'chunke',
      'chunk',
      'cow',
      '"chunked"',
      "'chunked'",
    ],
    ...['chunked, identity', 'identity, chunked', 'gzip, chunked', 'chunked, chunked', 'chunked chunked'],
    ...[',chunked', ', chunked', 'chunked,', 'chunked ,', 'chunked;', 'chunked;q=1', 'chunked; a', ';chunked'],
    ...['chunked\xa0', '\xa0chunked', 'chunked\x85', 'ch\xfcnked', '[chunked]', 'chunked\\', '5'],
  ])('%j is refused', (value) => {
    expect(declared(`Transfer-Encoding: ${value}\r\n`)).toBe(400);
  });

  test.each([
    ['chunked', 'chunked'],
    ['chunked', 'identity'],
    ['identity', 'chunked'],
    ['chunked', ''],
    ['', 'chunked'],
    ['gzip', 'chunked'],
  ])('twice: %j and %j', (first, second) => {
    expect(declared(`Transfer-Encoding: ${first}\r\ntransfer-encoding: ${second}\r\n`)).toBe(400);
  });

  test('in HTTP/1.0', () => {
    expect(declared('Transfer-Encoding: chunked\r\n', 'HTTP/1.0')).toBe(400);
    expect(declared('Transfer-Encoding: identity\r\n', 'HTTP/1.0')).toBe(400);
  });

  test.each([
    'Content-Length: 5\r\nTransfer-Encoding: chunked\r\n',
    'Transfer-Encoding: chunked\r\nContent-Length: 0\r\n',
  ])('beside Content-Length: %j', (fields) => {
    expect(declared(fields)).toBe(400);
    expect(declared(fields, 'HTTP/1.0')).toBe(400);
  });
});
