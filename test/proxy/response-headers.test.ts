import { expect, test } from 'vitest';
import { parseResponse } from '../../src/http1/response-message.ts';
import { clientHeaders } from '../../src/proxy/response-headers.ts';
import { aHead, aProtocol } from './fixtures.ts';

const head = aHead({ authority: 'meet.contoso.com:8443' });

test('order, letter case and repeated Set-Cookie stay; connection fields, Date and Server go; ARR adds its own', () => {
  const headers = [
    ...['Content-Type', 'text/html', 'Set-Cookie', 'a=1', 'SET-cookie', 'b=2', 'X-Powered-By', 'ASP.NET'],
    ...['Server', 'Microsoft-IIS/8.5', 'Date', 'x', 'Connection', 'close, X-Hop', 'X-Hop', '1', 'Keep-Alive', '5'],
    ...['WWW-Authenticate', 'Negotiate', 'WWW-Authenticate', 'NTLM'],
  ];
  expect(clientHeaders({ status: 200, headers }, head, aProtocol())).toEqual([
    ...['Content-Type', 'text/html', 'Set-Cookie', 'a=1', 'SET-cookie', 'b=2', 'X-Powered-By', 'ASP.NET'],
    ...['WWW-Authenticate', 'Negotiate', 'WWW-Authenticate', 'NTLM', 'Server', 'Lychgate', 'X-Powered-By', 'ARR/3.0'],
  ]);
});

test('passServerHeader and arrResponseHeader', () => {
  const server = ['Server', 'Microsoft-IIS/8.5'];
  expect(
    clientHeaders(
      { status: 200, headers: server },
      head,
      aProtocol({ passServerHeader: 'PassThrough', arrResponseHeader: false }),
    ),
  ).toEqual(server);
  expect(
    clientHeaders(
      { status: 200, headers: server },
      head,
      aProtocol({ passServerHeader: 'Remove', arrResponseHeader: false }),
    ),
  ).toEqual([]);
});

test('reverseRewriteHostInResponseHeaders replaces whatever host is named, and leaves relative values alone', () => {
  const protocol = aProtocol({
    reverseRewriteHostInResponseHeaders: true,
    passServerHeader: 'Remove',
    arrResponseHeader: false,
  });
  const headers = [
    ...['Location', 'http://inner:8080/a?b#c', 'Content-Location', '/relative'],
    ...['Set-Cookie', 'a=1; Domain=.inner.local; Path=/', 'Set-Cookie', 'b=2; Path=/'],
  ];
  expect(clientHeaders({ status: 200, headers }, head, protocol)).toEqual([
    ...['Location', 'https://meet.contoso.com:8443/a?b#c', 'Content-Location', '/relative'],
    ...['Set-Cookie', 'a=1; Domain=.meet.contoso.com; Path=/', 'Set-Cookie', 'b=2; Path=/'],
  ]);
  expect(clientHeaders({ status: 200, headers }, head, aProtocol())).toEqual(
    expect.arrayContaining(['http://inner:8080/a?b#c']),
  );
});

test.each([204, 304])('%i has no Content-Length, whatever the server says (RFC 9110 8.6, RFC 9112 6.3)', (status) => {
  const protocol = aProtocol({ arrResponseHeader: false, passServerHeader: 'Remove' });
  const read = parseResponse(`HTTP/1.1 ${status} x\r\nContent-Length: 5\r\nX-A: b\r\n\r\n`, 'GET', 9);
  expect(clientHeaders(read, aHead({}), protocol)).toEqual(['X-A', 'b']);
});
