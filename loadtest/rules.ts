/**
 * What the rules cost: nanoseconds and bytes of heap per request, for 4 to 10,000 rules that name their host as text or by
 * a regular expression. `npm run bench:rules`, which gives the flags that the measuring of bytes needs.
 *
 * Time: the best of several rounds, since whatever else runs on the machine can only make a round slower. Each figure is
 * taken once every set of rules has run, so that all are compiled to machine code for the same mix of rules.
 * Bytes: the growth of the heap over many requests. That is exact as long as nothing is collected in between, so the
 * young generation is made large (--min-semi-space-size), it is emptied before (--expose-gc), and a round during which
 * the heap shrank all the same is thrown away.
 */
import type { Span } from '../src/config/diagnostic.ts';
import type { ConditionConfig, RuleConfig, RuleSetConfig } from '../src/config/rewrite-model.ts';
import type { Text } from '../src/config/text.ts';
import { type CompiledSite, compileRules } from '../src/rewrite/compile.ts';
import { evaluateRules, type RewriteRequest } from '../src/rewrite/rule-set.ts';
import { isRefused, parseTarget } from '../src/rewrite/target.ts';

const span: Span = { file: 'bench', start: 0, end: 0 };
const SIZES = [4, 100, 1000, 10_000];
/**
 * The hosts that requests go round, spread over the list of rules: as few as 4 rules have, so that nothing but the number
 * of rules differs; and more, where the rules that are hit no longer lie in the nearest cache of the processor.
 */
const FEW = 4;
const MANY = 64;
const ROUNDS = 15;
const TIMES = 20_000;

/**
 * How a rule names its host: as text, or by a regular expression for a few names, with dots that are not escaped, for the
 * start or the end of a name, or for any place in it.
 */
const KINDS = ['literal', 'names', 'dots', 'start', 'end', 'inside'] as const;
const TARGET = '/Autodiscover/AutodiscoverService.svc/root?sipuri=alice@contoso.com';
type Kind = (typeof KINDS)[number];

const HOST_PATTERNS: Readonly<Record<Kind, (site: string) => string>> = {
  literal: (site) => `${site}.contoso.com`,
  names: (site) => `^(www\\.)?${site}\\.contoso\\.com(:443)?$`,
  dots: (site) => `^${site}.contoso.com$`,
  start: (site) => `^${site}\\.`,
  end: (site) => `^(.*\\.)?${site}\\.contoso\\.com$`,
  inside: (site) => `${site}\\.`,
};

const text = (value: string): Text => ({ value, span });

function condition(input: string, pattern: string): ConditionConfig {
  return { span, input: text(input), pattern: text(pattern), matchType: 'Pattern', ignoreCase: true, negate: false };
}

const hostOf = (number: number) => `site${number}.contoso.com`;

/** As IIS Manager writes them for a farm. */
function rule(number: number, kind: Kind): RuleConfig {
  const literal = kind === 'literal';
  return {
    span,
    name: text(`ARR_${hostOf(number)}_loadbalance_SSL`),
    basePath: '/',
    enabled: true,
    stopProcessing: true,
    patternSyntax: literal ? 'Wildcard' : 'ECMAScript',
    responseCacheDirective: 'Auto',
    match: { span, url: text(literal ? '*' : '.*'), ignoreCase: true, negate: false },
    conditions: {
      span,
      logicalGrouping: 'MatchAll',
      trackAllCaptures: false,
      entries: [
        condition('{HTTPS}', literal ? 'on' : '^on$'),
        condition('{HTTP_HOST}', HOST_PATTERNS[kind](`site${number}`)),
      ],
    },
    serverVariables: [],
    action: {
      span,
      type: 'Rewrite',
      url: text(`https://${hostOf(number)}/{R:0}`),
      appendQueryString: true,
      logRewrittenUrl: false,
      redirectType: 'Permanent',
      subStatusCode: 0,
    },
  };
}

function siteWith(count: number, kind: Kind): CompiledSite {
  const empty: RuleSetConfig = {
    rules: [],
    rewriteMaps: [],
    allowedServerVariables: [],
    providers: [],
    useOriginalURLEncoding: true,
  };
  const rules = Array.from({ length: count }, (_, number) => rule(number, kind));
  const site = {
    span,
    name: 'site',
    id: 1,
    bindings: [],
    applications: ['/'],
    scopes: [{ path: '/', ruleSet: empty }],
  };
  const compiled = compileRules({ globalRules: { ...empty, rules }, sites: [site] }).get('site');
  if (!compiled) throw new TypeError('the site was not compiled');
  return compiled;
}

/** Requests that no rule takes, or such that each is taken by one. */
function requestsFor(count: number, { hit, hosts }: Traffic): RewriteRequest[] {
  const target = parseTarget(TARGET);
  if (isRefused(target)) throw new TypeError(target.refused);
  return Array.from({ length: hosts }, (_, number) => ({
    method: 'GET',
    scheme: 'https' as const,
    host: hit ? hostOf(Math.floor((number * count) / hosts)) : `other${number}.contoso.com`,
    target,
    header: () => undefined,
    remoteAddress: '192.0.2.1',
    remotePort: 50_000,
    localAddress: '198.51.100.1',
    localPort: 443,
    httpVersion: '1.1',
    siteName: 'site',
    siteId: 1,
  }));
}

interface Traffic {
  readonly title: string;
  readonly hit: boolean;
  readonly hosts: number;
}

const TRAFFIC: readonly Traffic[] = [
  { title: 'no rule takes it', hit: false, hosts: FEW },
  { title: 'one takes it', hit: true, hosts: FEW },
  { title: `one of ${MANY} takes it`, hit: true, hosts: MANY },
];

interface Case {
  readonly kind: Kind;
  readonly count: number;
  readonly traffic: Traffic;
  readonly site: CompiledSite;
  readonly requests: readonly RewriteRequest[];
  /** Requests of one round, so many that it takes some milliseconds. */
  readonly times: number;
  nanoseconds: number;
  bytes: number;
}

function run({ site, requests, times }: Case): number {
  let taken = 0;
  for (let i = 0; i < times; i++) {
    const request = requests[i % requests.length];
    if (request && evaluateRules(site, request).kind === 'proxy') taken++;
  }
  return taken;
}

/** Rules of the other kind are gone through one by one: the long lists take seconds for each round, and vary little. */
function isFound({ kind }: Case): boolean {
  return kind !== 'inside';
}

function measure(each: Case): void {
  // The case before has left other rules in the caches of the processor.
  if (isFound(each)) run(each);
  const began = process.hrtime.bigint();
  run(each);
  const took = Number(process.hrtime.bigint() - began) / each.times;
  each.nanoseconds = Math.min(each.nanoseconds, took);
}

function measureBytes(each: Case): void {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  run(each);
  const grown = process.memoryUsage().heapUsed - before;
  if (grown >= 0) each.bytes = Math.min(each.bytes, Math.max(0, grown - idle) / each.times);
}

/** What asking for the size of the heap takes itself. */
const idle = (() => {
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  return Math.max(0, process.memoryUsage().heapUsed - before);
})();

const cases = KINDS.flatMap((kind) =>
  SIZES.flatMap((count) => {
    const site = siteWith(count, kind);
    return TRAFFIC.map((traffic): Case => {
      const times = kind === 'inside' ? Math.max(MANY, 100_000 / count) : TIMES;
      const requests = requestsFor(count, traffic);
      return { kind, count, traffic, site, requests, times, nanoseconds: Infinity, bytes: Infinity };
    });
  }),
);
for (const each of cases) {
  if (run(each) !== (each.traffic.hit ? each.times : 0)) throw new TypeError('a request went astray');
}
for (let round = 0; round < ROUNDS; round++) {
  for (const each of cases) if (isFound(each) || each.count < 1000 || round < 3) measure(each);
}
for (let round = 0; round < 3; round++) for (const each of cases) measureBytes(each);

const found = (kind: Kind, count: number, traffic: Traffic) =>
  cases.find((each) => each.kind === kind && each.count === count && each.traffic === traffic);

console.log(`hosts    rules ${TRAFFIC.map(({ title }) => title.padStart(32)).join('')}`);
for (const kind of KINDS) {
  for (const count of SIZES) {
    const figures = TRAFFIC.map((traffic) => {
      const each = found(kind, count, traffic);
      return `${each?.nanoseconds.toFixed(0)} ns ${each?.bytes.toFixed(0).padStart(6)} bytes`.padStart(32);
    });
    console.log(`${kind.padEnd(8)} ${String(count).padStart(5)} ${figures.join('')}`);
  }
}

/** What comes before the rules for every request, however many there are: the target is decoded and resolved. */
function readingTheTarget(): number {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const began = process.hrtime.bigint();
    for (let i = 0; i < TIMES; i++) if (isRefused(parseTarget(TARGET))) throw new TypeError('the target was refused');
    best = Math.min(best, Number(process.hrtime.bigint() - began) / TIMES);
  }
  return best;
}

const reading = readingTheTarget();
console.log(`\nReading the target of a request, before its rules: ${reading.toFixed(0)} ns. 10,000 literal hosts cost`);
for (const traffic of TRAFFIC) {
  const cost = (count: number) => found('literal', count, traffic)?.nanoseconds ?? Number.NaN;
  const alone = (cost(10_000) / cost(4)).toFixed(2);
  const whole = ((cost(10_000) + reading) / (cost(4) + reading)).toFixed(2);
  console.log(`${traffic.title}: ${alone} times 4 for the rules alone, ${whole} with the target read`);
}
