/** WebSocket by hand, so that tests know each byte: frames, a client, and a server that echoes. */
import { createHash, randomBytes } from 'node:crypto';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { type RawServer, rawServer } from './one-farm.ts';

export const TEXT = 1;
export const BINARY = 2;
export const CLOSE = 8;

export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** One final frame; masked where `mask` is given, as those of clients are. */
export function encodeFrame({ opcode, payload }: Frame, mask?: Buffer): Buffer {
  const { length } = payload;
  const extra = length < 126 ? 0 : length < 0x10000 ? 2 : 8;
  const head = Buffer.alloc(2 + extra);
  head[0] = 0x80 | opcode;
  head[1] = (mask ? 0x80 : 0) | (extra === 0 ? length : extra === 2 ? 126 : 127);
  if (extra === 2) head.writeUInt16BE(length, 2);
  if (extra === 8) head.writeBigUInt64BE(BigInt(length), 2);
  return mask ? Buffer.concat([head, mask, masked(payload, mask)]) : Buffer.concat([head, payload]);
}

export function closeFrame(code: number, reason: string): Frame {
  const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
  payload.writeUInt16BE(code);
  payload.write(reason, 2);
  return { opcode: CLOSE, payload };
}

function masked(payload: Buffer, mask: Buffer): Buffer {
  const result = Buffer.allocUnsafe(payload.length);
  for (let i = 0; i < payload.length; i++) result[i] = payload[i]! ^ mask[i & 3]!;
  return result;
}

/** Takes bytes as they come and gives whole frames. */
export class FrameReader {
  #pieces: Buffer[] = [];
  #length = 0;
  /** Bytes that the frame which has begun is known to need. */
  #needed = 2;

  push(bytes: Buffer): Frame[] {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    const frames: Frame[] = [];
    while (this.#length >= this.#needed) {
      const all = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
      this.#pieces = [all];
      const short = all[1]! & 0x7f;
      const lengthBytes = short === 126 ? 2 : short === 127 ? 8 : 0;
      const isMasked = (all[1]! & 0x80) !== 0;
      const start = 2 + lengthBytes + (isMasked ? 4 : 0);
      this.#needed = start;
      if (all.length < start) break;
      const length =
        lengthBytes === 0 ? short : lengthBytes === 2 ? all.readUInt16BE(2) : Number(all.readBigUInt64BE(2));
      this.#needed = start + length;
      if (all.length < this.#needed) break;
      const raw = all.subarray(start, start + length);
      frames.push({ opcode: all[0]! & 0xf, payload: isMasked ? masked(raw, all.subarray(start - 4, start)) : raw });
      this.#pieces = [all.subarray(this.#needed)];
      this.#length = this.#pieces[0]!.length;
      this.#needed = 2;
    }
    return frames;
  }
}

export function acceptKey(key: string): string {
  return createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
}

export interface UpgradeOptions {
  readonly host: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The request that asks for a WebSocket. */
export function upgradeText(
  { host, path = '/', headers = {} }: UpgradeOptions,
  key = 'dGhlIHNhbXBsZSBub25jZQ==',
): string {
  const fields = { Host: host, Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', ...headers };
  const lines = Object.entries({ ...fields, 'Sec-WebSocket-Key': key }).map(([name, value]) => `${name}: ${value}\r\n`);
  return `GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

export interface WebSocketInTest {
  readonly socket: Socket;
  /** Head of the 101. */
  readonly head: string;
  send(frame: Frame): boolean;
  /** The next frame; rejects where the connection is closed before it. */
  next(): Promise<Frame>;
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
}

export interface Place {
  readonly port: number;
  readonly tls?: { readonly host: string; readonly ca: string };
}

export function connectTo({ port, tls }: Place): Socket {
  const socket = tls
    ? connectTls({ port, host: '127.0.0.1', servername: tls.host, ca: tls.ca, ALPNProtocols: ['http/1.1'] })
    : connectTcp({ port, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined); // `close` follows.
  onTestFinished(() => {
    socket.destroy();
  });
  return socket;
}

/** Opens one; rejects with the head of any other answer than the 101 that its key asks for. */
export async function openWebSocket(place: Place, options: UpgradeOptions): Promise<WebSocketInTest> {
  const key = randomBytes(16).toString('base64');
  const socket = connectTo(place);
  socket.write(upgradeText(options, key));
  return await takeWebSocket(socket, key);
}

/** The same on a connection that has sent the request already. */
export async function takeWebSocket(socket: Socket, key: string): Promise<WebSocketInTest> {
  const frames: Frame[] = [];
  const waiting: { resolve: (frame: Frame) => void; reject: (error: Error) => void }[] = [];
  const reader = new FrameReader();
  let over = false;
  const take = (bytes: Buffer) => {
    for (const frame of reader.push(bytes)) {
      const next = waiting.shift();
      if (next) next.resolve(frame);
      else frames.push(frame);
    }
  };
  const closed = new Promise<void>((resolve) => {
    socket.once('close', () => {
      over = true;
      for (const { reject } of waiting.splice(0)) reject(new Error('closed'));
      resolve();
    });
  });
  const head = await headOf(socket, take);
  if (!head.startsWith('HTTP/1.1 101 ') || !head.includes(`\r\nSec-WebSocket-Accept: ${acceptKey(key)}\r\n`)) {
    socket.destroy();
    throw new Error(head);
  }
  const isMasked = randomBytes(4);
  return {
    socket,
    head,
    closed,
    send: (frame) => socket.write(encodeFrame(frame, isMasked)),
    next: () => {
      const frame = frames.shift();
      if (frame) return Promise.resolve(frame);
      if (over) return Promise.reject(new Error('closed'));
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
  };
}

/** Everything up to the first empty line; what follows it goes to `rest`, then and later. */
export function headOf(socket: Socket, rest: (bytes: Buffer) => void): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = Buffer.alloc(0);
    const read = (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
      const end = received.indexOf('\r\n\r\n');
      if (end < 0) return;
      socket.off('data', read);
      socket.on('data', rest);
      resolve(received.toString('latin1', 0, end + 4));
      if (received.length > end + 4) rest(received.subarray(end + 4));
    };
    socket.on('data', read);
    socket.once('close', () => reject(new Error(`closed behind ${JSON.stringify(received.toString('latin1'))}`)));
  });
}

/** The 101 that answers an upgrade request. */
export function accepting(head: string): string {
  const key = /^sec-websocket-key: (.*)\r$/im.exec(head)?.[1] ?? '';
  const lines = ['Upgrade: websocket', 'Connection: Upgrade', `Sec-WebSocket-Accept: ${acceptKey(key)}`];
  return `HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`;
}

/** Gives back each frame as it came, and ends behind a close frame. */
export function echoFrames(socket: Socket): (bytes: Buffer) => void {
  const reader = new FrameReader();
  socket.on('drain', () => socket.resume());
  return (bytes) => {
    for (const frame of reader.push(bytes)) {
      if (!socket.write(encodeFrame(frame))) socket.pause();
      if (frame.opcode === CLOSE) socket.end();
    }
  };
}

/** A server that accepts every upgrade and echoes its frames. */
export function echoServer(secure = false): Promise<RawServer> {
  return rawServer((socket) => {
    const echo = echoFrames(socket);
    headOf(socket, echo).then(
      (head) => socket.write(accepting(head)),
      () => undefined,
    );
    socket.on('end', () => socket.end());
  }, secure);
}
