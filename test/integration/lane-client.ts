/** One request over either lane, and everything that a client can tell of its answer, in one form for both. */
import { type ClientHttp2Stream, constants, type IncomingHttpHeaders } from 'node:http2';
import { openHttp2, openRaw, type Protocol } from './clients.ts';
import { KeptClient } from './kept-client.ts';
import { type Message, readAnswers, statusOf } from './messages.ts';

export interface LaneRequest {
  readonly port: number;
  readonly ca: string;
  readonly host: string;
  /** Host or `:authority`, where it is another one than that of the certificate. */
  readonly authority?: string;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly body?: string;
  /** Without it a body has no declared length. */
  readonly length?: number;
  readonly trailers?: readonly (readonly [string, string])[];
  /** The end of the body does not come. */
  readonly unfinished?: boolean;
}

export interface Outcome {
  /** Statuses and fields of interim answers. */
  readonly interim: readonly string[];
  /** 0: cut without one. */
  readonly status: number;
  /** `name: value`, sorted, names in lower case; without Date and what belongs to one connection. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  /** The answer is whole. */
  readonly whole: boolean;
}

/** Resolves with the whole answer, or when the connection or the stream is cut. */
export function askLane(protocol: Protocol, request: LaneRequest): Promise<Outcome> {
  return protocol === 'HTTP/2' ? askHttp2(request) : askHttp1(request);
}

const OF_ONE_CONNECTION = new Set(['connection', 'transfer-encoding', 'keep-alive', 'date']);

function fieldsOf(headers: readonly (readonly [string, string])[]): string[] {
  return headers
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !OF_ONE_CONNECTION.has(name))
    .map(([name, value]) => `${name}: ${value}`)
    .sort();
}

/** As a client of HTTP/1.1 writes it. */
export function http1Text({
  host,
  authority = host,
  method,
  target,
  headers,
  body,
  length,
  trailers,
  unfinished,
}: LaneRequest): string {
  const fields = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  const head = `${method} ${target} HTTP/1.1\r\nHost: ${authority}\r\n${fields}`;
  if (length !== undefined) return `${head}Content-Length: ${length}\r\n\r\n${body ?? ''}`;
  if (body === undefined) return `${head}\r\n`;
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  const end = `0\r\n${(trailers ?? []).map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`;
  return `${head}Transfer-Encoding: chunked\r\n\r\n${chunk}${unfinished ? '' : end}`;
}

async function askHttp1(request: LaneRequest): Promise<Outcome> {
  const { port, host, ca, method } = request;
  const client = openRaw(port, { host, ca });
  client.socket.write(http1Text(request), 'latin1');
  const answered = ({ messages }: { messages: readonly Message[] }) => {
    const last = messages.at(-1);
    return last?.whole === true && (Number(statusOf(last)) >= 200 || statusOf(last) === '101');
  };
  const received = await client
    .when((text) => answered(readAnswers(text, false, [method])))
    .catch(() => client.received());
  const closed = client.socket.readableEnded;
  client.socket.destroy();
  const { messages } = readAnswers(received, closed, [method]);
  const interim = messages.filter((each) => /^1/.test(statusOf(each)) && statusOf(each) !== '101');
  const final = messages.find((each) => !interim.includes(each));
  return {
    interim: interim.map((each) => [statusOf(each), ...fieldsOf(each.headers)].join(' ')),
    status: Number(final ? statusOf(final) : 0),
    headers: fieldsOf(final?.headers ?? []),
    body: final?.body ?? '',
    trailers: (final?.trailers ?? []).map((each) => each.toLowerCase()),
    whole: final?.whole ?? false,
  };
}

function askHttp2({ port, host, authority = host, ca, ...request }: LaneRequest): Promise<Outcome> {
  const { method, target, headers, body, length, trailers, unfinished } = request;
  const session = openHttp2({ protocol: 'HTTP/2', port, host, ca });
  const stream = session.request(
    {
      ...{ ':authority': authority, ':method': method, ':path': target },
      ...grouped(headers),
      ...(length === undefined ? {} : { 'content-length': String(length) }),
    },
    { endStream: body === undefined, waitForTrailers: trailers !== undefined },
  );
  const interim: string[] = [];
  const told = { status: 0, headers: [] as string[], body: '', trailers: [] as string[] };
  stream.on('headers', (fields) => interim.push(interimOf(fields)));
  // As they came: the object has only the first of some that are there twice.
  stream.on('response', (fields, _flags, raw: readonly string[]) => {
    told.status = Number(fields[':status']);
    told.headers = fieldsOf(inPairs(raw).filter(([name]) => !name.startsWith(':')));
  });
  stream.on('trailers', (fields) => {
    told.trailers = fieldsOf(listed(fields));
  });
  stream.on('wantTrailers', () => stream.sendTrailers(grouped(trailers ?? [])));
  stream.on('error', () => undefined); // `close` follows.
  stream.on('data', (bytes: Buffer) => {
    told.body += bytes.toString('latin1');
  });
  if (body !== undefined) {
    stream.write(body, 'latin1');
    if (!unfinished) stream.end();
  }
  return new Promise((resolve) => {
    stream.on('close', () => {
      session.destroy();
      resolve({ interim, ...told, whole: stream.rstCode === constants.NGHTTP2_NO_ERROR && told.status > 0 });
    });
  });
}

export interface Upload {
  write(bytes: string): void;
  end(): void;
  /** Status and body. */
  readonly answered: Promise<string>;
}

/** A POST whose body the test sends piece by piece, with a declared length or without. */
export function openUpload(
  protocol: Protocol,
  {
    httpsPort: port,
    tls,
  }: { readonly httpsPort: number; readonly tls: { readonly host: string; readonly ca: string } },
  { length, cookie }: { readonly length?: number | undefined; readonly cookie?: string },
): Upload {
  if (protocol === 'HTTP/2') {
    const session = openHttp2({ protocol, port, ...tls });
    const fields = {
      ...(length === undefined ? {} : { 'content-length': String(length) }),
      ...(cookie === undefined ? {} : { cookie }),
    };
    const stream: ClientHttp2Stream = session.request({ ':method': 'POST', ':authority': tls.host, ...fields });
    let status = '';
    let body = '';
    stream.on('response', (headers) => {
      status = String(headers[':status']);
    });
    stream.on('data', (bytes: Buffer) => {
      body += bytes;
    });
    stream.on('error', () => undefined); // `close` follows.
    return {
      write: (bytes) => stream.write(bytes),
      end: () => stream.end(),
      // The request may go on behind it.
      answered: new Promise((resolve) => {
        for (const event of ['end', 'close']) stream.once(event, () => resolve(`${status} ${body}`));
      }),
    };
  }
  const client = new KeptClient({ port, tls });
  const framing = length === undefined ? 'Transfer-Encoding: chunked' : `Content-Length: ${length}`;
  const fields = cookie === undefined ? '' : `Cookie: ${cookie}\r\n`;
  client.write(`POST / HTTP/1.1\r\nHost: ${tls.host}\r\n${fields}${framing}\r\n\r\n`);
  return {
    write: (bytes) => client.write(length === undefined ? `${bytes.length.toString(16)}\r\n${bytes}\r\n` : bytes),
    end: () => length === undefined && client.write('0\r\n\r\n'),
    answered: client.answer().then(({ status, body }) => `${status} ${body}`),
  };
}

function interimOf(fields: IncomingHttpHeaders & { ':status'?: number | undefined }): string {
  return [String(fields[':status']), ...fieldsOf(listed(fields))].join(' ');
}

function inPairs(raw: readonly string[]): (readonly [string, string])[] {
  return Array.from({ length: raw.length / 2 }, (_, i) => [raw[2 * i] ?? '', raw[2 * i + 1] ?? '']);
}

function listed(fields: IncomingHttpHeaders): (readonly [string, string])[] {
  return Object.entries(fields)
    .filter(([name]) => !name.startsWith(':'))
    .flatMap(([name, value]) => [value ?? []].flat().map((each) => [name, String(each)] as const));
}

function grouped(headers: readonly (readonly [string, string])[]): Record<string, string[]> {
  const fields: Record<string, string[]> = Object.create(null);
  for (const [name, value] of headers) fields[name.toLowerCase()] = [...(fields[name.toLowerCase()] ?? []), value];
  return fields;
}
