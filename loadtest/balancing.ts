/**
 * What it costs to choose a server: nanoseconds per request for each algorithm and size of a farm, all servers in use, a tenth of
 * them out of reach, and clients that bring an affinity cookie. `npm run bench:balancing`.
 *
 * Requests as the farm sees them: a server is chosen, the request begins, and one that began some hundred before ends. What the same
 * costs without the choice is taken off; for LeastRequests, which has to hear of every change of load, it has a row of its own.
 * Time: the best of several rounds, since whatever else runs on the machine can only make a round slower.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino from 'pino';
import type { Connections } from '../src/connect/connections.ts';
import type { Server } from '../src/farm/server.ts';
import { createWebFarm, type ServerQuestion, type WebFarm } from '../src/farm/web-farm.ts';
import { canStart, checkConfig } from '../src/service/check-config.ts';
import { configuredRoutes } from '../src/service/configured-routes.ts';
import { farmSurroundings } from '../src/service/farm-surroundings.ts';

const SIZES = [3, 10, 100];
const ROUNDS = 15;
const TIMES = 200_000;
/** The most that the choice among a hundred servers may take. */
const LIMIT_NS = 200;
const UNDER_WAY = 256;

const ALGORITHMS = ['WeightedRoundRobin', 'RequestHash', 'LeastRequests'] as const;
type Algorithm = (typeof ALGORITHMS)[number];

/** Hears of no connection, and makes none. */
const connections: Connections = {
  lease: () => undefined,
  forget: () => undefined,
  terminate: () => undefined,
  discourage: () => undefined,
  watch: (endpoint, watcher) => {
    watchers.set(`${endpoint.address}:${endpoint.port}`, watcher);
    return () => undefined;
  },
  hasRoom: () => true,
  hasAny: () => false,
  size: 0,
  destroy: () => undefined,
};
const watchers = new Map<string, (failure: Error | undefined) => void>();

function farmOf(size: number, algorithm: Algorithm): WebFarm {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-bench-'));
  try {
    const servers = Array.from(
      { length: size },
      (_, i) =>
        `<server address="fe${i}.contoso.local"><applicationRequestRouting weight="${50 + (i % 4) * 50}" /></server>`,
    );
    const iis = algorithm === 'RequestHash' ? algorithm : 'WeightedRoundRobin';
    writeFileSync(
      join(folder, 'applicationHost.config'),
      `<configuration><webFarms><webFarm name="fe">${servers.join('')}<applicationRequestRouting><affinity useCookie="true" /><loadBalancing algorithm="${iis}" /></applicationRequestRouting></webFarm></webFarms></configuration>`,
    );
    const own = algorithm === 'LeastRequests' ? { algorithm } : {};
    const bindings = [{ protocol: 'http', port: 8080 }];
    writeFileSync(
      join(folder, 'settings.json'),
      JSON.stringify({ bindings, certificates: [], farms: { fe: { ...own, circuit: { failures: 1 } } } }),
    );
    const checked = checkConfig(folder);
    const [farm] = checked.config?.webFarms ?? [];
    if (!canStart(checked) || farm === undefined) throw new Error(JSON.stringify(checked.diagnostics));
    const log = pino({ level: 'silent' });
    const around = farmSurroundings(checked, configuredRoutes(checked.config, log), farm);
    const secret = new Uint8Array(32);
    return createWebFarm(farm, { around, connections, states: new Map(), secret, askHost: () => undefined, log });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function best(work: (times: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work(TIMES);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / TIMES);
  }
  return least;
}

const QUESTIONS: readonly ServerQuestion[] = Array.from({ length: 1024 }, (_, i) => ({
  scheme: 'https',
  hashKey: `/meet/user${i}/7M3K2P?sl=1&case=${i * 7919}`,
  host: '',
  tried: [],
  refused: false,
  waited: false,
}));

/** @param choose `undefined` for no choice: one server after the other */
function requests({ servers }: WebFarm, choose?: WebFarm['choose']): (times: number) => void {
  const underWay: (Server | undefined)[] = new Array(UNDER_WAY).fill(undefined);
  let next = 0;
  return (times) => {
    for (let i = 0; i < times; i++, next++) {
      const question = QUESTIONS[next % QUESTIONS.length];
      const server = choose ? question && choose(question) : servers[next % servers.length];
      server?.begin(false, 'http');
      underWay[next % UNDER_WAY]?.end(false);
      underWay[next % UNDER_WAY] = server;
    }
  };
}

function costOf(farm: WebFarm): number {
  const rest = best(requests(farm));
  return best(requests(farm, farm.choose)) - rest;
}

function binding({ affinity, servers }: WebFarm): (times: number) => void {
  const headers = servers.map((server) => {
    const [cookie = ''] = affinity?.cookies(server, { authority: 'meet.contoso.com', secure: true }) ?? [];
    const [pair = ''] = cookie.split(';');
    // As it comes off the wire: one piece.
    const line = Buffer.from(`ASP.NET_SessionId=abcdefgh; ${pair}`).toString('latin1');
    return ['Accept', '*/*', 'User-Agent', 'bench', 'Cookie', line];
  });
  return (times) => {
    for (let i = 0; i < times; i++) {
      const server = affinity?.serverOf(headers[i % headers.length] ?? []);
      if (server === undefined || server !== servers[i % servers.length]) throw new Error('the wrong server');
    }
  };
}

const row = (name: string, cells: readonly (string | number)[]) => {
  const shown = cells.map((cell) => `${typeof cell === 'number' ? cell.toFixed(0) : cell}`.padStart(6));
  process.stdout.write(`| ${name.padEnd(38)} | ${shown.join(' | ')} |\n`);
};

process.stdout.write(`ns, node ${process.versions.node}\n\n`);
row('servers', SIZES);
row(
  '---',
  SIZES.map(() => '-----:'),
);
let slowest = 0;
for (const algorithm of ALGORITHMS) {
  const cells = SIZES.map((size) => costOf(farmOf(size, algorithm)));
  slowest = Math.max(slowest, ...cells);
  row(algorithm, cells);
}
for (const algorithm of ALGORITHMS) {
  const cells = SIZES.map((size) => {
    const farm = farmOf(size, algorithm);
    // One failure opens the circuit, and nobody ever knocks with success.
    for (const [i, server] of farm.servers.entries()) {
      if (i % 10 === 1) watchers.get(`${server.address}:443`)?.(new Error('refused'));
    }
    const took = costOf(farm);
    farm.close();
    return took;
  });
  row(`${algorithm}, a tenth out of reach`, cells);
}
row(
  'LeastRequests, begin and end',
  SIZES.map((size) => best(requests(farmOf(size, 'LeastRequests'))) - best(requests(farmOf(size, 'RequestHash')))),
);
row(
  'affinity cookie',
  SIZES.map((size) => best(binding(farmOf(size, 'WeightedRoundRobin')))),
);
process.stdout.write(
  `\nlimit for each algorithm, ${SIZES.at(-1)} servers, all in reach: ${LIMIT_NS} ns, ${slowest < LIMIT_NS ? 'kept' : 'NOT kept'}\n`,
);
if (slowest >= LIMIT_NS) process.exitCode = 1;
