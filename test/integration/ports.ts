/** Free ports for configuration files, which cannot say "any". Taken from below the range that outgoing connections use. */
import { createServer } from 'node:net';

const FIRST = 20_000;
const PER_PROCESS = 600;
/** The workers of one test run have different numbers, so that no two of them look at the same port. */
const WORKER = Number(process.env.VITEST_POOL_ID ?? 1) % 2;
let next = FIRST + (WORKER + (process.ppid % 9) * 2) * PER_PROCESS;

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
    while (ports.length < count && (await isFree(first + ports.length, undefined))) ports.push(first + ports.length);
    next = first + count;
    if (ports.length === count) return ports;
  }
  throw new Error('no free ports in a row');
}
