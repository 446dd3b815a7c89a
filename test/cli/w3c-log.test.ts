/** Lines of IIS logs: columns in any order, the escapes that IIS and Advanced Logging write, what is no request. */

import { expect, test } from 'vitest';
import { createW3cReader, type LogEntry } from '../../src/cli/w3c-log.ts';
import { headerOf } from '../../src/header-list.ts';

/** Reads lines after `#Fields:`, and gives the last. */
function read(fields: string, ...lines: string[]): LogEntry {
  const reader = createW3cReader();
  expect(reader.read(`#Fields: ${fields}`)).toBeUndefined();
  const entry = lines.map((line) => reader.read(line)).at(-1);
  if (entry === undefined || entry === 'malformed') throw new Error(`${entry}`);
  return entry;
}

const target = (stem: string, query = '-') => read('cs-method cs-uri-stem cs-uri-query', `GET ${stem} ${query}`).target;

test('every column that is used, in two orders', () => {
  const fields =
    'date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs-version cs(User-Agent) cs(Referer) cs-host sc-status';
  const line =
    '2026-03-02 07:58:01 203.0.113.5 POST /a/b x=1 443 CONTOSO\\alice 192.0.2.7 HTTP/2.0 Mozilla/5.0+(X11;+Linux) https://a/?b+c meet.contoso.com 401';
  const turned = (text: string) => text.split(' ').reverse().join(' ');
  for (const entry of [read(fields, line), read(turned(fields), turned(line))]) {
    const { headers, ...values } = entry;
    expect(values).toEqual({
      method: 'POST',
      stem: '/a/b',
      target: '/a/b?x=1',
      port: 443,
      serverAddress: '203.0.113.5',
      clientAddress: '192.0.2.7',
      host: 'meet.contoso.com',
      protocol: 'HTTP/2.0',
      status: 401,
    });
    expect([headerOf(headers, 'user-agent'), headerOf(headers, 'referer'), headerOf(headers, 'cookie')]).toEqual([
      'Mozilla/5.0 (X11; Linux)',
      'https://a/?b+c',
      undefined,
    ]);
  }
});

test('what the log does not have', () => {
  const { headers, ...values } = read('cs-method cs-uri-stem', 'GET /a');
  expect(values).toEqual({
    method: 'GET',
    stem: '/a',
    target: '/a',
    port: undefined,
    serverAddress: '',
    clientAddress: '',
    host: undefined,
    protocol: 'HTTP/1.1',
    status: 0,
  });
  expect(headerOf(headers, 'user-agent')).toBeUndefined();
});

test('the host: its own column, or the header as a custom field; a dash is a request without Host', () => {
  expect(read('cs-method cs-uri-stem cs(Host)', 'GET / a.contoso.com').host).toBe('a.contoso.com');
  expect(read('cs-host cs-method cs-uri-stem cs(Host)', 'a GET / b').host).toBe('a');
  expect(read('cs-method cs-uri-stem cs-host', 'GET / -').host).toBe('');
});

test.each([
  ['-', '/'],
  ['X-ARR-CACHE-HIT=0&X-ARR-LOG-ID=0f8a6c1e-53a1', '/'],
  ['a=1&X-ARR-CACHE-HIT=0&X-ARR-LOG-ID=0f8a6c1e-53a1', '/?a=1'],
  ['a=1&X-ARR-LOG-ID=0f8a6c1e-53a1', '/?a=1'],
  ['a=1&X-ARR-CACHE-HIT=0&X-ARR-LOG-ID=0f&SERVER-ROUTED=10.0.0.4&SERVER-STATUS=200', '/?a=1'],
  ['X-ARR-LOG-ID=client&a=1', '/?X-ARR-LOG-ID=client&a=1'],
  ['SERVER-STATUS=200', '/?SERVER-STATUS=200'],
  ['a+b=%20c', '/?a+b=%20c'],
])('the query %s', (query, expected) => {
  expect(target('/', query)).toBe(expected);
});

test.each([
  ['/Shared+Documents/a', '/Shared%20Documents/a'],
  ['/100%', '/100%25'],
  ['/a%20b', '/a%20b'],
  ['/c#', '/c%23'],
  ['/a?b', '/a%3Fb'],
  ['/m\u00c3\u00bcnchen', '/m\u00c3\u00bcnchen'],
])('the path %s, which IIS logs decoded', (stem, expected) => {
  expect(target(stem)).toBe(expected);
});

test('our own log has the path as it was sent', () => {
  const reader = createW3cReader();
  for (const line of ['#Software: Lychgate', '#Fields: cs-method cs-uri-stem']) reader.read(line);
  expect(reader.read('GET /a+b')).toMatchObject({ stem: '/a+b', target: '/a+b' });
});

test('several #Fields: each holds for the lines behind it', () => {
  const reader = createW3cReader();
  const lines = [
    '#Fields: cs-method cs-uri-stem',
    'GET /1',
    '#Date: 2026-03-02 00:00:00',
    '#fields:\tcs-uri-stem  cs-method s-port',
    '/2 PUT 80',
    'GET /3',
  ];
  expect(lines.map((line) => reader.read(line))).toMatchObject([
    undefined,
    { method: 'GET', stem: '/1', port: undefined },
    undefined,
    undefined,
    { method: 'PUT', stem: '/2', port: 80 },
    'malformed',
  ]);
});

test('values in quotes, and tabs between them, as Advanced Logging writes them', () => {
  const fields = 'cs-method cs-uri-stem cs(User-Agent) sc-status';
  const quoted = read(fields, 'GET /a "Mozilla/4.0 (a ""b"" c)" 200');
  expect([headerOf(quoted.headers, 'user-agent'), quoted.status]).toEqual(['Mozilla/4.0 (a "b" c)', 200]);
  expect(read(fields, 'GET\t"/a"\tx\t200')).toMatchObject({ stem: '/a', status: 200 });
  // IIS itself quotes nothing: a quote is a character of the value.
  expect(headerOf(read(fields, 'GET /a "x 200').headers, 'user-agent')).toBe('"x');
});

test('malformed lines', () => {
  const reader = createW3cReader();
  expect(reader.read('GET /')).toBe('malformed');
  expect(reader.trouble()).toBe('no line begins with "#Fields:"');
  reader.read('#Fields: cs-method cs-uri-stem s-port');
  for (const line of ['GET /', 'GET / 80 more', 'GET / x', 'GET / 123456', '\0\0\0\0', ' ', 'GET "/ 80 1"']) {
    expect([line, reader.read(line)]).toEqual([line, 'malformed']);
  }
  expect(reader.read('')).toBeUndefined();
  expect([reader.missing(), reader.trouble()]).toEqual([['cs-uri-query', 'cs-host'], undefined]);
  reader.read('#Fields: date cs-method');
  expect(reader.read('2026-03-02 GET')).toBe('malformed');
  expect(reader.missing()).toContain('cs-uri-stem');
});
