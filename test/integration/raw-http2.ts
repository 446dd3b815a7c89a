/** HTTP/2 frames written by hand, for requests that no library would send. Header fields are literals without Huffman coding. */
import type { TLSSocket } from 'node:tls';
import { openRaw, type RawClient } from './clients.ts';

export const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, goaway: 7 } as const;
export const END_STREAM = 1;
const END_HEADERS = 4;

export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface RawHttp2 {
  readonly raw: RawClient;
  /** Sends HEADERS. */
  headers(stream: number, fields: readonly (readonly [string, string])[], endStream?: boolean): void;
  data(stream: number, payload: string, endStream: boolean): void;
  /** The first frame of a stream (0: of the connection) that has one of these types. */
  frame(stream: number, ...types: number[]): Promise<Frame>;
}

export function encodeFrame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return Buffer.concat([head, payload]);
}

/** RFC 7541 6.2.2: literal without indexing, new name. Lengths below 127 fit one byte; longer ones are continued. */
function encodeField([name, value]: readonly [string, string]): Buffer {
  return Buffer.concat([Buffer.from([0]), encodeText(name), encodeText(value)]);
}

function encodeText(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length: number[] = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

export async function openRawHttp2(port: number, tls: { host: string; ca: string }): Promise<RawHttp2> {
  const raw = openRaw(port, { ...tls, alpn: 'h2' });
  const socket = raw.socket as TLSSocket;
  await new Promise((resolve) => socket.once('secureConnect', resolve));
  socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  socket.write(encodeFrame(FRAME.settings, 0, 0, Buffer.alloc(0)));
  return {
    raw,
    headers(stream, fields, endStream = true) {
      const flags = END_HEADERS | (endStream ? END_STREAM : 0);
      socket.write(encodeFrame(FRAME.headers, flags, stream, Buffer.concat(fields.map(encodeField))));
    },
    data(stream, payload, endStream) {
      socket.write(encodeFrame(FRAME.data, endStream ? END_STREAM : 0, stream, Buffer.from(payload)));
    },
    async frame(stream, ...types) {
      for (;;) {
        const found = frames(raw).find((each) => each.stream === stream && types.includes(each.type));
        if (found) return found;
        const length = raw.received().length;
        await raw.until(new RegExp(`^[^]{${length + 1}}`));
      }
    },
  };
}

function frames(raw: RawClient): Frame[] {
  const bytes = Buffer.from(raw.received(), 'latin1');
  const found: Frame[] = [];
  for (let at = 0; at + 9 <= bytes.length; ) {
    const length = bytes.readUIntBE(at, 3);
    if (at + 9 + length > bytes.length) break;
    found.push({
      type: bytes.readUInt8(at + 3),
      flags: bytes.readUInt8(at + 4),
      stream: bytes.readUInt32BE(at + 5) & 0x7fffffff,
      payload: bytes.subarray(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return found;
}
