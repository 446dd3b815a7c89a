/** What the attributes of `protocol`, `webFarm` and `system.webServer/proxy` do, over both lanes: one table for each. */
import { describe, expect, test } from 'vitest';
import { openRaw, type Protocol } from './clients.ts';
import { applicationHost, authority, farmRules, startProxy, webFarm } from './environment.ts';
import { askLane, type LaneRequest, type Outcome } from './lane-client.ts';
import { type Message, readAnswers } from './messages.ts';
import { freePort } from './ports.ts';
import { HOST, publishRecorded, type RecordedFarm, type RecordedFarmOptions } from './recorded-farm.ts';
import { ok, type RecordingServer, startRecordingServer } from './recording-server.ts';

const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const SERVER = 'fe01.contoso.local';

type Ask = Partial<Omit<LaneRequest, 'port' | 'ca' | 'host'>>;

interface Expected {
  readonly ask?: Ask;
  /** What the server sends; absent: 200 with the target. */
  readonly answer?: string;
  /** The request line. */
  readonly line?: RegExp;
  /** Fields that the server gets, names in small letters, in any order. */
  readonly fields?: readonly RegExp[];
  /** Names of fields that it does not get. */
  readonly without?: readonly string[];
  /** Some of what the client is told. */
  readonly told?: Partial<Outcome>;
  /** Names of fields that the client does not get. */
  readonly notTold?: readonly string[];
  /** `502.3` and so on in the service log. */
  readonly code?: string;
}

interface Row extends Expected, Pick<RecordedFarmOptions, 'protocol' | 'farm' | 'hostName'> {
  readonly name: string;
}

const moved =
  'HTTP/1.1 302 Found\r\nLocation: https://inner.local/x?y\r\nSet-Cookie: a=b; Domain=inner.local\r\nContent-Length: 0\r\n\r\n';
const withServer = ok('', 'Server: Microsoft-IIS/10.0\r\n');
const ID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';

/** A head of just so many bytes. */
function headOf(bytes: number): string {
  const rest = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-Fill: \r\n\r\n';
  return rest.replace('X-Fill: ', `X-Fill: ${'x'.repeat(bytes - rest.length)}`);
}

const TABLE: readonly Row[] = [
  {
    name: 'the defaults',
    line: /^GET \/ HTTP\/1\.1$/,
    fields: [
      new RegExp(`^host: ${HOST}$`),
      /^max-forwards: 10$/,
      /^x-forwarded-for: 127\.0\.0\.1:\d+$/,
      /^x-arr-ssl: 256\|256\|CN=Lychgate tests\|CN=meet\.contoso\.com$/,
      new RegExp(`^x-arr-log-id: ${ID}$`),
    ],
    without: ['x-forwarded-by', 'x-arr-clientcert', 'x-arr-cache-hit', 'connection'],
    told: { status: 200, headers: ['content-length: 1', 'server: Lychgate', 'x-powered-by: ARR/3.0'] },
  },
  { name: 'timeout', protocol: 'timeout="00:00:01"', answer: '', told: { status: 502 }, code: '502.3 12002' },
  {
    name: 'preserveHostHeader off: the name of the server',
    protocol: 'preserveHostHeader="false"',
    fields: [/^host: fe01\.contoso\.local:\d+$/],
  },
  {
    name: 'preserveHostHeader off, and hostName of the server',
    protocol: 'preserveHostHeader="false"',
    hostName: 'inner.contoso.local',
    fields: [/^host: inner\.contoso\.local$/],
  },
  {
    name: 'preserveHostHeader off, and alternateHostName: before hostName',
    protocol: 'preserveHostHeader="false" alternateHostName="alternate.contoso.local"',
    hostName: 'inner.contoso.local',
    fields: [/^host: alternate\.contoso\.local$/],
  },
  {
    name: 'alternateHostName and hostName where the client’s name is kept',
    protocol: 'alternateHostName="alternate.contoso.local"',
    hostName: 'inner.contoso.local',
    fields: [new RegExp(`^host: ${HOST}$`)],
  },
  {
    name: 'reverseRewriteHostInResponseHeaders on',
    protocol: 'reverseRewriteHostInResponseHeaders="true"',
    answer: moved,
    told: {
      status: 302,
      headers: [
        'content-length: 0',
        `location: https://${HOST}/x?y`,
        'server: Lychgate',
        `set-cookie: a=b; Domain=${HOST}`,
        'x-powered-by: ARR/3.0',
      ],
    },
  },
  {
    name: 'reverseRewriteHostInResponseHeaders off',
    answer: moved,
    told: {
      status: 302,
      headers: [
        'content-length: 0',
        'location: https://inner.local/x?y',
        'server: Lychgate',
        'set-cookie: a=b; Domain=inner.local',
        'x-powered-by: ARR/3.0',
      ],
    },
  },
  {
    name: 'xForwardedByHeader',
    protocol: 'xForwardedByHeader="proxy01"',
    ask: { headers: [['x-forwarded-by', 'forged']] },
    fields: [/^x-forwarded-by: proxy01$/],
  },
  {
    name: 'xForwardedByHeader under another name',
    protocol: 'xForwardedByHeader="proxy01" xForwardedByHeaderName="Via-Proxy"',
    ask: {
      headers: [
        ['via-proxy', 'forged'],
        ['via_proxy', 'forged'],
      ],
    },
    fields: [/^via-proxy: proxy01$/],
    without: ['x-forwarded-by', 'via_proxy'],
  },
  {
    name: 'xForwardedByHeader without a name',
    protocol: 'xForwardedByHeader="proxy01" xForwardedByHeaderName=""',
    without: ['x-forwarded-by', ''],
  },
  {
    name: 'xForwardedForHeaderName',
    protocol: 'xForwardedForHeaderName="X-Client"',
    ask: { headers: [['x-client', '192.0.2.1']] },
    fields: [/^x-client: 192\.0\.2\.1, 127\.0\.0\.1:\d+$/],
    without: ['x-forwarded-for'],
  },
  {
    name: 'xForwardedForHeaderName empty',
    protocol: 'xForwardedForHeaderName=""',
    without: ['x-forwarded-for', ''],
  },
  {
    name: 'includePortInXForwardedFor off',
    protocol: 'includePortInXForwardedFor="false"',
    fields: [/^x-forwarded-for: 127\.0\.0\.1$/],
  },
  { name: 'arrResponseHeader off', protocol: 'arrResponseHeader="false"', notTold: ['x-powered-by'] },
  {
    name: 'sslHeaderName',
    protocol: 'sslHeaderName="X_SSL"',
    ask: {
      headers: [
        ['x-ssl', 'forged'],
        ['x_ssl', 'forged'],
      ],
    },
    fields: [/^x_ssl: 256\|256\|/],
    without: ['x-arr-ssl', 'x-ssl'],
  },
  { name: 'sslHeaderName empty', protocol: 'sslHeaderName=""', without: ['x-arr-ssl', ''] },
  {
    name: 'clientCertHeaderName, and no certificate is asked for',
    protocol: 'clientCertHeaderName="X-Cert"',
    ask: {
      headers: [
        ['x-cert', 'forged'],
        ['x-arr-clientcert', 'forged'],
      ],
    },
    without: ['x-cert', 'x-arr-clientcert'],
  },
  {
    name: 'logGuidName',
    protocol: 'logGuidName="X-Log"',
    ask: { headers: [['x-log', 'forged']] },
    fields: [new RegExp(`^x-log: ${ID}$`)],
    without: ['x-arr-log-id'],
  },
  { name: 'logGuidName empty', protocol: 'logGuidName=""', without: ['x-arr-log-id', ''] },
  {
    name: 'logCacheHitName: nobody else may write it',
    protocol: 'logCacheHitName="X-Hit"',
    ask: {
      headers: [
        ['x-hit', '1'],
        ['x_hit', '1'],
      ],
    },
    without: ['x-hit', 'x_hit', 'x-arr-cache-hit'],
  },
  { name: 'maxForwards', protocol: 'maxForwards="3"', fields: [/^max-forwards: 3$/] },
  {
    name: 'maxForwards that are fewer than the client’s',
    protocol: 'maxForwards="3"',
    ask: { headers: [['max-forwards', '100']] },
    fields: [/^max-forwards: 3$/],
  },
  {
    name: 'maxResponseHeaderSize: a head of just so many bytes',
    protocol: 'maxResponseHeaderSize="1000"',
    answer: headOf(1000),
    told: { status: 200 },
  },
  {
    name: 'maxResponseHeaderSize: a head of one more',
    protocol: 'maxResponseHeaderSize="1000"',
    answer: headOf(1001),
    told: { status: 502 },
    code: '502.3 12152',
  },
  {
    name: 'passServerHeader Replace',
    farm: 'passServerHeader="Replace"',
    answer: withServer,
    told: { headers: ['content-length: 0', 'server: Lychgate', 'x-powered-by: ARR/3.0'] },
  },
  {
    name: 'passServerHeader Remove',
    farm: 'passServerHeader="Remove"',
    answer: withServer,
    told: { headers: ['content-length: 0', 'x-powered-by: ARR/3.0'] },
  },
  {
    name: 'passServerHeader PassThrough',
    farm: 'passServerHeader="PassThrough"',
    answer: withServer,
    told: { headers: ['content-length: 0', 'server: Microsoft-IIS/10.0', 'x-powered-by: ARR/3.0'] },
  },
  {
    name: 'passConnectionCloseHeader: without effect',
    farm: 'passConnectionCloseHeader="true"',
    answer: ok('', 'Connection: close\r\n'),
    told: { status: 200, headers: ['content-length: 0', 'server: Lychgate', 'x-powered-by: ARR/3.0'] },
  },
  {
    name: 'stealthMode: without effect',
    protocol: 'stealthMode="true"',
    fields: [/^x-forwarded-for: /],
    told: { status: 200 },
  },
  {
    name: 'httpVersion Http11',
    protocol: 'httpVersion="Http11"',
    line: /^GET \/ HTTP\/1\.1$/,
    without: ['connection'],
  },
  {
    name: 'httpVersion Http10',
    protocol: 'httpVersion="Http10"',
    line: /^GET \/ HTTP\/1\.0$/,
    fields: [/^connection: Keep-Alive$/, new RegExp(`^host: ${HOST}$`)],
  },
  {
    name: 'httpVersion Http10 without keepAlive',
    protocol: 'httpVersion="Http10" keepAlive="false"',
    line: /^GET \/ HTTP\/1\.0$/,
    without: ['connection'],
  },
  {
    name: 'httpVersion Http10 with a body of known length',
    protocol: 'httpVersion="Http10"',
    ask: { method: 'POST', body: 'hello', length: 5 },
    line: /^POST \/ HTTP\/1\.0$/,
    fields: [/^content-length: 5$/],
    without: ['transfer-encoding'],
    told: { status: 200 },
  },
  {
    name: 'httpVersion Http10 without a body',
    protocol: 'httpVersion="Http10"',
    ask: { method: 'POST' },
    fields: [/^content-length: 0$/],
    told: { status: 200 },
  },
  {
    name: 'httpVersion Http10 with a body of unknown length: 411',
    protocol: 'httpVersion="Http10"',
    ask: { method: 'POST', body: 'hello' },
    told: { status: 411 },
    code: '411.0 0',
  },
  {
    name: 'httpVersion Http10 with a body of unknown length that a GET turns out to have',
    protocol: 'httpVersion="Http10"',
    ask: { body: 'hello' },
    told: { status: 411 },
    code: '411.0 0',
  },
  {
    name: 'httpVersion Http10 and Expect: told by us, since HTTP/1.0 has no 100',
    protocol: 'httpVersion="Http10"',
    ask: { method: 'POST', headers: [['expect', '100-continue']], body: 'hello', length: 5 },
    without: ['expect'],
    told: { status: 200, interim: ['100'] },
  },
  {
    name: 'an answer to HTTP/1.0 that ends with its connection',
    protocol: 'httpVersion="Http10"',
    answer: 'HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nall of it',
    told: { status: 200, body: 'all of it', whole: true },
  },
  {
    name: 'keepAlive off',
    protocol: 'keepAlive="false"',
    fields: [/^connection: close$/],
    told: { status: 200 },
  },
];

const fieldsOf = ({ headers }: Message) => headers.map(([name, value]) => `${name.toLowerCase()}: ${value}`);

async function look(
  protocol: Protocol,
  { ca, server, ...farm }: Pick<RecordedFarm, 'httpsPort' | 'ca' | 'server' | 'proxy'>,
  { ask, line, fields = [], without = [], told = {}, notTold = [], code }: Expected,
): Promise<void> {
  const request = { port: farm.httpsPort, ca, host: HOST, method: 'GET', target: '/', headers: [], ...ask };
  const outcome = await askLane(protocol, request);
  expect(outcome).toMatchObject(told);
  for (const name of notTold) expect(outcome.headers.filter((each) => each.startsWith(`${name}:`))).toEqual([]);
  expect(farm.proxy.logged.map((each) => `${each.code} ${each.win32}`)).toEqual(code === undefined ? [] : [code]);
  const [sent] = server.requests;
  if (line) expect(sent?.startLine).toMatch(line);
  for (const field of fields) {
    const name = /\^([\w-]+): /.exec(field.source)?.[1] ?? '';
    const found = sent ? fieldsOf(sent).filter((each) => each.startsWith(`${name}: `)) : [];
    expect(found).toEqual([expect.stringMatching(field)]);
  }
  const names = sent?.headers.map(([name]) => name.toLowerCase()) ?? [];
  for (const name of without) expect(names).not.toContain(name);
}

/** Some answers end with their connection. */
const answering = (bytes: string | undefined): Pick<RecordedFarmOptions, 'answer'> =>
  bytes === undefined
    ? {}
    : {
        answer(_request, { socket }) {
          if (/^HTTP\/1\.0/.test(bytes)) socket.end(bytes, 'latin1');
          return /^HTTP\/1\.0/.test(bytes) ? undefined : bytes;
        },
      };

describe.each(PROTOCOLS)('a farm, over %s', (protocol) => {
  test.each(TABLE.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const { protocol: attributes = '', farm = '', hostName, answer } = row;
    const options = { protocol: attributes, farm, ...(hostName && { hostName }), ...answering(answer) };
    await look(protocol, await publishRecorded(options), row);
  });

  const twice = async (options: RecordedFarmOptions): Promise<RecordingServer> => {
    const farm = await publishRecorded(options);
    for (const target of ['/1', '/2']) {
      const request = { port: farm.httpsPort, ca: farm.ca, host: HOST, method: 'GET', target, headers: [] };
      expect((await askLane(protocol, request)).status).toBe(200);
    }
    return farm.server;
  };

  test.each<[string, string, string, number]>([
    ['is used again', '', ok('x'), 1],
    [
      'ends behind each answer without keepAlive, whatever the server says',
      'keepAlive="false"',
      ok('x', 'Connection: keep-alive\r\n'),
      2,
    ],
    [
      'of HTTP/1.0 is used again where the server agrees',
      'httpVersion="Http10"',
      ok('x', 'Connection: keep-alive\r\n'),
      1,
    ],
    [
      'of HTTP/1.0 is used again where a server of HTTP/1.0 agrees',
      'httpVersion="Http10"',
      ok('x', 'Connection: Keep-Alive\r\n').replace('1.1', '1.0'),
      1,
    ],
    ['of HTTP/1.0 ends where the server does not say', 'httpVersion="Http10"', ok('x'), 2],
  ])('a connection %s', async (_name, attributes, answer, connections) => {
    const server = await twice({ protocol: attributes, answer: () => answer });
    expect(server.connections).toHaveLength(connections);
    for (const { closed } of server.connections.slice(0, -1)) expect(closed).toBe(true);
  });
});

describe.each([
  ['PassThrough', 'HTTP/1.0'],
  ['Http11', 'HTTP/1.1'],
  ['Http10', 'HTTP/1.0'],
])('httpVersion %s and a client of HTTP/1.0', (httpVersion, version) => {
  test(`the server is asked in ${version}`, async () => {
    const farm = await publishRecorded({
      protocol: `httpVersion="${httpVersion}"`,
      answer: () => ok('x', 'Connection: keep-alive\r\n'),
    });
    for (const more of ['', 'Connection: keep-alive\r\n']) {
      const client = openRaw(farm.httpPort);
      client.socket.write(`GET / HTTP/1.0\r\nHost: ${HOST}\r\nExpect: 100-continue\r\n${more}\r\n`);
      const { messages } = readAnswers(await client.until(/x$/), true);
      expect(messages.map((each) => [each.startLine, each.body])).toEqual([['HTTP/1.1 200 OK', 'x']]);
    }
    expect(farm.server.requests.map(({ startLine }) => startLine)).toEqual([`GET / ${version}`, `GET / ${version}`]);
    expect(farm.server.connections).toHaveLength(1);
  });
});

test('httpVersion Http10: an upgrade is not offered, and the server answers as usual', async () => {
  const farm = await publishRecorded({ protocol: 'httpVersion="Http10"' });
  const client = openRaw(farm.httpPort);
  client.socket.write(`GET /ws HTTP/1.1\r\nHost: ${HOST}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
  await client.until(/200 OK[\s\S]*\/ws$/);
  expect(farm.server.requests[0]?.head).not.toMatch(/upgrade/i);
});

// ---- direct proxying ---------------------------------------------------------------------------------------------------

interface DirectRow extends Expected {
  readonly name: string;
  /** Attributes of `system.webServer/proxy`. */
  readonly proxy: string;
}

const DIRECT: readonly DirectRow[] = [
  {
    name: 'its defaults: the Host of the server, and Location with that of the client',
    proxy: '',
    answer: moved,
    line: /^GET \/ HTTP\/1\.1$/,
    fields: [/^host: fe01\.contoso\.local:\d+$/, /^x-forwarded-for: 127\.0\.0\.1:\d+$/, /^max-forwards: 10$/],
    told: {
      status: 302,
      headers: [
        'content-length: 0',
        `location: https://${HOST}/x?y`,
        'server: Lychgate',
        `set-cookie: a=b; Domain=${HOST}`,
        'x-powered-by: ARR/3.0',
      ],
    },
  },
  { name: 'preserveHostHeader on', proxy: 'preserveHostHeader="true"', fields: [new RegExp(`^host: ${HOST}$`)] },
  {
    name: 'reverseRewriteHostInResponseHeaders off',
    proxy: 'reverseRewriteHostInResponseHeaders="false"',
    answer: moved,
    told: { headers: expect.arrayContaining(['location: https://inner.local/x?y']) },
  },
  { name: 'timeout', proxy: 'timeout="00:00:01"', answer: '', told: { status: 502 }, code: '502.3 12002' },
  {
    name: 'passServerHeader and arrResponseHeader',
    proxy: 'passServerHeader="PassThrough" arrResponseHeader="false"',
    answer: withServer,
    told: { headers: ['content-length: 0', 'server: Microsoft-IIS/10.0'] },
  },
  {
    name: 'names of headers, and maxForwards',
    proxy:
      'xForwardedForHeaderName="X-Client" includePortInXForwardedFor="false" xForwardedByHeader="p" xForwardedByHeaderName="X-By" sslHeaderName="" logGuidName="" maxForwards="2"',
    fields: [/^x-client: 127\.0\.0\.1$/, /^x-by: p$/, /^max-forwards: 2$/],
    without: ['x-forwarded-for', 'x-arr-ssl', 'x-arr-log-id', ''],
  },
  {
    name: 'httpVersion',
    proxy: 'httpVersion="Http10"',
    line: /^GET \/ HTTP\/1\.0$/,
    fields: [/^connection: Keep-Alive$/],
  },
  { name: 'keepAlive off', proxy: 'keepAlive="false"', fields: [/^connection: close$/] },
  {
    name: 'maxResponseHeaderSize',
    proxy: 'maxResponseHeaderSize="1000"',
    answer: headOf(1001),
    told: { status: 502 },
    code: '502.3 12152',
  },
  {
    name: 'minResponseBuffer',
    proxy: 'minResponseBuffer="1"',
    answer: 'HTTP/1.0 200 OK\r\nContent-Length: 100\r\n\r\nnot all of it',
    told: { status: 502 },
    code: '502.3 12030',
  },
];

async function publishDirect(attributes: string, answer: string | undefined) {
  const server = await startRecordingServer(answering(answer));
  const httpsPort = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${httpsPort}:${HOST}`],
      rules: `<rule name="direct" stopProcessing="true"><match url="(.*)" /><action type="Rewrite" url="https://${SERVER}:${server.httpsPort}/{R:1}" /></rule>`,
      more: `<proxy enabled="true" ${attributes} />`,
    }),
    certificates: { all: [HOST] },
    settings: { hosts: { [SERVER]: '127.0.0.1' } },
  });
  return { proxy, server, httpsPort, ca: authority.certPem };
}

describe.each(PROTOCOLS)('direct proxying, over %s', (protocol) => {
  test.each(DIRECT.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    await look(protocol, await publishDirect(row.proxy, row.answer), row);
  });
});

test('the time-outs that nobody has written: 30 s for a farm, 120 s for direct proxying', async () => {
  const farm = await publishRecorded({ protocol: '' });
  const direct = await publishDirect('', undefined);
  expect(farm.proxy.config.webFarms[0]?.protocol.timeout).toBe(30);
  expect(direct.proxy.config.proxy.timeout).toBe(120);
});

test.each(PROTOCOLS)('a farm that is switched off has no server to give: 502.4, over %s', async (protocol) => {
  const port = await freePort();
  const farm = webFarm('fe', { servers: [{ address: SERVER }] }).replace('enabled="true"', 'enabled="false"');
  await startProxy({
    iis: applicationHost({ bindings: [`https *:${port}:${HOST}`], farms: farm, rules: farmRules('fe', HOST) }),
    certificates: { all: [HOST] },
  });
  const request = { port, ca: authority.certPem, host: HOST, method: 'GET', target: '/', headers: [] };
  expect(await askLane(protocol, request)).toMatchObject({ status: 502, body: expect.stringContaining('502.4') });
});
