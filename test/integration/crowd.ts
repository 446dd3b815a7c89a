/** Clients that ask all the time, each for something of its own, and find whatever is wrong with an answer. */
import type { ClientHttp2Session } from 'node:http2';
import { expect } from 'vitest';
import { askOver, openHttp2 } from './clients.ts';
import { KeptClient } from './kept-client.ts';
import type { OneFarm } from './one-farm.ts';

export interface Crowd {
  /** What was wrong with answers, and those that never came. */
  readonly faults: readonly string[];
  /** Resolves behind so many more answers, with their number by server: the first word of a body. */
  next(count: number): Promise<ReadonlyMap<string, number>>;
  /** Resolves once this server has answered over both of its ports. */
  until(server: string): Promise<void>;
  /** Resolves once each client has had an answer of this server, and so every worker that has clients. */
  everyone(server: string): Promise<void>;
  /** Resolves when every request has its answer. */
  stop(): Promise<void>;
}

type Watcher = (server: string, client: string) => void;

export interface CrowdOptions {
  /** Kept connections: of HTTP/1.1, plain and over TLS, and of HTTP/2 with so many requests at once. */
  readonly plain: number;
  readonly secure: number;
  readonly sessions: number;
  readonly streams: number;
  /** A 502 is no fault, but counts as the answer of a server by its code: `502.3`. */
  readonly mayFail?: boolean;
}

export type PublishedFarm = Pick<OneFarm, 'host' | 'httpPort' | 'httpsPort' | 'tls'>;

/** The body of an answer must be the name of a server and the path that was asked for. */
export function openCrowd(
  farm: PublishedFarm,
  { plain, secure, sessions, streams, mayFail = false }: CrowdOptions,
): Crowd {
  const faults: string[] = [];
  const watchers = new Set<Watcher>();
  const work: Promise<void>[] = [];
  const names: string[] = [];
  let stopped = false;
  const ask = async (name: string, send: (path: string) => Promise<{ status: number; body: string | Buffer }>) => {
    names.push(name);
    for (let i = 0; !stopped; i++) {
      const path = `/${name}/${i}`;
      try {
        const { status, body } = await send(path);
        const text = body.toString();
        const [server = '', asked] = status === 502 && mayFail ? [/502\.\d/.exec(text)?.[0], path] : text.split(' ');
        if (asked !== path) faults.push(`${path}: ${status} ${body}`);
        for (const watcher of [...watchers]) watcher(server, name);
      } catch (error) {
        faults.push(`${path}: ${error}`);
        return;
      }
    }
  };
  const { host, httpPort, httpsPort, tls } = farm;
  const kept = (name: string, client: KeptClient) => work.push(ask(name, (path) => client.ask({ host, path })));
  for (let i = 0; i < plain; i++) kept(`plain${i}`, new KeptClient({ port: httpPort }));
  for (let i = 0; i < secure; i++) kept(`secure${i}`, new KeptClient({ port: httpsPort, tls }));
  for (let i = 0; i < sessions; i++) {
    const asked = { protocol: 'HTTP/2', port: httpsPort, ...tls } as const;
    const session: ClientHttp2Session = openHttp2(asked);
    for (let j = 0; j < streams; j++)
      work.push(ask(`session${i}.${j}`, (path) => askOver(session, { ...asked, path })));
  }
  const watch = (done: (...seen: Parameters<Watcher>) => boolean) =>
    new Promise<void>((resolve) => {
      const look: Watcher = (...seen) => {
        if (!done(...seen)) return;
        watchers.delete(look);
        resolve();
      };
      watchers.add(look);
    });
  return {
    faults,
    async next(count) {
      const counts = new Map<string, number>();
      let left = count;
      await watch((server) => {
        counts.set(server, (counts.get(server) ?? 0) + 1);
        return --left === 0;
      });
      return counts;
    },
    async until(server) {
      const ports = new Set<string>();
      if (plain === 0) ports.add('plain');
      if (secure + sessions === 0) ports.add('secure');
      await watch((each, client) => {
        if (each === server) ports.add(client.startsWith('plain') ? 'plain' : 'secure');
        return ports.size === 2;
      });
    },
    async everyone(server) {
      const left = new Set(names);
      await watch((each, client) => each === server && left.delete(client) && left.size === 0);
    },
    async stop() {
      stopped = true;
      await Promise.all(work);
    },
  };
}

/** The answers of so many requests are spread by these weights, and nobody else has any. */
export async function expectShares(
  crowd: Crowd,
  weights: Readonly<Record<string, number>>,
  count = 1200,
): Promise<void> {
  const counts = await crowd.next(count);
  const sum = Object.values(weights).reduce((total, weight) => total + weight, 0);
  for (const name of new Set([...Object.keys(weights), ...counts.keys()])) {
    const share = (weights[name] ?? 0) / sum;
    expect(Math.abs((counts.get(name) ?? 0) / count - share), `${name} of ${[...counts]}`).toBeLessThanOrEqual(0.02);
  }
}
