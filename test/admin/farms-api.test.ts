/** The shape of the API: paths, names in them, methods, bodies, and what is said where something is wrong. */
import { expect, test } from 'vitest';
import { json, kindOf, reportedFarm, reportedServer, startListener } from './listener.ts';

const STRANGE = 'Büro 100%.#1 & co';
const LONG = `${'a'.repeat(60)}.${'b'.repeat(60)}.${'c'.repeat(60)}.${'d'.repeat(60)}.contoso.local`;
const farms = [
  reportedFarm('Lync', [
    reportedServer('pool01.contoso.local', { state: 'Draining' }),
    reportedServer('2001:db8::5'),
    reportedServer('10.0.0.20', { enabled: false }),
    reportedServer('fe80::1%eth0', { weight: 1 }),
  ]),
  reportedFarm(STRANGE, [reportedServer(LONG)]),
];

const serverPath = (farm: string, server: string, last = '') =>
  `/api/v1/farms/${encodeURIComponent(farm)}/servers/${encodeURIComponent(server)}${last}`;
const post = (body: string, headers: Record<string, string> = json) => ({ method: 'POST', headers, body });

test('farms, one farm, one server', async () => {
  const { ask } = await startListener({ farms, control: { notices: () => ['Something to know.'] } });
  expect((await ask('/api/v1/farms')).body).toEqual({ farms, notices: ['Something to know.'] });
  expect((await ask('/api/v1/farms/lync')).body).toEqual(farms[0]);
  expect((await ask(serverPath('LYNC', 'Pool01.Contoso.Local'))).body).toEqual({
    farm: 'Lync',
    ...farms[0]!.servers[0],
  });
  expect((await ask('/api/v1/farms?x=1')).status).toBe(200);
  const head = await ask('/api/v1/farms', { method: 'HEAD' });
  expect([head.status, head.body]).toEqual([200, {}]);
});

test('names with dots, colons, spaces, percent signs, umlauts and 250 characters', async () => {
  const { ask, acted } = await startListener({ farms });
  for (const [farm, server] of [
    ['Lync', '2001:db8::5'],
    ['Lync', 'fe80::1%eth0'],
    [STRANGE, LONG],
  ] as const) {
    expect((await ask(serverPath(farm, server))).body).toMatchObject({ farm, address: server });
    expect((await ask(serverPath(farm, server, '/state'), post('{"state":"Start"}'))).status).toBe(200);
  }
  // Colons need no encoding.
  expect((await ask('/api/v1/farms/Lync/servers/2001:DB8::5')).body).toMatchObject({ address: '2001:db8::5' });
  expect(acted).toEqual([
    'Start Lync 2001:db8::5 127.0.0.1',
    'Start Lync fe80::1%eth0 127.0.0.1',
    `Start ${STRANGE} ${LONG} 127.0.0.1`,
  ]);
});

test('SetState with its four states, SetHealthy, SetUnhealthy, TestHealth', async () => {
  const { ask, acted } = await startListener({ farms });
  const server = 'pool01.contoso.local';
  for (const state of ['Start', 'Drain', 'GracefulStop', 'ForcefulStop']) {
    const { status, body } = await ask(serverPath('lync', server, '/state'), post(JSON.stringify({ state })));
    expect([status, body]).toEqual([
      200,
      { farm: 'Lync', action: state, everywhere: true, kept: null, server: farms[0]!.servers[0] },
    ]);
  }
  for (const health of ['SetHealthy', 'SetUnhealthy']) {
    const { body } = await ask(serverPath('lync', server, '/health'), post(JSON.stringify({ health })));
    expect(body).toMatchObject({ farm: 'Lync', action: health });
  }
  const tested = await ask(serverPath('lync', server, '/test'), post('{}'));
  expect(tested.body).toEqual({ farm: 'Lync', result: 'StatusCodeFailure', server: farms[0]!.servers[0] });
  expect(acted.map((line) => line.split(' ')[0])).toEqual([
    'Start',
    'Drain',
    'GracefulStop',
    'ForcefulStop',
    'SetHealthy',
    'SetUnhealthy',
    'TestHealth',
  ]);
});

test('what cannot be is told in words, with the names that there are', async () => {
  const { ask } = await startListener({ farms });
  const names = { farms: ['Lync', STRANGE], servers: farms[0]!.servers.map(({ address }) => address) };
  for (const [path, more, status, body] of [
    ['/api/v1/farms/lynk', {}, 404, { detail: 'There is no web farm "lynk".', known: names.farms }],
    [serverPath('lynk', 'x'), {}, 404, { known: names.farms }],
    [serverPath('lync', 'x'), {}, 404, { detail: 'The web farm "lync" has no server "x".', known: names.servers }],
    [serverPath('lynk', 'x', '/state'), post('{"state":"Drain"}'), 404, { known: names.farms }],
    [serverPath('lync', 'x', '/state'), post('{"state":"Drain"}'), 404, { known: names.servers }],
    [serverPath('lync', 'x', '/test'), post('{}'), 404, { known: names.servers }],
    [
      serverPath('lync', '10.0.0.20', '/state'),
      post('{"state":"Start"}'),
      409,
      { title: 'The server is switched off' },
    ],
    [serverPath('lync', 'fe80::1%eth0', '/test'), post('{}'), 409, { title: 'There is no test' }],
    ['/api/v1/farms/', {}, 404, { detail: 'There is no web farm "".' }],
    ['/api/v1', {}, 404, { title: 'There is nothing at this path' }],
    ['/api/v1/farms/%ff', {}, 400, {}],
    ['/api/v1/farms/%00', {}, 404, {}],
    [`/api/v1/farms/${'x'.repeat(1001)}`, {}, 404, {}],
  ] as const) {
    const answer = await ask(path, more);
    expect([path, answer.status, answer.body]).toEqual([path, status, expect.objectContaining({ status, ...body })]);
    expect(kindOf(answer)).not.toBe('');
  }
});

test('one method for a path, which no field of the request overrides', async () => {
  const { ask, acted } = await startListener({ farms });
  const state = serverPath('lync', 'pool01.contoso.local', '/state');
  const allow = async (path: string, method: string, headers = {}) => {
    const answer = await ask(path, { method, headers });
    return [answer.status, answer.headers.allow];
  };
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'])
    expect(await allow('/api/v1/farms', method)).toEqual([405, 'GET, HEAD']);
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS']) expect(await allow(state, method)).toEqual([405, 'POST']);
  for (const name of ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override'])
    expect(await allow(`${state}?_method=POST`, 'GET', { [name]: 'POST' })).toEqual([405, 'POST']);
  expect(acted).toEqual([]);
});

test('bodies are JSON of one member, small, and of the type that pages of other sites cannot send', async () => {
  const { ask, acted } = await startListener({ farms });
  const state = serverPath('lync', 'pool01.contoso.local', '/state');
  const told = async (body: string, headers: Record<string, string> = json, path = state) => {
    const answer = await ask(path, post(body, headers));
    return [answer.status, kindOf(answer)];
  };
  const good = '{"state":"Drain"}';
  for (const type of [
    undefined,
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'multipart/form-data; boundary=x',
    'text/plain; application/json',
    '',
  ]) {
    expect([type, ...(await told(good, type === undefined ? {} : { 'Content-Type': type }))]).toEqual([
      type,
      415,
      'notJson',
    ]);
  }
  for (const body of [
    ...['', '{', 'null', '[]', '"Drain"', '1', '{}', '{"state":"drain"}', '{"state":"Active"}', '{"state":["Drain"]}'],
    ...['{"State":"Drain"}', '{"state":"Drain","force":true}', '{"state":"SetHealthy"}', '{"health":"SetHealthy"}'],
    ...[
      '{"__proto__":{"state":"Drain"}}',
      '{"state":"__proto__"}',
      '{"constructor":{"prototype":{}}}',
      '{state:"Drain"}',
    ],
  ]) {
    expect([body, ...(await told(body))]).toEqual([body, 400, 'badRequest']);
  }
  const health = serverPath('lync', 'pool01.contoso.local', '/health');
  expect(await told('{"health":"Drain"}', json, health)).toEqual([400, 'badRequest']);
  expect(await told(`{"state":"Drain"${' '.repeat(5000)}}`)).toEqual([413, 'bodyTooLarge']);
  expect(acted).toEqual([]);
  expect(await told(good, { 'Content-Type': 'Application/JSON; charset=utf-8' })).toEqual([200, '']);
  expect(acted).toHaveLength(1);
});
