/**
 * What it costs to pick a server: nanoseconds for each algorithm and size of a farm, with all servers in use, with a tenth of
 * them out of reach, and for clients that bring an affinity cookie. `npm run bench:balancing`.
 *
 * Time: the best of several rounds, since whatever else runs on the machine can only make a round slower.
 */
import { ClientAffinity } from '../src/farm/client-affinity.ts';
import {
  type Balanced,
  type Balancer,
  leastRequests,
  requestHash,
  weightedRoundRobin,
} from '../src/farm/load-balancing.ts';

const SIZES = [3, 10, 100];
const ROUNDS = 15;
const TIMES = 200_000;
/** The most that a pick among a hundred servers may take. */
const LIMIT_NS = 200;

class Stub implements Balanced {
  readonly address: string;
  readonly weight: number;
  load = 0;
  reachable = true;

  constructor(number: number) {
    this.address = `fe${number}.contoso.local`;
    this.weight = 50 + (number % 4) * 50;
  }

  get share(): number {
    return this.weight;
  }
}

const KEYS = Array.from({ length: 1024 }, (_, i) => `/meet/user${i}/7M3K2P?sl=1&case=${i * 7919}`);
const TRIED: readonly Stub[] = [];
const passes = (server: Stub) => server.reachable && (TRIED.length === 0 || !TRIED.includes(server));

const ALGORITHMS: Readonly<Record<string, () => Balancer<Stub>>> = {
  WeightedRoundRobin: () => weightedRoundRobin(false),
  RequestHash: () => requestHash(),
  'least requests': () => leastRequests(false),
};

function best(work: (times: number) => void): number {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.hrtime.bigint();
    work(TIMES);
    least = Math.min(least, Number(process.hrtime.bigint() - start) / TIMES);
  }
  return least;
}

/** Each request begins, and one that began some hundred requests ago ends, as in a farm under load. */
function picking(balancer: Balancer<Stub>): (times: number) => void {
  const underWay: (Stub | undefined)[] = new Array(256).fill(undefined);
  const change = (server: Stub, by: number) => {
    server.load += by;
    balancer.loadChanged(server);
  };
  return (times) => {
    for (let i = 0; i < times; i++) {
      const server = balancer.pick(passes, KEYS[i & 1023] ?? '');
      const ended = underWay[i & 255];
      if (server) change(server, 1);
      if (ended) change(ended, -1);
      underWay[i & 255] = server;
    }
  };
}

function binding(servers: readonly Stub[]): (times: number) => void {
  const config = {
    cookieName: { value: 'ARRAffinity' },
    ignoreSubDomainClientAffinity: false,
    ignoreSubDomainFragmentDepth: 2,
  };
  const affinity = new ClientAffinity('fe', servers, config, new Uint8Array(32));
  const requests = servers.map((server) => {
    const [cookie = ''] = affinity.cookies(server, { authority: 'meet.contoso.com', secure: true });
    const [pair = ''] = cookie.split(';');
    return ['Accept', '*/*', 'User-Agent', 'bench', 'Cookie', `ASP.NET_SessionId=abcdefgh; ${pair}`];
  });
  return (times) => {
    for (let i = 0; i < times; i++) {
      if (affinity.serverOf(requests[i % requests.length] ?? []) !== servers[i % servers.length])
        throw new Error('wrong server');
    }
  };
}

let slowest = 0;
const row = (name: string, cells: readonly (string | number)[]) => {
  const shown = cells.map((cell) => `${typeof cell === 'number' ? cell.toFixed(0) : cell}`.padStart(6));
  process.stdout.write(`| ${name.padEnd(42)} | ${shown.join(' | ')} |\n`);
};
const measured = (name: string, work: (servers: readonly Stub[]) => (times: number) => void, limited: boolean) => {
  const cells = SIZES.map((size) => best(work(Array.from({ length: size }, (_, i) => new Stub(i)))));
  if (limited) slowest = Math.max(slowest, ...cells);
  row(name, cells);
};

process.stdout.write(`ns, node ${process.versions.node}\n\n`);
row('servers', SIZES);
row(
  '---',
  SIZES.map(() => '-----:'),
);
for (const [name, make] of Object.entries(ALGORITHMS)) {
  const over = (servers: readonly Stub[]) => {
    const balancer = make();
    balancer.set(servers);
    return picking(balancer);
  };
  measured(name, over, true);
  measured(
    `${name}, some out of reach`,
    (servers) => {
      for (const [i, server] of servers.entries()) server.reachable = i % 10 !== 1;
      return over(servers);
    },
    false,
  );
}
measured('affinity cookie', binding, true);
process.stdout.write(`\nlimit: ${LIMIT_NS} ns, ${slowest < LIMIT_NS ? 'kept' : 'NOT kept'}\n`);
if (slowest >= LIMIT_NS) process.exitCode = 1;
