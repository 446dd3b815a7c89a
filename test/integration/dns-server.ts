/** A DNS server on loopback, over UDP and TCP, that says what the test tells it to, and remembers what it was asked. */
import { createSocket } from 'node:dgram';
import { createServer as createTcpServer, isIP, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { freePort } from './ports.ts';

export interface DnsReply {
  /** Of both families; a question for one gets those of it. */
  readonly addresses?: readonly string[];
  /** Seconds; 0 unless told. */
  readonly ttl?: number;
  readonly code?: 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';
  /** Nothing is said over UDP but that the answer is too long for it. */
  readonly truncated?: boolean;
  /** Nothing at all is said until something else is told; to questions for one family alone where it is named. */
  readonly silent?: boolean | 'A' | 'AAAA';
}

export interface DnsServer {
  /** For the `dns` setting. */
  readonly address: string;
  /** As `A name`, in the order in which they came. */
  readonly questions: readonly string[];
  /** What is said about a name from now on. A name of which nothing was told does not exist. */
  tell(name: string, reply: DnsReply): void;
  /** The next question about a name: for which family. */
  asked(name: string): Promise<'A' | 'AAAA'>;
}

const CODES = { NXDOMAIN: 3, SERVFAIL: 2, REFUSED: 5 } as const;
const TRUNCATED = 0x0200;

/** It ends with the test. */
export async function startDnsServer(): Promise<DnsServer> {
  const port = await freePort();
  const replies = new Map<string, DnsReply>();
  const questions: string[] = [];
  let waiting: { name: string; resolve: (type: 'A' | 'AAAA') => void }[] = [];

  let unanswered: { name: string; answer: () => void }[] = [];

  const take = (query: Buffer, overUdp: boolean, send: (answer: Buffer) => void) => {
    const { name, type } = readQuestion(query);
    questions.push(`${type} ${name}`);
    const told = waiting.filter((each) => each.name === name);
    waiting = waiting.filter((each) => each.name !== name);
    for (const { resolve } of told) resolve(type);
    answer(query, overUdp, send);
  };
  const answer = (query: Buffer, overUdp: boolean, send: (answer: Buffer) => void) => {
    const { name, type, end } = readQuestion(query);
    const reply = replies.get(name) ?? { code: 'NXDOMAIN' };
    if (reply.silent === true || reply.silent === type) {
      unanswered.push({ name, answer: () => answer(query, overUdp, send) });
      return;
    }
    const cut = overUdp && reply.truncated === true;
    const records = cut ? [] : recordsOf(reply, type);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | (reply.code ? CODES[reply.code] : 0) | (cut ? TRUNCATED : 0), 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(records.length, 6);
    send(Buffer.concat([head, query.subarray(12, end), ...records]));
  };

  const udp = createSocket('udp4', (query, from) =>
    take(query, true, (bytes) => udp.send(bytes, from.port, from.address)),
  );
  const sockets = new Set<Socket>();
  const tcp = createTcpServer((socket) => {
    sockets.add(socket);
    let unread = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      unread = Buffer.concat([unread, bytes]);
      while (unread.length >= 2 && unread.length >= 2 + unread.readUInt16BE(0)) {
        const end = 2 + unread.readUInt16BE(0);
        take(unread.subarray(2, end), false, (bytes) => {
          const length = Buffer.alloc(2);
          length.writeUInt16BE(bytes.length);
          socket.write(Buffer.concat([length, bytes]));
        });
        unread = unread.subarray(end);
      }
    });
  });
  await new Promise<void>((resolve) => udp.bind(port, '127.0.0.1', resolve));
  await new Promise<void>((resolve) => tcp.listen(port, '127.0.0.1', resolve));
  onTestFinished(() => {
    udp.close();
    tcp.close();
    for (const socket of sockets) socket.destroy();
  });
  return {
    address: `127.0.0.1:${port}`,
    questions,
    tell(name, reply) {
      replies.set(name, reply);
      const held = unanswered.filter((each) => each.name === name);
      unanswered = unanswered.filter((each) => each.name !== name);
      for (const each of held) each.answer();
    },
    asked: (name) => new Promise((resolve) => waiting.push({ name, resolve })),
  };
}

function readQuestion(query: Buffer): { name: string; type: 'A' | 'AAAA'; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1) === 28 ? 'AAAA' : 'A', end: at + 5 };
}

function recordsOf({ addresses = [], ttl = 0 }: DnsReply, type: 'A' | 'AAAA'): Buffer[] {
  const family = type === 'A' ? 4 : 6;
  return addresses
    .filter((address) => isIP(address) === family)
    .map((address) => {
      const data = family === 4 ? Buffer.from(address.split('.').map(Number)) : bytesOf(address);
      const record = Buffer.alloc(12);
      record.writeUInt16BE(0xc00c, 0); // The name of the question.
      record.writeUInt16BE(family === 4 ? 1 : 28, 2);
      record.writeUInt16BE(1, 4);
      record.writeUInt32BE(ttl, 6);
      record.writeUInt16BE(data.length, 10);
      return Buffer.concat([record, data]);
    });
}

function bytesOf(address: string): Buffer {
  const [before = '', after] = address.split('::');
  const groups = (text: string | undefined) => (text ? text.split(':') : []);
  const zeros = Array(8 - groups(before).length - groups(after).length).fill('0');
  const all = [...groups(before), ...zeros, ...groups(after)];
  return Buffer.from(all.map((each) => each.padStart(4, '0')).join(''), 'hex');
}
