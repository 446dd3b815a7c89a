/** Free ports for configuration files, which cannot say "any". Taken from below the range that outgoing connections use. */
import { createServer } from 'node:net';

/** Whoever listens on a port of these has the block of ports with its number, so that no two processes look at the same ones. */
const CLAIMS = 19_900;
const FIRST = 20_000;
const BLOCKS = 18;
const PER_BLOCK = 600;
const begin = FIRST + (await claimBlock()) * PER_BLOCK;
const end = begin + PER_BLOCK;
let next = begin;

/** Until this process ends. */
async function claimBlock(): Promise<number> {
  for (let block = 0; block < BLOCKS; block++) {
    const claimed = await new Promise<boolean>((resolve) => {
      const server = createServer().once('error', () => resolve(false));
      server.listen({ port: CLAIMS + block, host: '127.0.0.1', exclusive: true }, () => resolve(true)).unref();
    });
    if (claimed) return block;
  }
  throw new Error('no free block of ports');
}

function isFree(port: number, address: string | undefined): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: address, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port that nobody listens on, at any address of this machine. */
export async function freePort(): Promise<number> {
  for (let i = 0; i < 10_000; i++) {
    // A process that runs many files comes round: the first ports are long free again, and those behind are of another process.
    if (next >= end) next = begin;
    const port = next++;
    if (await isFree(port, undefined)) return port;
  }
  throw new Error('no free port');
}

/** So many free ports in a row. */
export async function freePorts(count: number): Promise<readonly [number, ...number[]]> {
  for (let i = 0; i < 1000; i++) {
    const first = await freePort();
    const ports: [number, ...number[]] = [first];
    while (ports.length < count && first + ports.length < end && (await isFree(first + ports.length, undefined)))
      ports.push(first + ports.length);
    next = first + count;
    if (ports.length === count) return ports;
  }
  throw new Error('no free ports in a row');
}
