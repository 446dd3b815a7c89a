/** What `trace` says of a request is what becomes of it: sites, bindings, rules and requests by chance, over real sockets. */
import { expect, test } from 'vitest';
import type { BindingConfig } from '../../src/config/model.ts';
import { commandLine } from '../cli/command-line.ts';
import { numbers, runs, seed } from '../random.ts';
import { openRaw, type Protocol } from './clients.ts';
import { authority, type Published, startProxy, webFarm } from './environment.ts';
import { askLane, http1Text } from './lane-client.ts';
import { readAnswers, targetOf, valuesOf } from './messages.ts';
import { freePort } from './ports.ts';
import { startRecordingServer } from './recording-server.ts';

type Choose = (limit: number) => number;

const REQUESTS = 50;
const HOSTS = ['a.example', 'b.example', 'sub.a.example', '*.a.example', '*.example', ''];
const ASKED = [
  'a.example',
  'A.Example',
  'b.example',
  'sub.a.example',
  'x.a.example',
  'other.test',
  'a.example.',
  '10.1.2.3',
];
const TARGETS = [
  ...[
    '/',
    '/x',
    '/x/y?q=1',
    '/b/c',
    '/a%20b',
    '/a//b',
    '/%2e%2e/x',
    '/..',
    '/x/../y',
    '/%zz',
    '/x?',
    '/x?a=b&c=d',
    '/%00',
  ],
  ...['/ü', '/x%2fy', '/x;y=1', `/${'l'.repeat(17_000)}`, '/go?to=other.test', '/X'],
];
/** Of bindings without TLS. */
const ADDRESSES = ['*', '*', '127.0.0.1', '127.0.0.2'];
const METHODS = ['GET', 'GET', 'GET', 'HEAD', 'POST', 'OPTIONS', 'TRACE', 'PROPFIND'];
const MATCHES = ['(.*)', '.*', '^x', '^x/(.*)', '^b/(.*)$', 'y$', '^(.*)b', '^$', '^X$'];
const CONDITIONS: readonly (readonly [string, string])[] = [
  ['{HTTP_HOST}', '^a\\.example'],
  ['{HTTP_HOST}', '^(.*)\\.example(:\\d+)?$'],
  ['{HTTPS}', 'on'],
  ['{HTTPS}', 'off'],
  ['{REQUEST_METHOD}', '^GET$'],
  ['{QUERY_STRING}', 'a=(\\w)'],
  ['{HTTP_X_MARK}', '^yes$'],
  ['{REMOTE_ADDR}', '^127\\.'],
  ['{SERVER_PORT}', '[02468]$'],
  ['{REQUEST_URI}', '/x'],
];

function pick<T>(choose: Choose, of: readonly T[]): T {
  return of[choose(of.length)] as T;
}

function action(choose: Choose, server: number): string {
  const proxied = (host: string) => `<action type="Rewrite" url="http://${host}/{R:0}" />`;
  return pick(choose, [
    ...[proxied('one'), proxied('two'), proxied('one'), proxied('two')],
    '<action type="Rewrite" url="http://two/moved?from={R:1}" appendQueryString="false" />',
    proxied(`127.0.0.1:${server}`),
    proxied('{QUERY_STRING}'),
    '<action type="Rewrite" url="b/{R:0}" />',
    '<action type="Redirect" url="https://{HTTP_HOST}/{R:0}" redirectType="Permanent" />',
    '<action type="Redirect" url="/else/{R:0}" redirectType="Found" appendQueryString="false" />',
    '<action type="CustomResponse" statusCode="403" subStatusCode="7" statusReason="No" statusDescription="not {R:0}" />',
    '<action type="AbortRequest" />',
    '<action type="None" />',
  ]);
}

function rule(choose: Choose, name: string, server: number): string {
  const conditions = Array.from({ length: choose(3) }, () => pick(choose, CONDITIONS));
  const added = conditions.map(([input, pattern]) => {
    const negate = choose(5) === 0 ? ' negate="true"' : '';
    return `<add input="${input}" pattern="${pattern}"${negate} />`;
  });
  const grouping = choose(3) === 0 ? 'MatchAny' : 'MatchAll';
  const set =
    choose(4) === 0 ? '<serverVariables><set name="HTTP_X_SET" value="{HTTP_HOST}-{R:0}" /></serverVariables>' : '';
  return `<rule name="${name}" stopProcessing="${choose(3) > 0}"><match url="${pick(choose, MATCHES)}" />
    <conditions logicalGrouping="${grouping}">${added.join('')}</conditions>${set}${action(choose, server)}</rule>`;
}

interface Ports {
  readonly https: readonly [number, number];
  readonly plain: number;
  readonly server: number;
}

function configuration(choose: Choose, { https, plain, server }: Ports): string {
  const taken = new Set<string>();
  const sites = Array.from({ length: 1 + choose(3) }, (_, at) => {
    const bindings = Array.from({ length: 1 + choose(4) }, () => {
      const port = pick(choose, [...https, plain]);
      const binding = `<binding protocol="${port === plain ? 'http' : 'https'}" bindingInformation="${port === plain ? pick(choose, ADDRESSES) : '*'}:${port}:${pick(choose, HOSTS)}" />`;
      if (taken.has(binding)) return '';
      taken.add(binding);
      return binding;
    });
    return `<site name="S${at}" id="${at + 1}"><application path="/"><virtualDirectory path="/" physicalPath="C:\\${at}" /></application><bindings>${bindings.join('')}</bindings></site>`;
  });
  const list = (prefix: string, most: number) =>
    Array.from({ length: choose(most) }, (_, at) => rule(choose, `${prefix}${at}`, server)).join('');
  const scopes = sites.map(
    (_, at) =>
      `<location path="S${at}"><system.webServer><rewrite><rules>${list(`s${at}-`, 5)}</rules></rewrite></system.webServer></location>`,
  );
  const farm = (name: string) => webFarm(name, { servers: [{ address: `${name}.contoso.local`, httpPort: server }] });
  return `<configuration><system.applicationHost><sites>${sites.join('')}</sites></system.applicationHost>
    <webFarms>${farm('one')}${farm('two')}</webFarms>
    <system.webServer><proxy enabled="${choose(3) > 0}" /><rewrite><globalRules>${list('g', 3)}</globalRules>
    <allowedServerVariables><add name="HTTP_X_SET" /></allowedServerVariables></rewrite></system.webServer>
    ${scopes.join('')}</configuration>`;
}

/** A configuration with faults is no world: another one is made. */
async function world(choose: Choose, ports: Ports): Promise<Published> {
  for (let tries = 0; ; tries++) {
    try {
      return await startProxy({
        iis: configuration(choose, ports),
        certificates: { all: ['a.example', '*.a.example', '*.example'] },
        settings: { hosts: { 'one.contoso.local': '127.0.0.1', 'two.contoso.local': '127.0.0.1' } },
      });
    } catch (error) {
      if (tries === 50 || !String(error).includes('configuration')) throw error;
    }
  }
}

interface Asked {
  readonly protocol: Protocol;
  readonly plain: boolean;
  readonly port: number;
  readonly host: string;
  readonly method: string;
  readonly target: string;
  readonly mark: boolean;
  /** That the client connects to; with TLS it is always the first. */
  readonly address: string;
}

/** Its bytes are those of UTF-8. */
const bytes = (text: string) => Buffer.from(text).toString('latin1');

async function sent({ protocol, plain, port, host, method, target, mark, address }: Asked) {
  const headers: (readonly [string, string])[] = mark ? [['X-Mark', 'yes']] : [];
  const request = {
    port,
    ca: authority.certPem,
    host: 'a.example',
    authority: host,
    method,
    target: bytes(target),
    headers,
  };
  if (!plain) {
    const { status, headers: lines, body } = await askLane(protocol, request);
    return { status, location: lines.find((line) => line.startsWith('location: '))?.slice('location: '.length), body };
  }
  const client = openRaw(port, undefined, address);
  client.socket.write(http1Text({ ...request, headers: [...headers, ['Connection', 'close']] }), 'latin1');
  const [answer] = readAnswers(await client.closed(), true, [method]).messages;
  if (answer === undefined) return { status: 0, location: undefined, body: '' };
  return { status: Number(targetOf(answer)), location: valuesOf(answer, 'location')[0], body: answer.body };
}

/** Addresses of this machine at which somebody listens on the port. */
function reached(bound: readonly BindingConfig[], port: number): readonly string[] {
  const addresses = bound.filter((each) => each.port === port).map(({ address }) => address);
  return addresses.includes('*') ? ['127.0.0.1', '127.0.0.2', '127.0.0.3'] : addresses;
}

test('trace and the service agree on the fate of every request', { timeout: 4_000_000 }, async () => {
  const server = await startRecordingServer();
  const ports: Ports = {
    https: [await freePort(), await freePort()],
    plain: await freePort(),
    server: server.httpPort,
  };
  const seen = new Map<string, number>();
  for (let at = 0; at < runs(6, 400); at++) {
    const choose = numbers(seed + at);
    const proxy = await world(choose, ports);
    const bound = proxy.config.sites.flatMap(({ bindings }) => bindings);
    for (let each = 0; each < REQUESTS; each++) {
      const { protocol: scheme, port, host } = pick(choose, bound);
      const plain = scheme === 'http';
      const own = host.replace('*', 'x');
      const named = own !== '' && choose(3) > 0 ? own : pick(choose, ASKED);
      const asked: Asked = {
        protocol: plain || choose(2) === 0 ? 'HTTP/1.1' : 'HTTP/2',
        plain,
        port,
        host: choose(3) === 0 ? named : `${named}:${port}`,
        method: pick(choose, METHODS),
        target: pick(choose, TARGETS),
        mark: choose(2) === 0,
        address: plain ? pick(choose, reached(bound, port)) : '127.0.0.1',
      };
      const url = `${plain ? 'http' : 'https'}://x:${port}${asked.target}`;
      const more = ['--method', asked.method, '--header', `Host: ${asked.host}`, '--remote', '127.0.0.1'];
      more.push('--address', asked.address);
      if (asked.mark) more.push('--header', 'X-Mark: yes');
      const traced = await commandLine('trace', url, '--config', proxy.configDir, '--json', ...more);
      const before = server.requests.length;
      const told = await sent(asked).catch((error: unknown) => ({
        status: 0,
        location: undefined,
        body: String(error),
      }));
      const came = server.requests.slice(before);
      const { outcome } = JSON.parse(traced.out) as { outcome: Record<string, unknown> };
      const where = () =>
        `seed ${seed + at}: ${JSON.stringify([asked, outcome], (_, value) => (typeof value === 'string' ? value.slice(0, 200) : value))}`;
      const kind = String(outcome.action);
      seen.set(kind, (seen.get(kind) ?? 0) + 1);
      if (kind === 'proxy') {
        const [, host = '', target = ''] = /^http:\/\/([^/]*)(.*)$/s.exec(String(outcome.url)) ?? [];
        expect(came.length, where()).toBe(1);
        expect({ status: told.status, target: came.map(targetOf) }, where()).toEqual({ status: 200, target: [target] });
        expect(['one', 'two', `127.0.0.1:${ports.server}`], where()).toContain(host);
        const set = (outcome.setVariables ?? {}) as Record<string, string>;
        expect(valuesOf(came[0]!, 'x-set'), where()).toEqual(set.HTTP_X_SET ? [set.HTTP_X_SET] : []);
        continue;
      }
      expect(came, where()).toEqual([]);
      if (kind === 'redirect')
        expect(told, where()).toMatchObject({ status: outcome.status, location: outcome.location });
      else if (kind === 'respond') {
        const body = asked.method === 'HEAD' ? '' : bytes(String(outcome.body));
        expect(told, where()).toMatchObject({ status: outcome.status, body });
      } else if (kind === 'abort') expect(told.status, where()).toBe(0);
      else if (kind === 'none') expect(told.status, where()).toBe(404);
      else expect(told.status, where()).toBe((outcome.error as { status: number }).status);
    }
    await proxy.serving.stop(0);
  }
  // By chance most kinds of fate have come, and these two in any run.
  expect([...seen.keys()]).toEqual(expect.arrayContaining(['proxy', 'error']));
});
