/** Heads as they go on the wire. */
import { expect, test } from 'vitest';
import { fieldLines, requestHead, responseHead } from '../../src/http1/head-writer.ts';

test('the bytes of a request', () => {
  expect(requestHead('GET', '/a?b\xe4', fieldLines(['Host', 'a', 'X-b', '', 'x-B', '\x80\xff']))).toBe(
    'GET /a?b\xe4 HTTP/1.1\r\nHost: a\r\nX-b: \r\nx-B: \x80\xff\r\n\r\n',
  );
  expect(requestHead('GET', '/', '')).toBe('GET / HTTP/1.1\r\n\r\n');
});

test('the bytes of an answer', () => {
  expect(responseHead(404, 'Not Found', ['A', 'b'], 'C: d\r\n')).toBe('HTTP/1.1 404 Not Found\r\nA: b\r\nC: d\r\n\r\n');
  expect(responseHead(200, '', [])).toBe('HTTP/1.1 200 \r\n\r\n');
});

test('a name without a value is not written', () => {
  expect(fieldLines(['A', 'b', 'C'])).toBe('A: b\r\n');
});
