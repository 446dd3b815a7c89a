/** Chunked bodies: sizes, ends of lines (H06), extensions (H07), trailers (H16), and the writer. */
import { describe, expect, test } from 'vitest';
import { BodyReader } from '../../src/http1/body-reader.ts';
import { ChunkedDecoder } from '../../src/http1/chunked-decoder.ts';
import { encodeChunk, encodeEnd } from '../../src/http1/chunked-encoder.ts';
import { MessageFault } from '../../src/http1/message-fault.ts';
import { bytes, limits } from './stream-reader.ts';

interface Decoded {
  data: string;
  trailers: readonly string[];
  done: boolean;
  /** What lies behind the body. */
  rest: string;
  status?: number;
}

function decodePieces(pieces: readonly Buffer[]): Decoded {
  const decoder = new ChunkedDecoder(limits);
  const decoded: Decoded = { data: '', trailers: [], done: false, rest: '' };
  try {
    for (const each of pieces) {
      const piece = Buffer.from(each);
      const end = decoder.done ? 0 : decoder.read(piece, 0);
      if (end > 0) decoded.data += piece.toString('latin1', decoder.dataStart, decoder.dataEnd);
      decoded.rest += piece.toString('latin1', end);
    }
    decoded.trailers = decoder.trailers;
  } catch (error) {
    if (!(error instanceof MessageFault)) throw error;
    decoded.status = error.status;
    decoded.data = '';
  }
  decoded.done = decoder.done;
  return decoded;
}

function decode(text: string): Decoded {
  const whole = decodePieces([bytes(text)]);
  expect(decodePieces([...bytes(text)].map((byte) => Buffer.of(byte)))).toEqual(whole);
  return whole;
}

const END = '0\r\n\r\n';

describe('what is taken', () => {
  test.each<[string, string, string, readonly string[]]>([
    ['nothing', END, '', []],
    ['one chunk', `5\r\nhello\r\n${END}`, 'hello', []],
    ['several chunks', `5\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n${END}`, 'hello world', []],
    ['digits in both letter cases', `a\r\n0123456789\r\nB\r\n0123456789a\r\n${END}`, '01234567890123456789a', []],
    ['leading zeros', `0005\r\nhello\r\n000\r\n\r\n`, 'hello', []],
    ['16 digits', `0000000000000005\r\nhello\r\n${'0'.repeat(16)}\r\n\r\n`, 'hello', []],
    ['data that looks like the end', `7\r\n0\r\n\r\n\r\n\r\n${END}`, '0\r\n\r\n\r\n', []],
    [
      'every byte',
      `100\r\n${String.fromCharCode(...Array(256).keys())}\r\n${END}`,
      String.fromCharCode(...Array(256).keys()),
      [],
    ],
    ['an extension, dropped', `5;a\r\nhello\r\n0;b=c\r\n\r\n`, 'hello', []],
    ['several extensions', `5;a;b=c;d="e";f\r\nhello\r\n${END}`, 'hello', []],
    ['a quoted extension', `5;a="b;c=\\"d\\\\\t\x80\xff"\r\nhello\r\n${END}`, 'hello', []],
    ['an empty quoted extension', `5;a=""\r\nhello\r\n${END}`, 'hello', []],
    ['trailers', '0\r\nX: a\r\nGrpc-Status:  0 \r\nx: b\r\n\r\n', '', ['X', 'a', 'Grpc-Status', '0', 'x', 'b']],
    // Which trailers go on is decided where they are passed on, for both protocols alike.
    ['framing fields as trailers', '0\r\nContent-Length: 5\r\nTE: x\r\n\r\n', '', ['Content-Length', '5', 'TE', 'x']],
  ])('%s', (_name, text, data, trailers) => {
    expect(decode(`${text}GET`)).toEqual({ data, trailers, done: true, rest: 'GET' });
  });

  test('is not done before its last byte', () => {
    const text = '5;a=b\r\nhello\r\n0;c\r\nX: y\r\n\r\n';
    for (let length = 0; length < text.length; length++) {
      expect(decode(text.slice(0, length)), JSON.stringify(text.slice(0, length))).toMatchObject({
        done: false,
        trailers: [],
        rest: '',
      });
    }
  });

  test('the data of a piece is one run within the piece itself', () => {
    const decoder = new ChunkedDecoder(limits);
    const piece = bytes('xx3\r\nabc\r\n2;e\r\nde\r\n4\r\nfg');
    expect(decoder.read(piece, 2)).toBe(piece.length);
    expect([decoder.dataStart, decoder.dataEnd]).toEqual([5, 12]);
    expect(piece.toString('latin1', 5, 12)).toBe('abcdefg');
    const last = bytes('hi\r\n0\r\n\r\nnext');
    expect(decoder.read(last, 0)).toBe(9);
    expect(last.toString('latin1', decoder.dataStart, decoder.dataEnd)).toBe('hi');
    expect(decoder.done).toBe(true);
    expect(decoder.read(last, 9)).toBe(9);
    expect(decoder.dataStart).toBe(decoder.dataEnd);
  });
});

describe('what is refused', () => {
  test.each<[string, string]>([
    ...[
      '+5',
      '-5',
      '0x5',
      '5_0',
      ' 5',
      '5 ',
      '\t5',
      '5\t',
      '',
      'g',
      '5g',
      '5.',
      '5,',
      '0x',
      'x5',
      '"5"',
      '\xb2',
      '\xa05',
      '５',
    ].map((size): [string, string] => [`the size ${JSON.stringify(size)}`, `${size}\r\nhello\r\n${END}`]),
    ['the size -0', `-0\r\n\r\n`],
    ['17 digits', `00000000000000005\r\nhello\r\n${END}`],
    ['a size beyond 2^53', `20000000000000\r\n`],
    ['a size beyond 2^64', `10000000000000005\r\nhello\r\n${END}`],
    ['the largest 16 digits', 'ffffffffffffffff\r\n'],
    ['a blank before the end of the size', `5 \r\nhello\r\n${END}`],
    ['a blank before an extension', `5 ;a\r\nhello\r\n${END}`],
    ['LF behind the size', `5\nhello\r\n${END}`],
    ['CR behind the size', `5\rhello\r\n${END}`],
    ['CR CR LF behind the size', `5\r\r\nhello\r\n${END}`],
    ['LF behind the data', `5\r\nhello\n${END}`],
    ['CR behind the data', `5\r\nhello\r${END}`],
    ['nothing behind the data', `5\r\nhello${END}`],
    ['data longer than its size', `5\r\nhello!\r\n${END}`],
    ['data shorter than its size', `6\r\nhello\r\n${END}`],
    ['an empty line between chunks', `5\r\nhello\r\n\r\n${END}`],
    ['an empty line before the first', `\r\n5\r\nhello\r\n${END}`],
    ['LF behind the last chunk', '0\n\r\n'],
    ['LF at the end', '0\r\n\n'],
    ['CR and something at the end', '0\r\n\rX'],
    ['an extension without a name', `5;\r\nhello\r\n${END}`],
    ['two semicolons', `5;;a\r\nhello\r\n${END}`],
    ['a semicolon at the end', `5;a;\r\nhello\r\n${END}`],
    ['a value without a name', `5;=a\r\nhello\r\n${END}`],
    ['no value behind =', `5;a=\r\nhello\r\n${END}`],
    ['two values', `5;a=b=c\r\nhello\r\n${END}`],
    ['a blank in an extension', `5;a b\r\nhello\r\n${END}`],
    ['a blank before a name', `5; a\r\nhello\r\n${END}`],
    ['a blank around =', `5;a =b\r\nhello\r\n${END}`],
    ['a name that is no token', `5;a(\r\nhello\r\n${END}`],
    ['a quoted name', `5;"a"\r\nhello\r\n${END}`],
    ['a byte from 0x80 on in a name', `5;\xe4\r\nhello\r\n${END}`],
    ['a quote that does not end', `5;a="b\r\nhello\r\n${END}`],
    ['a quote that does not end but for a \\', `5;a="b\\"\r\nhello\r\n${END}`],
    ['something behind a quote', `5;a="b"c\r\nhello\r\n${END}`],
    ['a quote within a value', `5;a=b"c"\r\nhello\r\n${END}`],
    ['LF within an extension', `5;a\nhello\r\n${END}`],
    ['LF within a quoted extension', `5;a="\n"\r\nhello\r\n${END}`],
    ['CR within an extension', `5;a\rb\r\nhello\r\n${END}`],
    ['NUL within a quoted extension', `5;a="\0"\r\nhello\r\n${END}`],
    ['DEL within a quoted extension', `5;a="\x7f"\r\nhello\r\n${END}`],
    ['Host as a trailer', '0\r\nHost: a\r\n\r\n'],
    ['a folded trailer', '0\r\nX: a\r\n b\r\n\r\n'],
    ['a folded line before the first trailer', '0\r\n X: a\r\n\r\n'],
    ['a blank before the colon of a trailer', '0\r\nX : a\r\n\r\n'],
    ['a trailer without a colon', '0\r\nGET / HTTP/1.1\r\nX: a\r\n\r\n'],
    ['LF behind a trailer', '0\r\nX: a\n\r\n'],
    ['NUL in a trailer', '0\r\nX: \0\r\n\r\n'],
  ])('%s: 400', (_name, text) => {
    expect(decode(text).status).toBe(400);
  });

  test('a control character within an extension at once, not at the end of its line', () => {
    for (const code of [0x00, 0x0a, 0x0b, 0x1f, 0x7f])
      expect(decode(`5;a${String.fromCharCode(code)}`).status).toBe(400);
    expect(decode('5;a="\t').status).toBeUndefined();
  });

  test('more than 16 KB of extensions, in one chunk or in many', () => {
    const longest = 'a'.repeat(16_384);
    expect(decode(`5;${longest}\r\nhello\r\n${END}`).data).toBe('hello');
    expect(decode(`5;${longest}a`).status).toBe(400);
    const many = `1;${'a'.repeat(1024)}\r\nx\r\n`;
    expect(decode(many.repeat(16) + END).data).toBe('x'.repeat(16));
    expect(decode(`${many.repeat(16)}1;a`).status).toBe(400);
  });

  test('more trailers, and longer ones, than the limits say', () => {
    expect(decode(`0\r\n${'a:\r\n'.repeat(200)}\r\n`).trailers).toHaveLength(400);
    expect(decode(`0\r\n${'a:\r\n'.repeat(201)}\r\n`).status).toBe(431);
    expect(decode(`0\r\n${'a:\r\n'.repeat(10_000)}\r\n`).status).toBe(431);
    expect(decode(`0\r\nX: ${'a'.repeat(8192 - 7)}\r\n\r\n`).trailers[1]).toHaveLength(8185);
    expect(decode(`0\r\nX: ${'a'.repeat(8192 - 6)}\r\n\r\n`).status).toBe(431);
    expect(decode(`0\r\n${'a'.repeat(8193)}`).status).toBe(431);
  });
});

describe('encodeChunk and encodeEnd', () => {
  test.each<[Buffer, string]>([
    [bytes('a'), '1\r\na\r\n'],
    [bytes('0123456789abcde\xff'), '10\r\n0123456789abcde\xff\r\n'],
    // A chunk of no bytes would end the body.
    [Buffer.alloc(0), ''],
  ])('%j', (data, written) => {
    expect(encodeChunk(data).toString('latin1')).toBe(written);
  });

  test('the end', () => {
    expect(encodeEnd([])).toBe('0\r\n\r\n');
    expect(encodeEnd(['X', 'a', 'x', '\xe4'])).toBe('0\r\nX: a\r\nx: \xe4\r\n\r\n');
  });
});

describe('BodyReader', () => {
  test('a length, over several pieces, and what follows', () => {
    const reader = new BodyReader(limits);
    reader.start(5);
    const first = bytes('xxab');
    expect(reader.read(first, 2)).toBe(4);
    expect([reader.data?.toString(), reader.done]).toEqual(['ab', false]);
    const whole = bytes('cd');
    expect(reader.read(whole, 0)).toBe(2);
    expect(reader.data).toBe(whole);
    expect(reader.read(bytes('eGET'), 0)).toBe(1);
    expect([reader.data?.toString(), reader.done, reader.endsWithConnection]).toEqual(['e', true, false]);
    expect(reader.read(bytes('GET'), 0)).toBe(0);
    expect(reader.data).toBeUndefined();
  });

  test('none, and a length of 0, are done before they begin', () => {
    const reader = new BodyReader(limits);
    for (const framing of ['none', 0] as const) {
      reader.start(framing);
      expect([reader.done, reader.endsWithConnection, reader.trailers]).toEqual([true, false, []]);
    }
  });

  test('until the connection ends: never done', () => {
    const reader = new BodyReader(limits);
    reader.start('until-close');
    expect(reader.read(bytes('abc'), 1)).toBe(3);
    expect([reader.data?.toString(), reader.done, reader.endsWithConnection]).toEqual(['bc', false, true]);
  });

  test('nothing of one body is left in the next', () => {
    const reader = new BodyReader(limits);
    reader.start('chunked');
    const text = bytes('1\r\na\r\n0\r\nX: y\r\n\r\n');
    expect(reader.read(text, 0)).toBe(text.length);
    expect([reader.data?.toString(), reader.done, reader.trailers]).toEqual(['a', true, ['X', 'y']]);
    reader.start('chunked');
    expect([reader.data, reader.done, reader.trailers]).toEqual([undefined, false, []]);
    reader.start(2);
    expect([reader.done, reader.trailers]).toEqual([false, []]);
  });

  test('a read that throws shows no data', () => {
    const reader = new BodyReader(limits);
    reader.start('chunked');
    reader.read(bytes('1\r\na'), 0);
    expect(() => reader.read(bytes('\r\nx'), 0)).toThrow(MessageFault);
    expect(reader.data).toBeUndefined();
  });
});
