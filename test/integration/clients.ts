/** Clients for tests over real sockets: one request with either protocol, and raw bytes. */
import { request as httpRequest } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, constants, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';

export type Protocol = 'HTTP/1.1' | 'HTTP/2';

export interface Ask {
  readonly protocol: Protocol;
  readonly port: number;
  readonly address?: string;
  /** Host, and SNI unless `servername` differs. */
  readonly host: string;
  readonly servername?: string;
  readonly ca?: string;
  /** Plain HTTP: HTTP/1.1 only. */
  readonly plain?: boolean;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string | Buffer | Readable;
  /** A certificate of the client, a session to resume, versions. */
  readonly tls?: TlsOfClient;
}

export type TlsOfClient = Pick<
  ConnectionOptions,
  'cert' | 'key' | 'session' | 'minVersion' | 'maxVersion' | 'checkServerIdentity'
>;

export interface Told {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Names and values in turn; HTTP/1.1 only. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Names in the certificate that was presented. */
  readonly certificate: string;
  /** To resume over TLS. */
  readonly session: Buffer | undefined;
  readonly resumed: boolean;
}

/** @param socket may be a plain one */
function tlsOf(socket: TLSSocket | undefined): Pick<Told, 'certificate' | 'session' | 'resumed'> {
  return {
    certificate: socket?.getPeerCertificate?.().subjectaltname ?? '',
    session: socket?.getSession?.(),
    resumed: socket?.isSessionReused?.() ?? false,
  };
}

/** One request on a connection of its own. Rejects where the connection or the stream is cut. */
export function ask(asked: Ask): Promise<Told> {
  return asked.protocol === 'HTTP/2' ? askHttp2(asked) : askHttp1(asked);
}

function askHttp1(asked: Ask): Promise<Told> {
  const { address = '127.0.0.1', port, host, servername = host, ca, method = 'GET', path = '/', body } = asked;
  return new Promise((resolve, reject) => {
    const open = asked.plain ? httpRequest : httpsRequest;
    const request = open(
      {
        host: address,
        port,
        servername,
        ca,
        method,
        path,
        agent: false,
        setHost: false,
        headers: { Host: host, ...asked.headers },
        ...asked.tls,
      },
      (response) => {
        const tls = tlsOf(response.socket as TLSSocket);
        collect(response).then((bytes) => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            rawHeaders: response.rawHeaders,
            body: bytes,
            ...tls,
          });
        }, reject);
      },
    );
    request.on('error', reject);
    send(request, body);
  });
}

async function askHttp2(asked: Ask): Promise<Told> {
  const session = openHttp2(asked);
  try {
    return await askOver(session, asked);
  } finally {
    session.destroy();
  }
}

/** An HTTP/2 connection, for several requests. It goes when the test ends. */
export function openHttp2({ address = '127.0.0.1', port, host, servername = host, ca, tls }: Ask): ClientHttp2Session {
  const trust = ca === undefined ? {} : { ca };
  const session = connectHttp2(`https://${address}:${port}`, { servername, ...trust, ...tls });
  session.on('error', () => undefined); // Each request tells its own error.
  onTestFinished(() => session.destroy());
  return session;
}

export function askOver(session: ClientHttp2Session, asked: Ask): Promise<Told> {
  const { host, method = 'GET', path = '/', body } = asked;
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':authority': host, ':method': method, ':path': path, ...asked.headers },
      { endStream: body === undefined },
    );
    let headers: IncomingHttpHeaders & { ':status'?: number | undefined } = {};
    stream.on('response', (received) => {
      headers = received;
    });
    const fail = (error: Error) => reject(stream.rstCode ? new Error(`reset with code ${stream.rstCode}`) : error);
    stream.on('error', fail);
    // By its events: an iterator would also wait for the end of a body that the answer has made needless.
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () => {
      if (stream.rstCode !== constants.NGHTTP2_NO_ERROR) return fail(new Error('reset'));
      resolve({
        status: headers[':status'] ?? 0,
        headers,
        rawHeaders: [],
        body: Buffer.concat(chunks),
        ...tlsOf(session.socket as TLSSocket | undefined),
      });
    });
    if (body !== undefined) send(stream, body);
  });
}

function send(stream: NodeJS.WritableStream, body: Ask['body']): void {
  if (body === undefined) stream.end();
  else if (typeof body === 'string' || Buffer.isBuffer(body)) stream.end(body);
  else body.pipe(stream);
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

export interface RawClient {
  readonly socket: Socket;
  /** Everything received so far, as latin1. */
  received(): string;
  /** Resolves when what was received matches, rejects when the connection ends without. */
  until(pattern: RegExp): Promise<string>;
  /** The same with a function. */
  when(done: (received: string) => boolean): Promise<string>;
  /** Resolves with everything when the connection is closed. */
  closed(): Promise<string>;
}

/** A connection for bytes as they are; TLS where `host` names a certificate to expect. */
export function openRaw(
  port: number,
  tls?: { host: string; ca: string; alpn?: string },
  address = '127.0.0.1',
): RawClient {
  const socket = tls
    ? connectTls({ port, host: address, servername: tls.host, ca: tls.ca, ALPNProtocols: [tls.alpn ?? 'http/1.1'] })
    : connectTcp(port, address);
  onTestFinished(() => {
    socket.destroy();
  });
  let received = '';
  let ended = false;
  const waiting = new Set<() => void>();
  const wake = () => {
    for (const each of waiting) each();
  };
  socket.on('data', (chunk: Buffer) => {
    received += chunk.toString('latin1');
    wake();
  });
  socket.on('error', () => undefined); // `close` follows.
  socket.on('close', () => {
    ended = true;
    wake();
  });
  const wait = (done: () => boolean) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        if (!done() && !ended) return;
        waiting.delete(look);
        if (done()) resolve(received);
        else reject(new Error(`the connection ended behind: ${JSON.stringify(received)}`));
      };
      waiting.add(look);
      look();
    });
  return {
    socket,
    received: () => received,
    until: (pattern) => wait(() => pattern.test(received)),
    when: (done) => wait(() => done(received)),
    closed: () => wait(() => ended),
  };
}
