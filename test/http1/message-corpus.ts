/** Valid messages of every kind, for tests that cut them, change them, or compare how others read them. */

/** Requests that may stand one behind the other on a connection. */
export const requests: readonly string[] = [
  'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
  '\r\nGET /hello.txt?x=1&y=%20 HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\nAccept-Language: en, mi\r\n\r\n',
  'HEAD /\xe4\xff HTTP/1.1\r\nhost: a:8080\r\nX: \x80\xff\tb \r\nx:\r\nX: \x80\xff\tb\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: Keep-Alive, x\r\n\r\n',
  'GET http://a/b HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'PUT /0 HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nExpect: 100-continue\r\n\r\n',
  'POST /length HTTP/1.1\r\nHost: a\r\ncontent-length:29\r\nExpect: 100-continue\r\n\r\nGET /no HTTP/1.1\r\nHost: a\r\n\r\n',
  'POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'POST /ct HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: X\r\n\r\n5\r\nhello\r\n1\r\n \r\nB\r\n0\r\n\r\n1\r\n\xe4\r\n\r\n0\r\nX: a\r\nx:  b\xff \r\n\r\n',
  'POST /ce HTTP/1.1\r\nHost: a\r\ntransfer-encoding: Chunked\r\n\r\n5;a\r\nhello\r\n003;b=c;d="e;\\"f"\r\nabc\r\n0;g\r\n\r\n',
  'POST /c0 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n',
  'GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
  'GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n',
  'PROPFIND /dav HTTP/1.1\r\nHost: a\r\nDepth: 1\r\nContent-Length: 3\r\n\r\n<a>',
  'RPC_IN_DATA /rpc/rpcproxy.dll?s:593 HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nAuthorization: NTLM TlRMTVNTUAAB\r\n\r\n\0\xff\r\n',
];

/** Answers to GET that may stand one behind the other. */
export const responses: readonly string[] = [
  'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello',
  'HTTP/1.1 200 \r\nContent-Length: 0\r\nSet-Cookie: a=\xe4\r\nset-cookie: b\r\n\r\n',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n\0',
  'HTTP/1.1 204 No Content\r\n\r\n',
  'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 5\r\n\r\n',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  'HTTP/1.1 200 Gut\xe4\r\ntransfer-encoding:chunked\r\n\r\n5;a=b\r\nhello\r\n0000;c\r\nGrpc-Status: 0\r\ngrpc-message:\r\n\r\n',
  'HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: NTLM\r\nWWW-Authenticate: Negotiate\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\n\r\n\r\n',
  'HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx',
];

/** The last on a connection. */
export const lastResponses: readonly string[] = [
  'HTTP/1.1 200 OK\r\n\r\nuntil the end\r\n0\r\n\r\n',
  'HTTP/1.0 404\r\nContent-Type: text/html\r\n\r\n<html>',
];

/** What may befall a stream that was valid up to there. */
export const breakages: readonly string[] = [
  ...['\n', '\r', '\r\n\r\n', '\0', ' ', '\x16\x03\x01', 'hello\r\n\r\n', 'X'.repeat(70_000)],
  'GET / HTTP/1.1\r\nHost: a\nX: y\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\n X: y\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'get / HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET / HTTP/2.0\r\nHost: a\r\n\r\n',
  `GET /${'a'.repeat(17_000)} HTTP/1.1\r\nHost: a\r\n\r\n`,
  `GET / HTTP/1.1\r\nHost: a\r\n${'a:\r\n'.repeat(201)}\r\n`,
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello!\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5;a\nb\r\nhello\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\n\rZ',
  `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`,
  'HTTP/1.1 099 x\r\n\r\n',
  'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n',
];
