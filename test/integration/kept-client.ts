/** One client connection of HTTP/1.1 on a bare socket: says exactly what is sent when, and reads the answers in their order. */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';

export interface KeptAnswer {
  readonly status: number;
  /** All values, by lower-case name. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  readonly body: string;
  /** The status codes of the interim answers before it. */
  readonly interim: readonly number[];
}

export interface KeptOptions {
  readonly port: number;
  /** Plain without. */
  readonly tls?: { readonly host: string; readonly ca: string };
}

export interface KeptRequest {
  readonly host: string;
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A request as it goes on the wire, with its length where it has a body. */
export function requestText({ host, path = '/', method = 'GET', headers = {}, body }: KeptRequest): string {
  const length = body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body, 'latin1')) };
  const lines = Object.entries({ Host: host, ...headers, ...length }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`;
}

export class KeptClient {
  readonly socket: Socket;
  /** Resolves when the connection is gone, however it went. */
  readonly closed: Promise<void>;
  #unread: Buffer = Buffer.alloc(0);
  #interim: number[] = [];
  #waiting: { resolve: (answer: KeptAnswer) => void; reject: (error: Error) => void }[] = [];
  #answers: KeptAnswer[] = [];
  #over = false;

  constructor({ port, tls }: KeptOptions) {
    this.socket = tls
      ? connectTls({ port, host: '127.0.0.1', servername: tls.host, ca: tls.ca, ALPNProtocols: ['http/1.1'] })
      : connectTcp(port, '127.0.0.1');
    this.socket.on('data', (bytes: Buffer) => this.#read(bytes));
    this.socket.on('error', () => undefined); // `close` follows.
    this.closed = new Promise((resolve) => {
      this.socket.once('close', () => {
        this.#over = true;
        for (const { reject } of this.#waiting.splice(0)) reject(this.#closedError());
        resolve();
      });
    });
    onTestFinished(() => {
      this.socket.destroy();
    });
  }

  get isOpen(): boolean {
    return !this.#over && !this.socket.destroyed;
  }

  write(bytes: string): void {
    this.socket.write(bytes, 'latin1');
  }

  /** The next answer that was not given yet; rejects where the connection ends before it is whole. */
  answer(): Promise<KeptAnswer> {
    const ready = this.#answers.shift();
    if (ready) return Promise.resolve(ready);
    if (this.#over) return Promise.reject(this.#closedError());
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  ask(request: KeptRequest): Promise<KeptAnswer> {
    this.write(requestText(request));
    return this.answer();
  }

  #closedError(): Error {
    return new Error(`the connection ended behind ${JSON.stringify(this.#unread.toString('latin1').slice(0, 300))}`);
  }

  #read(bytes: Buffer): void {
    this.#unread = this.#unread.length === 0 ? bytes : Buffer.concat([this.#unread, bytes]);
    for (let answer = this.#next(); answer; answer = this.#next()) {
      const waiting = this.#waiting.shift();
      if (waiting) waiting.resolve(answer);
      else this.#answers.push(answer);
    }
  }

  #next(): KeptAnswer | undefined {
    const headEnd = this.#unread.indexOf('\r\n\r\n');
    if (headEnd < 0) return undefined;
    const [line = '', ...fields] = this.#unread.toString('latin1', 0, headEnd).split('\r\n');
    const headers = new Map<string, string[]>();
    for (const field of fields) {
      const [, name = '', value = ''] = /^([^:]+): ?(.*)$/.exec(field) ?? [];
      headers.set(name.toLowerCase(), [...(headers.get(name.toLowerCase()) ?? []), value]);
    }
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(line)?.[1]);
    const start = headEnd + 4;
    if (status < 200) {
      this.#interim.push(status);
      this.#unread = this.#unread.subarray(start);
      return this.#next();
    }
    const found = headers.get('transfer-encoding') ? this.#chunked(start) : this.#counted(start, headers);
    if (found === undefined) return undefined;
    this.#unread = this.#unread.subarray(found.end);
    const interim = this.#interim;
    this.#interim = [];
    return { status, headers, body: found.body, interim };
  }

  #counted(start: number, headers: ReadonlyMap<string, readonly string[]>): { end: number; body: string } | undefined {
    const end = start + Number(headers.get('content-length')?.[0] ?? 0);
    return this.#unread.length < end ? undefined : { end, body: this.#unread.toString('latin1', start, end) };
  }

  #chunked(start: number): { end: number; body: string } | undefined {
    let body = '';
    for (let at = start; ; ) {
      const lineEnd = this.#unread.indexOf('\r\n', at);
      if (lineEnd < 0) return undefined;
      const size = Number.parseInt(this.#unread.toString('latin1', at, lineEnd), 16);
      const end = lineEnd + 2 + size + 2;
      if (this.#unread.length < end) return undefined;
      body += this.#unread.toString('latin1', lineEnd + 2, end - 2);
      if (size === 0) return { end, body };
      at = end;
    }
  }
}
