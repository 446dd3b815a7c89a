/** What a client and a server see of an exchange: one table for both lanes, and one of what their protocols make different. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Protocol } from './clients.ts';
import { askLane, type LaneRequest, type Outcome } from './lane-client.ts';
import { type Message, targetOf } from './messages.ts';
import { HOST, publishRecorded, type RecordedFarm } from './recorded-farm.ts';
import { echoTarget, ok, type RecordedConnection } from './recording-server.ts';

const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

type Ask = Partial<Omit<LaneRequest, 'port' | 'ca' | 'host'>>;

interface Row {
  readonly name: string;
  readonly ask: Ask;
  /** What the server sends to the whole request; absent: 200 with the target. */
  readonly answer?: string;
  /** What it sends as soon as the head is there. */
  readonly early?: string;
  /** What it does to its connection behind that. */
  readonly behind?: 'end' | 'reset';
  readonly bodyBytes?: number;
  /** Time limits of a second, for what ends by them. */
  readonly impatient?: true;
  /** Nothing else about the outcome is compared with it, all of it between the lanes. */
  readonly told: Partial<Outcome> & { readonly status: number };
  /** `502.3` and so on in the service log, with the Win32 code. */
  readonly code?: string;
  /** Requests that the server got, as `METHOD target body`. */
  readonly arrives?: readonly string[];
  /** Fields that the server got in the last one. */
  readonly fields?: readonly string[];
  /** Names of fields that it did not get. */
  readonly without?: readonly string[];
}

const answer = (status: string, fields: string, body = '') => `HTTP/1.1 ${status}\r\n${fields}\r\n${body}`;
const RULES = `
  <rule name="moved" stopProcessing="true"><match url="^moved" /><action type="Redirect" url="/elsewhere" redirectType="Permanent" appendQueryString="false" /></rule>
  <rule name="teapot" stopProcessing="true"><match url="^own$" /><action type="CustomResponse" statusCode="418" statusReason="Teapot" statusDescription="short and stout" /></rule>
  <rule name="cut" stopProcessing="true"><match url="^abort" /><action type="AbortRequest" /></rule>`;
/** The fields of an answer, with those that ARR adds. */
const withArr = (...fields: string[]) => [...fields, 'server: Lychgate', 'x-powered-by: ARR/3.0'].sort();

const methods = ['GET', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS', 'PROPFIND', 'LOCK', 'REPORT', 'RPC_IN_DATA'];
const statuses = [
  '200 OK',
  '201 Created',
  '206 Partial',
  '302 Found',
  '400 Bad',
  '401 Who',
  '404 No',
  '500 Oh',
  '503 Busy',
  '599 X',
];

const TABLE: readonly Row[] = [
  ...methods.map(
    (method): Row => ({
      name: `${method} without a body`,
      ask: { method },
      told: { status: 200, body: '/' },
      arrives: [`${method} / `],
    }),
  ),
  ...statuses.map(
    (status): Row => ({
      name: `status ${status}`,
      ask: {},
      answer: answer(status, 'Content-Length: 4\r\n', 'body'),
      told: {
        status: Number(status.slice(0, 3)),
        body: 'body',
        headers: withArr('content-length: 4'),
        interim: [],
        trailers: [],
      },
      arrives: ['GET / '],
    }),
  ),

  // ---- framing ----
  {
    name: 'an answer in chunks',
    ask: {},
    answer: answer('200 OK', CHUNKED, '3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n'),
    told: { status: 200, body: 'abcde', headers: withArr() },
  },
  {
    name: 'an answer up to the end of the connection',
    ask: {},
    answer: answer('200 OK', '', 'abc'),
    behind: 'end',
    told: { status: 200, body: 'abc', headers: withArr() },
  },
  {
    name: 'an answer of HTTP/1.0',
    ask: {},
    answer: 'HTTP/1.0 200 OK\r\n\r\nabc',
    behind: 'end',
    told: { status: 200, body: 'abc' },
  },
  {
    name: 'an empty answer',
    ask: {},
    answer: answer('200 OK', 'Content-Length: 0\r\n'),
    told: { status: 200, body: '', headers: withArr('content-length: 0') },
  },
  {
    name: 'an empty answer in chunks',
    ask: {},
    answer: answer('200 OK', CHUNKED, '0\r\n\r\n'),
    told: { status: 200, body: '', headers: withArr() },
  },
  { name: '204', ask: {}, answer: answer('204 No Content', ''), told: { status: 204, body: '', headers: withArr() } },
  {
    name: '304 with the length of what it stands for',
    ask: {},
    answer: answer('304 Not Modified', 'ETag: "a"\r\nContent-Length: 999\r\n'),
    told: { status: 304, body: '', headers: withArr('etag: "a"') },
  },
  {
    name: '304 in chunks that are none',
    ask: {},
    answer: answer('304 Not Modified', 'ETag: "a"\r\nTransfer-Encoding: chunked\r\n'),
    told: { status: 304, body: '', headers: withArr('etag: "a"') },
  },
  {
    name: '204 with a length',
    ask: {},
    answer: answer('204 No Content', 'Content-Length: 5\r\n'),
    told: { status: 204, body: '', headers: withArr() },
  },
  {
    name: 'blanks before a colon of the server',
    ask: {},
    answer: answer('200 OK', 'ETag \t: "a"\r\nContent-Length : 2\r\n', 'ok'),
    told: { status: 200, body: 'ok', headers: withArr('content-length: 2', 'etag: "a"') },
  },
  {
    name: 'blanks behind the chunk sizes of the server',
    ask: {},
    answer: answer('200 OK', CHUNKED, '2  \r\nok\r\n1 \t;a=b\r\n!\r\n0   \r\n\r\n'),
    told: { status: 200, body: 'ok!' },
  },
  { name: '205', ask: {}, answer: answer('205 Reset', 'Content-Length: 0\r\n'), told: { status: 205, body: '' } },
  {
    name: '205 with a body',
    ask: {},
    answer: answer('205 Reset', 'Content-Length: 5\r\n', 'hello'),
    told: { status: 205, body: '', headers: withArr('content-length: 0') },
  },
  {
    name: '205 with a body in chunks',
    ask: {},
    answer: answer('205 Reset', CHUNKED, '5\r\nhello\r\n0\r\n\r\n'),
    told: { status: 205, body: '', headers: withArr('content-length: 0') },
  },
  {
    name: 'fields twice that may stand once',
    ask: {},
    answer: answer(
      '302 Found',
      'Content-Length: 0\r\nETag: "a"\r\nETag: "b"\r\nLocation: /a\r\nLocation: /b\r\nContent-Type: a/b\r\nContent-Type: c/d\r\n',
    ),
    told: {
      status: 302,
      body: '',
      headers: withArr(
        'content-length: 0',
        'etag: "a"',
        'etag: "b"',
        'location: /a',
        'location: /b',
        'content-type: a/b',
        'content-type: c/d',
      ),
    },
  },
  {
    name: 'HEAD with a length',
    ask: { method: 'HEAD' },
    answer: answer('200 OK', 'Content-Length: 999\r\n'),
    told: { status: 200, body: '', headers: withArr('content-length: 999') },
    arrives: ['HEAD / '],
  },
  {
    name: 'HEAD without one',
    ask: { method: 'HEAD' },
    answer: answer('200 OK', CHUNKED),
    told: { status: 200, body: '', headers: withArr() },
  },
  {
    name: 'a body with a length',
    ask: { method: 'POST', body: 'hello', length: 5 },
    told: { status: 200 },
    arrives: ['POST / hello'],
    fields: ['content-length: 5'],
    without: ['transfer-encoding'],
  },
  {
    name: 'a body without one',
    ask: { method: 'POST', body: 'hello' },
    told: { status: 200 },
    arrives: ['POST / hello'],
    fields: ['transfer-encoding: chunked'],
    without: ['content-length'],
  },
  {
    name: 'an empty body without a length',
    ask: { method: 'POST', body: '' },
    told: { status: 200 },
    arrives: ['POST / '],
  },
  {
    name: 'GET with a body',
    ask: { body: 'hello', length: 5 },
    told: { status: 200 },
    arrives: ['GET / hello'],
    fields: ['content-length: 5'],
  },
  { name: 'POST without a body', ask: { method: 'POST' }, told: { status: 200 }, fields: ['content-length: 0'] },
  {
    name: 'a trailer of the server',
    ask: {},
    answer: answer('200 OK', CHUNKED, '1\r\na\r\n0\r\nGrpc-Status: 0\r\nContent-Length: 5\r\n\r\n'),
    told: { status: 200, body: 'a', trailers: ['grpc-status: 0'] },
  },
  {
    name: 'a trailer of the client',
    ask: {
      method: 'POST',
      body: 'a',
      trailers: [
        ['x-sum', '1'],
        ['authorization', 'x'],
      ],
    },
    told: { status: 200 },
    arrives: ['POST / a x-sum: 1'],
  },

  // ---- headers ----
  {
    name: 'Set-Cookie three times',
    ask: {},
    answer: ok('', 'Set-Cookie: a=1; Domain=.example\r\nSet-Cookie: b=2\r\nSet-Cookie: a=3\r\n'),
    told: {
      status: 200,
      headers: withArr('content-length: 0', 'set-cookie: a=1; Domain=.example', 'set-cookie: a=3', 'set-cookie: b=2'),
    },
  },
  {
    name: 'a Location of the server',
    ask: {},
    answer: answer('302 Found', 'Location: https://fe01.contoso.local:4443/x\r\nContent-Length: 0\r\n'),
    told: { status: 302, headers: withArr('content-length: 0', 'location: https://fe01.contoso.local:4443/x') },
  },
  {
    name: 'fields of the connection to the server',
    ask: {},
    answer: ok(
      '',
      'Connection: keep-alive, x-mine\r\nKeep-Alive: timeout=5\r\nProxy-Connection: x\r\nX-Mine: 1\r\nX-Other: 2\r\nUpgrade: h2c\r\n',
    ),
    told: { status: 200, headers: withArr('content-length: 0', 'x-other: 2') },
  },
  {
    name: 'fields of the client',
    ask: {
      headers: [
        ['accept', '*/*'],
        ['x-a', '1'],
        ['x-a', '2'],
        ['cookie', 'a=1; b=2'],
        ['user-agent', 'u'],
      ],
    },
    told: { status: 200 },
    fields: [
      'accept: */*',
      'x-a: 1',
      'x-a: 2',
      'cookie: a=1; b=2',
      'user-agent: u',
      `host: ${HOST}`,
      'max-forwards: 10',
    ],
  },
  {
    name: 'forwarded fields',
    ask: {
      target: '/a?b',
      headers: [
        ['x-forwarded-for', '10.0.0.1'],
        ['x-forwarded-proto', 'ftp'],
        ['x-forwarded-host', 'evil'],
        ['forwarded', 'for=evil'],
        ['x-real-ip', '10.0.0.2'],
        ['x-original-url', '/evil'],
        ['x-rewrite-url', '/evil'],
        ['x-host', 'evil'],
        ['x-forwarded-ssl', 'on'],
        ['x-forwarded-scheme', 'ftp'],
        ['proxy', 'http://evil/'],
        ['x-http-method-override', 'DELETE'],
        ['x-arr-ssl', 'evil'],
        ['x_forwarded_for', 'evil'],
      ],
    },
    told: { status: 200 },
    fields: ['x-original-url: /a?b', 'x-forwarded-for: 10.0.0.1, 127.0.0.1:PORT', 'x-http-method-override: DELETE'],
    without: [
      'x-forwarded-proto',
      'x-forwarded-host',
      'x-forwarded-ssl',
      'x-forwarded-scheme',
      'forwarded',
      'x-real-ip',
      'x-rewrite-url',
      'x-host',
      'proxy',
      'x_forwarded_for',
    ],
  },
  {
    name: 'Max-Forwards',
    ask: { headers: [['max-forwards', '3']] },
    told: { status: 200 },
    fields: ['max-forwards: 2'],
  },
  {
    name: 'Max-Forwards that is used up',
    ask: { headers: [['max-forwards', '0']] },
    told: { status: 400 },
    code: '400.605 0',
    arrives: [],
  },

  {
    name: 'OPTIONS for the server itself',
    ask: { method: 'OPTIONS', target: '*' },
    told: {
      status: 200,
      body: '',
      headers: ['allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS', 'content-length: 0', 'server: Lychgate'],
    },
    arrives: [],
  },
  {
    name: 'OPTIONS that may not go further',
    ask: { method: 'OPTIONS', target: '/a', headers: [['max-forwards', '0']] },
    told: { status: 200 },
    arrives: [],
  },
  {
    name: 'OPTIONS of something',
    ask: { method: 'OPTIONS', target: '/*' },
    told: { status: 200 },
    fields: ['max-forwards: 10'],
  },

  // ---- answers of our own ----
  {
    name: 'a redirect of a rule',
    ask: { target: '/moved?a' },
    told: {
      status: 301,
      headers: ['content-length: 0', `location: https://${HOST}/elsewhere`, 'server: Lychgate'].toSorted(),
    },
    arrives: [],
  },
  { name: 'an answer of a rule', ask: { target: '/own' }, told: { status: 418, body: 'short and stout' }, arrives: [] },
  {
    name: 'an answer of a rule to HEAD',
    ask: { target: '/own', method: 'HEAD' },
    told: { status: 418, body: '' },
    arrives: [],
  },
  {
    name: 'a refusal of HEAD',
    ask: { target: `/${'x'.repeat(17_000)}`, method: 'HEAD' },
    told: { status: 414, body: '' },
    arrives: [],
  },
  { name: 'a rule that cuts', ask: { target: '/abort' }, told: { status: 0, whole: false }, arrives: [] },
  { name: 'a path that is malformed', ask: { target: '/%zz' }, told: { status: 400 }, arrives: [] },
  { name: 'a path that leaves the root', ask: { target: '/../x' }, told: { status: 400 }, arrives: [] },
  { name: 'a Host without a binding', ask: { authority: 'other.example' }, told: { status: 400 }, arrives: [] },
  { name: 'TRACE', ask: { method: 'TRACE' }, told: { status: 501 }, arrives: [] },
  { name: 'a method in small letters', ask: { method: 'purge' }, told: { status: 501 }, arrives: [] },
  { name: 'a method of 33 characters', ask: { method: 'A'.repeat(33) }, told: { status: 501 }, arrives: [] },
  { name: 'a target that is too long', ask: { target: `/${'x'.repeat(17_000)}` }, told: { status: 414 }, arrives: [] },
  {
    name: 'too many fields',
    ask: { headers: Array.from({ length: 204 }, (_, i) => [`x-${i}`, 'y'] as const) },
    told: { status: 431 },
    arrives: [],
  },
  {
    name: 'a body whose length is beyond limits.bodyBytes',
    ask: { method: 'POST', body: 'x'.repeat(2000), length: 2000 },
    bodyBytes: 1000,
    told: { status: 413 },
    code: '413.0 0',
    arrives: [],
  },
  {
    name: 'a body that grows beyond limits.bodyBytes',
    ask: { method: 'POST', body: 'x'.repeat(2000) },
    bodyBytes: 1000,
    told: { status: 413 },
    code: '413.0 0',
    arrives: [],
  },
  {
    name: 'a body that stops',
    impatient: true,
    ask: { method: 'POST', body: 'x', length: 10, unfinished: true },
    told: { status: 408 },
    code: '408.0 121',
    arrives: [],
  },

  // ---- interim and early answers ----
  {
    name: '102 and 103 of the server',
    ask: {},
    answer: `HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: close\r\nContent-Length: 5\r\n\r\n${ok('x')}`,
    told: { status: 200, body: 'x', interim: ['102', '103 link: </a>'] },
  },
  {
    name: 'Expect, and the server says 100',
    ask: { method: 'POST', headers: [['expect', '100-continue']], body: 'hello', length: 5 },
    early: 'HTTP/1.1 100 Continue\r\n\r\n',
    told: { status: 200, interim: ['100'] },
    arrives: ['POST / hello'],
    fields: ['expect: 100-continue'],
  },
  {
    name: 'Expect, and the server says nothing of it',
    ask: { method: 'POST', headers: [['expect', '100-continue']], body: 'hello', length: 5 },
    told: { status: 200, interim: [] },
    arrives: ['POST / hello'],
  },
  ...[417, 413, 401].map(
    (status): Row => ({
      name: `Expect, and the server says ${status}`,
      ask: { method: 'POST', headers: [['expect', '100-continue']], body: '', length: 5, unfinished: true },
      early: answer(`${status} No`, 'Content-Length: 2\r\n', 'no'),
      told: { status, body: 'no', interim: [] },
      arrives: [],
    }),
  ),
  {
    name: 'an answer to a body that goes on, and an end behind it',
    ask: { method: 'POST', body: 'some', length: 2 ** 30, unfinished: true },
    early: answer('401 Who', 'Content-Length: 2\r\nConnection: close\r\n', 'no'),
    told: { status: 401, body: 'no', whole: true },
    arrives: [],
  },
  {
    name: 'an answer to a body in chunks that goes on, and an end behind it',
    ask: { method: 'POST', body: 'some', unfinished: true },
    early: answer('200 OK', `${CHUNKED}Connection: close\r\n`, '2\r\nno\r\n0\r\n\r\n'),
    told: { status: 200, body: 'no', whole: true },
    arrives: [],
  },

  // ---- failures ----
  {
    name: 'a server that resets',
    ask: { method: 'POST' },
    answer: '',
    behind: 'reset',
    told: { status: 502 },
    code: '502.3 12030',
  },
  {
    name: 'a server that ends',
    ask: { method: 'POST' },
    answer: '',
    behind: 'end',
    told: { status: 502 },
    code: '502.3 12030',
  },
  { name: 'a server that is silent', impatient: true, ask: {}, answer: '', told: { status: 502 }, code: '502.3 12002' },
  { name: 'a server that sends no HTTP', ask: {}, answer: 'hello\r\n\r\n', told: { status: 502 }, code: '502.3 12152' },
  {
    name: 'a server that breaks off',
    ask: {},
    answer: answer('200 OK', 'Content-Length: 9\r\n', 'part'),
    behind: 'end',
    told: { status: 200, body: 'part', whole: false },
    code: '502.3 12030',
  },
  {
    name: 'a server that breaks off between chunks',
    ask: {},
    answer: answer('200 OK', CHUNKED, '4\r\npart\r\n'),
    behind: 'reset',
    told: { status: 200, whole: false },
    code: '502.3 12030',
  },
  {
    name: 'a server that falls silent in its body',
    impatient: true,
    ask: {},
    answer: answer('200 OK', 'Content-Length: 9\r\n', 'part'),
    told: { status: 200, body: 'part', whole: false },
    code: '502.3 12002',
  },
];

function publish(row: Pick<Row, 'answer' | 'early' | 'behind' | 'bodyBytes' | 'impatient'>): Promise<RecordedFarm> {
  const after = (bytes: string, { socket }: RecordedConnection) => {
    socket.write(bytes, 'latin1', () =>
      row.behind === 'reset' ? socket.destroy() : row.behind === 'end' && socket.end(),
    );
    return undefined;
  };
  return publishRecorded({
    rules: RULES,
    settings: {
      timeouts: { body: row.impatient ? 1 : 60 },
      ...(row.bodyBytes === undefined ? {} : { limits: { bodyBytes: row.bodyBytes } }),
    },
    protocol: `timeout="00:00:${row.impatient ? '01' : '30'}"`,
    early: () => row.early,
    answer(each, connection) {
      if (row.answer !== undefined) return after(row.answer, connection);
      return row.early !== undefined && !/^HTTP\/1\.1 1/.test(row.early) ? undefined : echoTarget(each);
    },
  });
}

async function run(protocol: Protocol, farm: RecordedFarm, ask: Ask): Promise<Outcome> {
  const { httpsPort: port, ca } = farm;
  return await askLane(protocol, { port, ca, host: HOST, method: 'GET', target: '/', headers: [], ...ask });
}

const fieldsOf = ({ headers }: Message) =>
  headers.map(([name, value]) => `${name.toLowerCase()}: ${value.replace(/(127\.0\.0\.1):\d+$/, '$1:PORT')}`);

function asSent(each: Message): string {
  const [method] = each.startLine.split(' ');
  const trailers = each.trailers.length > 0 ? ` ${each.trailers.join(' ').toLowerCase()}` : '';
  return `${method} ${targetOf(each)} ${each.body}${trailers}`;
}

/** Without what is another one for each request, or for each place. */
function comparable({ headers, body, ...rest }: Outcome) {
  return {
    ...rest,
    headers: headers.filter((each) => !each.startsWith('content-length')),
    body: body.replace(/[\da-f-]{36}/, 'ID'),
  };
}

describe('both lanes do the same', () => {
  test.each(TABLE.map((row) => [row.name, row] as const))('%s', async (_name, row) => {
    const outcomes: Outcome[] = [];
    const arrived: string[][] = [];
    for (const protocol of PROTOCOLS) {
      const farm = await publish(row);
      const outcome = await run(protocol, farm, row.ask);
      outcomes.push(outcome);
      expect(outcome, protocol).toMatchObject(row.told);
      const { requests } = farm.server;
      if (row.arrives) expect(requests.map(asSent), protocol).toEqual(row.arrives);
      const last = requests.at(-1);
      if (row.fields && last) expect(fieldsOf(last), protocol).toEqual(expect.arrayContaining([...row.fields]));
      const names = last?.headers.map(([name]) => name.toLowerCase());
      for (const name of row.without ?? []) expect(names, protocol).not.toContain(name);
      if (row.code)
        expect(
          farm.proxy.logged.map(({ code, win32 }) => `${code} ${win32}`),
          protocol,
        ).toEqual([row.code]);
      arrived.push(
        requests.map((each) =>
          [
            asSent(each),
            ...fieldsOf(each)
              .filter((field) => !/^x-arr-/.test(field))
              .sort(),
          ].join('\n'),
        ),
      );
    }
    const [first, second] = outcomes.map(comparable);
    expect(second).toEqual(first);
    expect(arrived[1]).toEqual(arrived[0]);
  });

  test.each(PROTOCOLS)(
    '%s: a request on a kept connection that has gone is sent once more where that does no harm',
    async (protocol) => {
      let lost = 0;
      const farm = await publishRecorded({
        answer(each, { socket }) {
          if (targetOf(each) !== '/again' || lost > 0) return echoTarget(each);
          lost++;
          socket.destroy();
          return undefined;
        },
      });
      expect(await run(protocol, farm, {})).toMatchObject({ status: 200 });
      expect(await run(protocol, farm, { target: '/again' })).toMatchObject({ status: 200, body: '/again' });
      expect(farm.server.requests.map(targetOf)).toEqual(['/', '/again', '/again']);
      lost = 0;
      expect(await run(protocol, farm, { method: 'POST', target: '/again', body: 'x', length: 1 })).toMatchObject({
        status: 502,
      });
    },
  );
});

/** What the protocols ask for. The same list, with the reasons, stands in docs/compatibility.md. */
const DIFFERENCES: Readonly<Record<string, () => Promise<void>>> = {
  async 'letter case of header names'() {
    const row = { answer: ok('', 'X-MixedCase: 1\r\n') };
    const headers = [['X-FromClient', '1']] as const;
    const farms = [await publish(row), await publish(row)] as const;
    const client = farms[0].open('TLS');
    client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX-FromClient: 1\r\n\r\n`);
    expect(await client.until(/\r\n\r\n/)).toMatch(/\r\nX-MixedCase: 1\r\n/);
    expect(farms[0].server.requests[0]?.head).toMatch(/\r\nX-FromClient: 1\r\n/);
    await run('HTTP/2', farms[1], { headers });
    expect(farms[1].server.requests[0]?.head).toMatch(/\r\nx-fromclient: 1\r\n/);
  },
  async 'reason phrase'() {
    const farm = await publish({ answer: answer('200 Fine', 'Content-Length: 0\r\n') });
    const client = farm.open('TLS');
    client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`);
    expect(await client.until(/\r\n\r\n/)).toMatch(/^HTTP\/1\.1 200 Fine\r\n/);
  },
  async upgrades() {
    const row = { answer: answer('101 Switching Protocols', 'Connection: Upgrade\r\nUpgrade: x\r\n') };
    const headers = [
      ['connection', 'Upgrade'],
      ['upgrade', 'x'],
    ] as const;
    expect(await run('HTTP/1.1', await publish(row), { headers })).toMatchObject({ status: 101 });
    expect(await run('HTTP/2', await publish(row), {})).toMatchObject({ status: 502 });
  },
  async 'Windows logins'() {
    const row = { answer: answer('401 Who', 'WWW-Authenticate: NTLM\r\nContent-Length: 0\r\n') };
    expect(await run('HTTP/1.1', await publish(row), {})).toMatchObject({ status: 401, whole: true });
    expect(await run('HTTP/2', await publish(row), {})).toMatchObject({ status: 0, whole: false });
  },
  async cookies() {
    const headers = [
      ['cookie', 'a=1'],
      ['cookie', 'b=2'],
    ] as const;
    const cookies = ({ server }: RecordedFarm) =>
      server.requests.flatMap(fieldsOf).filter((each) => each.startsWith('cookie'));
    const farms = [await publish({}), await publish({})] as const;
    await run('HTTP/1.1', farms[0], { headers });
    await run('HTTP/2', farms[1], { headers });
    expect(farms.map(cookies)).toEqual([['cookie: a=1', 'cookie: b=2'], ['cookie: a=1; b=2']]);
  },
  async 'what is no request'() {
    const farm = await publish({});
    const client = farm.open('TLS');
    client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nX : y\r\n\r\n`);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 /);
    const { openRawHttp2, FRAME } = await import('./raw-http2.ts');
    const http2 = await openRawHttp2(farm.httpsPort, { host: HOST, ca: farm.ca });
    http2.headers(1, [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', HOST],
      [':path', '/'],
      [':path', '/'],
    ]);
    await http2.frame(1, FRAME.reset);
    expect(farm.server.requests).toEqual([]);
  },
  async 'the end of the connection'() {
    const row = { early: answer('401 Who', 'Content-Length: 0\r\nConnection: close\r\n') };
    const farm = await publish(row);
    const client = farm.open('TLS');
    client.socket.write(`POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 9999999\r\n\r\nx`);
    expect(await client.closed()).toMatch(/\r\nConnection: close\r\n/);
    expect(
      (await run('HTTP/2', await publish(row), { method: 'POST', body: 'x', length: 9_999_999, unfinished: true }))
        .whole,
    ).toBe(true);
  },
};

test.each(Object.entries(DIFFERENCES))('a difference that the protocols ask for: %s', async (_name, check) => {
  await check();
});

test('the page has the same list of differences', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8');
  const section = page.split('\n### Differences between the lanes\n')[1]?.split('\n## ')[0]?.split('\n### ')[0] ?? '';
  const rows = [...section.matchAll(/^\| ([^|]+?) +\|/gm)].map(([, name = '']) => name).slice(2);
  expect(rows).toEqual(Object.keys(DIFFERENCES));
});
