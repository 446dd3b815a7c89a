/** Rows R01 to R03, R05 to R09 and R12 of the list of threats: paths, hosts and rules over real sockets. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { leastCpuTime } from '../cpu-time.ts';
import { ask, openRaw, type Protocol, type Told } from './clients.ts';
import { applicationHost, authority, type Published, startProxy, webFarm } from './environment.ts';
import { freePort } from './ports.ts';

const HOST = 'www.contoso.com';
const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];

interface Front {
  readonly proxy: Published;
  readonly port: number;
  /** Targets that reached the server of the farm, as they stood in the request line. */
  readonly targets: string[];
  readonly headers: Record<string, string | string[] | undefined>[];
  readonly get: (
    path: string,
    more?: { host?: string; method?: string; headers?: Record<string, string> },
  ) => Promise<Told>;
  /** A request line and header lines as bytes; gives all that came back. */
  readonly raw: (line: string, headers?: string) => Promise<string>;
  /** Path and query of each line of the access log. */
  readonly logged: () => string[];
}

interface Setup {
  readonly rules: string;
  readonly outbound?: string;
  readonly bindings?: readonly string[];
  readonly settings?: Readonly<Record<string, unknown>>;
}

async function publish(protocol: Protocol, { rules, outbound = '', bindings, settings }: Setup): Promise<Front> {
  const targets: string[] = [];
  const headers: Front['headers'] = [];
  const server = createServer({ maxHeaderSize: 1 << 17 }, (request, response) => {
    targets.push(request.url ?? '');
    headers.push(request.headers);
    response.end('from the server');
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const httpPort = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
  });
  const port = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: (bindings ?? [HOST]).map((host) => `https *:${port}:${host}`),
      farms: webFarm('fe', { servers: [{ address: '127.0.0.1', httpPort }] }),
      rules,
      more: `<proxy enabled="true" /><rewrite><outboundRules>${outbound}</outboundRules></rewrite>`,
    }),
    certificates: { all: [HOST, ...(bindings ?? []).filter((host) => host !== '')] },
    settings: { log: { level: 'silent', access: { format: 'json', file: 'access.log' } }, ...settings },
  });
  const asked = { protocol, port, servername: HOST, ca: authority.certPem };
  return {
    proxy,
    port,
    targets,
    headers,
    get: (path, { host = HOST, ...more } = {}) => ask({ ...asked, path, host, ...more }),
    async raw(line, lines = `Host: ${HOST}`) {
      const client = openRaw(port, { host: HOST, ca: authority.certPem });
      client.socket.write(Buffer.from(`${line}\r\n${lines}\r\nConnection: close\r\n\r\n`, 'latin1'));
      return client.closed();
    },
    logged: () =>
      readFileSync(join(proxy.configDir, 'access.log'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line) as Record<string, string>)
        .map((entry) => `${entry['cs-uri-stem']}${entry['cs-uri-query'] ? `?${entry['cs-uri-query']}` : ''}`),
  };
}

const TO_FARM = '<rule name="farm" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://fe/{R:0}" /></rule>'; // biome-ignore format: one line
const SECRET = '<rule name="secret" stopProcessing="true"><match url="^secret(/|$)" /><action type="CustomResponse" statusCode="403" /></rule>'; // biome-ignore format: one line

describe.each(PROTOCOLS)('R01 over %s: one form of the path for rules, log and server', (protocol) => {
  test.each([
    '/x/../secret/a',
    '/./secret',
    '/x/%2e%2e/secret/a',
    '/%2E/secret',
    '//secret',
    '/x/..\\secret',
    '/x/..%5csecret',
    '/\\secret',
    '/%5Csecret',
    '/%73ecret',
    '/SECRET',
  ])('%s is what a rule forbids', async (path) => {
    const { get, targets } = await publish(protocol, { rules: SECRET + TO_FARM });
    expect((await get(path)).status).toBe(403);
    expect(targets).toEqual([]);
  });

  test('what was resolved is what the server gets and what the log says', async () => {
    const { get, targets, logged } = await publish(protocol, { rules: TO_FARM });
    for (const path of ['/x/../a/b?q=..', '/x/%2e%2e/a/b', '/x\\..\\a\\b', '/a/./b/.']) await get(path);
    expect(targets).toEqual(['/a/b?q=..', '/a/b', '/a/b', '/a/b/']);
    await vi.waitFor(() => expect(logged()).toEqual(targets), { timeout: 5000 });
  });

  test('what needs no resolving stays as it is', async () => {
    const { get, targets, logged } = await publish(protocol, { rules: TO_FARM });
    const paths = ['/a..;/b', '/a;/../b;x'.replace('/..', ''), '/a.', '/a%20', '/a//b', '/.well-known/x', '/...'];
    for (const path of paths) await get(path);
    expect(targets).toEqual(paths);
    await vi.waitFor(() => expect(logged()).toEqual(paths), { timeout: 5000 });
  });

  test.each(['/..', '/../etc/passwd', '/a/../../b', '/%2e%2e/b', '/..%5cb', '/\\..\\b'])(
    '%s leaves the root: 400',
    async (path) => {
      // biome-ignore format: one line
      const { get, targets } = await publish(protocol, { rules: TO_FARM });
      expect((await get(path)).status).toBe(400);
      expect(targets).toEqual([]);
    },
  );
});

describe.each(PROTOCOLS)('R02 over %s: escapes', (protocol) => {
  test('are decoded once for the rules, and reach the server as they were sent', async () => {
    const once = '<rule name="once" stopProcessing="true"><match url="^a/b$" /><action type="CustomResponse" statusCode="403" /></rule>'; // biome-ignore format: one line
    const { get, targets } = await publish(protocol, { rules: once + TO_FARM });
    expect((await get('/a%2Fb')).status).toBe(403);
    expect((await get('/a%2fb')).status).toBe(403);
    const paths = ['/a%252Fb', '/a%c0%afb', '/%E4', '/%F0%9F%98%80', '/a%2Fb/c'];
    for (const path of paths) expect([path, (await get(path)).status]).toEqual([path, 200]);
    expect(targets).toEqual(paths);
  });

  test.each(['/%u002f', '/a%', '/%zz', '/%2', '/%00', '/a%0d%0ab', '/%7f'])('%s: 400', async (path) => {
    const { get, targets } = await publish(protocol, { rules: TO_FARM });
    expect((await get(path)).status).toBe(400);
    expect(targets).toEqual([]);
  });
});

describe('R03: signs in the target', () => {
  test('a fragment or a blank is refused, all else reaches the server byte for byte', async () => {
    const { raw, targets } = await publish('HTTP/1.1', { rules: TO_FARM });
    for (const target of ['/a#b', '/a?b#c', '/a b']) {
      expect(await raw(`GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 400 /);
    }
    const kept = ['/a;b=c;d', '/a&b', '/a?b?c=?', '/a?;&=', '/a|b^c`d{e}', "/!$&'()*+,;=:@"];
    for (const target of kept) expect(await raw(`GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 200 /);
    expect(targets).toEqual(kept);
  });

  test('bytes beyond ASCII are refused, since the parser takes none', async () => {
    const { raw, targets } = await publish('HTTP/1.1', { rules: TO_FARM });
    for (const target of ['/\xe4\xff', '/a\xc3\xa4', '/a?\x80']) {
      expect(await raw(`GET ${target} HTTP/1.1`)).toMatch(/^HTTP\/1\.1 400 /);
    }
    expect(targets).toEqual([]);
  });
});

describe.each(PROTOCOLS)('R05 over %s: the client does not choose the server', (protocol) => {
  const rules =
    '<rule name="capture" stopProcessing="true"><match url="^to/(.*)" /><action type="Rewrite" url="http://{R:1}/x" /></rule>' +
    '<rule name="query" stopProcessing="true"><match url="^query" /><conditions><add input="{QUERY_STRING}" pattern="u=(.*)" /></conditions><action type="Rewrite" url="http://{C:1}" /></rule>' +
    '<rule name="suffix" stopProcessing="true"><match url="^suffix/(.*)" /><action type="Rewrite" url="http://fe{R:1}/" /></rule>' +
    '<rule name="host" stopProcessing="true"><match url=".*" /><action type="Rewrite" url="http://{HTTP_HOST}/{R:0}" /></rule>';

  test('by its Host', async () => {
    const { get, raw, targets, port } = await publish(protocol, { rules, bindings: [''] });
    for (const host of [
      '169.254.169.254',
      '[::1]',
      `127.0.0.1:${port}`,
      'localhost',
      'metadata.internal',
      '0x7f000001',
    ]) {
      expect([host, (await get('/', { host })).status]).toEqual([host, 403]);
    }
    for (const host of ['a@b', 'a/b', 'a\\b', 'a b', '%00', 'fe%00.x', '']) {
      if (protocol === 'HTTP/1.1')
        expect(await raw('GET / HTTP/1.1', `Host: ${host}`)).toMatch(/^HTTP\/1\.1 (400|403) /);
    }
    expect(targets).toEqual([]);
    // The name of a farm is the administrator's own; that is all a computed host can reach.
    expect((await get('/', { host: 'fe' })).status).toBe(200);
  });

  test('by a capture', async () => {
    const { get, targets, port } = await publish(protocol, { rules, bindings: [''] });
    for (const [path, status] of [
      ['/to/169.254.169.254', 403],
      [`/to/127.0.0.1:${port}`, 403],
      ['/to/fe@127.0.0.1', 400],
      ['/to/127.0.0.1%23.fe', 400],
      ['/to/127.0.0.1%3F.fe', 400],
      ['/to/127.0.0.1%5C.fe', 403],
      ['/suffix/.evil.example', 403],
      ['/suffix/@127.0.0.1', 400],
      ['/suffix/%00', 400],
      [`/query?u=127.0.0.1:${port}/`, 403],
      ['/query?u=fe@127.0.0.1/', 400],
      ['/query?u=[::1]/', 403],
    ] as const) {
      expect([path, (await get(path)).status]).toEqual([path, status]);
    }
    expect(targets).toEqual([]);
  });

  test('upstream.allow lets in what it names, and nothing else', async () => {
    const settings = { upstream: { ca: '../ca.pem', allow: ['allowed.example'] }, hosts: { 'allowed.example': '127.0.0.1' } }; // biome-ignore format: one line
    const log = { level: 'silent', access: { format: 'off' } };
    const { get } = await publish(protocol, { rules, bindings: [''], settings: { ...settings, log } });
    // Port 1 of loopback refuses: 502 tells that it was tried.
    expect((await get('/to/allowed.example:1')).status).toBe(502);
    expect((await get('/to/allowed.example.evil.example:1')).status).toBe(403);
    expect((await get('/to/x.allowed.example:1')).status).toBe(403);
  });
});

describe.each(PROTOCOLS)('R06 over %s: redirects stay on the site unless the rule says otherwise', (protocol) => {
  const redirect = (name: string, to: string, condition = '') =>
    `<rule name="${name}" stopProcessing="true"><match url="^${name}/?(.*)" /><conditions>${condition}</conditions><action type="Redirect" url="${to}" appendQueryString="false" redirectType="Found" /></rule>`;
  const rules =
    redirect('path', '{R:1}') +
    redirect('slash', '/{R:1}') +
    redirect('query', '{C:1}', '<add input="{UrlDecode:{QUERY_STRING}}" pattern="u=([^|]*)" />') +
    redirect('host', 'https://{HTTP_HOST}/{R:1}');

  test.each([
    ['/path///evil.example', '/evil.example'],
    ['/path/\\evil.example', '/evil.example'],
    ['/path/%5C%5Cevil.example', '/evil.example'],
    ['/path/%2F%2Fevil.example', '/evil.example'],
    ['/slash///evil.example', '/evil.example'],
    ['/slash/%5Cevil.example', '/evil.example'],
    ['/path/https:%2F%2Fevil.example', '/https:/evil.example'],
    ['/query?u=//evil.example', '/evil.example'],
    ['/query?u=/%5Cevil.example', '/evil.example'],
    ['/query?u=%5C%5Cevil.example', '/evil.example'],
    ['/host/x', '/x'],
  ])('%s', async (path, expected) => {
    const { get } = await publish(protocol, { rules });
    const told = await get(path);
    expect([told.status, told.headers.location]).toEqual([302, `https://${HOST}${expected}`]);
  });

  test.each(['/path/a%0d%0aSet-Cookie:x', '/slash/%0aX:y'])('%s: 400', async (path) => {
    const { get } = await publish(protocol, { rules });
    expect((await get(path)).status).toBe(400);
  });

  test('line ends in a query are encoded', async () => {
    const { get } = await publish(protocol, { rules });
    const told = await get('/query?u=a%0d%0aSet-Cookie:%20x');
    expect(told.headers.location).toBe(`https://${HOST}/a%0D%0ASet-Cookie:%20x`);
    expect(told.headers['set-cookie']).toBeUndefined();
  });

  test('javascript: and other schemes are paths', async () => {
    const { get } = await publish(protocol, { rules });
    expect((await get('/query?u=javascript:alert(1)')).headers.location).toBe(`https://${HOST}/javascript:alert(1)`);
  });
});

describe.each(PROTOCOLS)('R07 over %s: values of rules cannot make a second header line', (protocol) => {
  const decoded = '<conditions><add input="{UrlDecode:{QUERY_STRING}}" pattern="v=([^|]*)" /></conditions>';
  const rules =
    `<rule name="set"><match url="^set" />${decoded}<serverVariables><set name="HTTP_X_SET" value="{C:1}" /></serverVariables><action type="None" /></rule>` +
    `<rule name="reason" stopProcessing="true"><match url="^reason" />${decoded}<action type="CustomResponse" statusCode="403" statusReason="{C:1}" statusDescription="{C:1}" /></rule>` +
    TO_FARM;
  const outbound = '<rule name="out"><match serverVariable="RESPONSE_X_Out" pattern="^$" /><conditions><add input="{UrlDecode:{QUERY_STRING}}" pattern="v=([^|]*)" /></conditions><action type="Rewrite" value="{C:1}" /></rule>'; // biome-ignore format: one line

  test.each(['%0d%0aX-Evil: 1', '%0aX-Evil: 1', '%0dX-Evil: 1', '%00'])('v=%s', async (value) => {
    const query = value.replaceAll(' ', '%20');
    const { get, headers } = await publish(protocol, { rules, outbound });
    expect((await get(`/set?v=a${query}`)).status).toBe(400);
    expect(headers).toEqual([]);
    const reason = await get(`/reason?v=a${query}`);
    expect([400, 403]).toContain(reason.status);
    expect(reason.headers['x-evil']).toBeUndefined();
    const out = await get(`/other?v=a${query}`);
    expect(out.headers['x-evil']).toBeUndefined();
  });

  test('what is harmless goes through', async () => {
    const { get, headers } = await publish(protocol, { rules, outbound });
    const told = await get('/set?v=a%20%E4%C3%A4b');
    expect(told.headers['x-out']).toBeDefined();
    expect(headers[0]?.['x-set']).toMatch(/^a .+b$/);
  });
});

describe('R08: patterns that are slow do not hold the process', () => {
  /** Main-thread milliseconds until a bystander has its answer, whose request comes in beside the slow one. */
  async function bystander(front: Front, slow: () => Promise<Told>): Promise<number> {
    await front.get('/warm');
    return leastCpuTime(async () => {
      const [answer, next] = await Promise.all([slow(), front.get('/x')]);
      expect([200, 500]).toContain(answer.status);
      expect(next.status).toBe(200);
    });
  }

  const inPath = ['^(a+)+$', '^(a|a)*b$', '^(a|aa)+$', '^(([a-z])+.)+[0-9]([a-z])+$', '^(?!x)(a+)+$', '^(a+)+\\1$', '(.*)(.*)(.*)(.*)=x', '(x+x+)+y', 'a*b', '[^/]+a[^/]+b$']; // biome-ignore format: one line

  test.each(inPath)('%s on a path of 15 KB', async (pattern) => {
    const rules = `<rule name="slow" stopProcessing="true"><match url="${pattern}" /><action type="CustomResponse" statusCode="403" /></rule>${TO_FARM}`;
    const front = await publish('HTTP/1.1', { rules });
    expect(await bystander(front, () => front.get(`/${'a'.repeat(15_000)}!`))).toBeLessThan(50);
  });

  const inHeader = [['(.*)Googlebot(.*)', 'a'], ['a*b', 'a'], ['(.*)x', 'a'], ['\\s+$', '. '], ['[a-z]+[0-9]+', 'a'], ['[^/]+a[^/]+b$', 'a'], ['(a+)+$x?\\b', 'a'], ['MSIE.*;.*;.*Trident', 'MSIE;'], ['(\\w+)=(\\w+)&amp;x', 'a']] as const; // biome-ignore format: one line

  test.each(inHeader)('%s on a header of 60 KB', async (pattern, repeated) => {
    const rules = `<rule name="slow" stopProcessing="true"><match url=".*" /><conditions><add input="{HTTP_USER_AGENT}" pattern="${pattern}" /></conditions><action type="CustomResponse" statusCode="403" /></rule>${TO_FARM}`;
    const front = await publish('HTTP/1.1', { rules });
    const agent = `${repeated.repeat(60_000 / repeated.length)}z`;
    expect(await bystander(front, () => front.get('/', { headers: { 'User-Agent': agent } }))).toBeLessThan(50);
  });
});

describe('R09: rules that lead to themselves', () => {
  test('are run once, in their order, and a missing group is empty', async () => {
    const rules =
      '<rule name="self"><match url="^(self.*)" /><action type="Rewrite" url="{R:1}x{R:9}{C:5}" /></rule>' +
      '<rule name="back"><match url="^(self.*)" /><action type="Rewrite" url="{R:1}y" /></rule>' +
      TO_FARM;
    const { get, targets } = await publish('HTTP/1.1', { rules });
    expect((await get('/self')).status).toBe(200);
    expect(targets).toEqual(['/selfxy']);
  });
});

describe.each(PROTOCOLS)('R12 over %s: Host', (protocol) => {
  const named = (name: string) => `<rule name="${name}" stopProcessing="true"><match url=".*" /><conditions><add input="{HTTP_HOST}" pattern="^${name.replace('.', '\\.')}" /></conditions><action type="CustomResponse" statusCode="403" statusReason="x" statusDescription="${name}" /></rule>`; // biome-ignore format: one line
  const bindings = ['first.example', HOST, 'xn--bcher-kva.example'];
  const rules = bindings.map(named).join('');

  test('an unknown one is 400, and never the first site by accident', async () => {
    const { get, raw } = await publish(protocol, { rules, bindings });
    for (const host of [
      'evil.example',
      `${HOST}.evil.example`,
      `evil-${HOST}`,
      '127.0.0.1',
      'constructor',
      '__proto__',
    ]) {
      expect([host, (await get('/', { host })).status]).toEqual([host, 400]);
    }
    if (protocol === 'HTTP/2') return;
    for (const lines of [
      'Host:',
      'Host: b\xfccher.example',
      `Host: evil.example\r\nX-Host: ${HOST}`,
      `Host: evil.example\r\nX-Forwarded-Host: ${HOST}`,
      `Host: ${HOST} evil`,
      `Host: ${HOST},evil.example`,
    ]) {
      // biome-ignore format: one line
      expect([lines, (await raw('GET / HTTP/1.1', lines)).slice(0, 12)]).toEqual([lines, 'HTTP/1.1 400']);
    }
  });

  test('letter case, a trailing dot, a port and the IDN form are the name itself', async () => {
    const { get, port } = await publish(protocol, { rules, bindings });
    for (const host of [HOST, HOST.toUpperCase(), `${HOST}.`, `${HOST}:${port}`, `${HOST}:1`]) {
      const told = await get('/', { host });
      expect([host, told.status, told.body.toString()]).toEqual([host, 403, HOST]);
    }
    expect((await get('/', { host: 'xn--bcher-kva.example' })).body.toString()).toBe('xn--bcher-kva.example');
  });
});
