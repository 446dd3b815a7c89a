/** The answers of the stand-in servers: small bodies of our own under the header lines that IIS sends. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RecordedRequest } from './recorder.ts';

/** One request with everything an answer needs to know of it. */
export interface Call {
  /** The name that the answers carry. */
  readonly serverName: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly arrived: RecordedRequest;
  /** Host header in lower case, without a port. */
  readonly host: string;
  /** The target up to the question mark, as it was sent. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** Gives the answer to one call; returns at once or when it is given. */
export type Answerer = (call: Call) => void | Promise<void>;

/** Header lines in order, names in the letter case that goes over the wire. */
export type HeaderLines = readonly (readonly [name: string, value: string])[];

/** Status, header lines of its own and the lines that every answer of IIS carries. The body is up to the caller. */
export function writeHead({ serverName, response, arrived }: Call, status: number, lines: HeaderLines): void {
  const all = [
    ['Cache-Control', 'private'],
    ...lines,
    ['Server', 'Microsoft-IIS/8.5'],
    ['X-AspNet-Version', '4.0.30319'],
    ['X-Powered-By', 'ASP.NET'],
    ['X-MS-Server-Fqdn', serverName],
    // The two web sites of a Front End look alike; this tells which one was reached.
    ['X-Demo-Site', `${arrived.encrypted ? 'https' : 'http'} ${arrived.port}`],
  ];
  response.writeHead(status, all.flat());
}

/** A whole answer with its length. */
export function answer(call: Call, status: number, contentType: string, body: string, lines: HeaderLines = []): void {
  const length = String(Buffer.byteLength(body));
  writeHead(call, status, [['Content-Length', length], ['Content-Type', contentType], ...lines]);
  call.response.end(body);
}

/** A whole answer in JSON. */
export function answerJson(call: Call, status: number, body: unknown, lines: HeaderLines = []): void {
  answer(call, status, 'application/json; charset=utf-8', `${JSON.stringify(body, null, 2)}\n`, lines);
}

/** A small page; `text` is ours and needs no escaping. */
export function answerPage(call: Call, status: number, title: string, text: string): void {
  const { arrived } = call;
  const where = `${arrived.encrypted ? 'https' : 'http'}, port ${arrived.port}, connection ${arrived.connection}`;
  const body = `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${title}</title></head>
<body>
<h1>${title}</h1>
<p>${text}</p>
<p>Stand-in server of the demo: ${where}.</p>
</body>
</html>
`;
  answer(call, status, 'text/html; charset=utf-8', body);
}

/** What arrived, as JSON: the page to look at when one wants to know what a proxy makes of a request. */
export function answerEcho(call: Call): void {
  const { ended: _, ...arrived } = call.arrived;
  const { socket } = call.request;
  answerJson(call, 200, { ...arrived, ...('servername' in socket ? { serverName: socket.servername } : {}) });
}
