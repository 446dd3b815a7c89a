/** Affinity cookies over real sockets, over both lanes: threat R15, and what clients, servers and administrators see of them. */
import { describe, expect, test } from 'vitest';
import {
  type Answered,
  type BalancedFarm,
  type BalancedOptions,
  cookieHeader,
  HOST,
  type NamedServer,
  PROTOCOLS,
  publishServers,
  startServers,
} from './balanced-farm.ts';
import { openRaw, type Protocol } from './clients.ts';
import { authority } from './environment.ts';
import { ok } from './recording-server.ts';

const WITH_COOKIE = '<affinity useCookie="true" />';
const VALUE = /^[0-9a-f]{64}$/;

interface Bound {
  readonly farm: BalancedFarm;
  readonly servers: readonly NamedServer[];
  readonly protocol: Protocol;
  /** The server that answers a client with these cookies, and whether the client is bound anew. */
  with(cookie: string | string[]): Promise<{ server: string; bound: boolean }>;
  /** The value of the cookie for each server, by address. */
  readonly values: ReadonlyMap<string, string>;
}

/** Three servers, and a client that has met each of them. */
async function bound(protocol: Protocol, options: Partial<BalancedOptions> = {}): Promise<Bound> {
  const servers = options.servers ?? (await startServers(3));
  const farm = await publishServers({ routing: WITH_COOKIE, ...options, servers });
  const values = new Map<string, string>();
  for (const _ of servers) {
    const told = await farm.ask(protocol);
    values.set(told.body, boundValue(told));
  }
  expect([...values.keys()].sort()).toEqual(servers.map(({ address }) => address));
  return {
    ...{ farm, servers, protocol, values },
    async with(cookie) {
      const told = await farm.ask(protocol, { headers: { Cookie: cookie } });
      expect(told.status).toBe(200);
      return { server: told.body, bound: told.cookies.length > 0 };
    },
  };
}

function boundValue(told: Answered): string {
  const value = /^ARRAffinity=([^;]*)/.exec(told.cookies[0] ?? '')?.[1] ?? '';
  expect(value).toMatch(VALUE);
  return value;
}

/** Twice the round of a farm of three: a client that is balanced meets every server, one that is bound stays. */
async function metBy(client: Bound, cookie: string | string[]): Promise<readonly string[]> {
  const met: string[] = [];
  for (let i = 0; i < 6; i++) met.push((await client.with(cookie)).server);
  return [...new Set(met)].sort();
}

describe.each(PROTOCOLS)('%s', (protocol) => {
  test('a client stays with the server it was first sent to, and is told once', async () => {
    const client = await bound(protocol);
    for (const [address, value] of client.values) {
      for (let i = 0; i < 4; i++) {
        expect(await client.with(`a=1; ARRAffinity=${value};b=2`)).toEqual({ server: address, bound: false });
      }
    }
    expect(new Set(client.values.values()).size).toBe(3);
  });

  test('no cookie without useCookie, and those of clients do nothing', async () => {
    const servers = await startServers(2);
    const farm = await publishServers({ servers });
    const met = new Set<string>();
    for (let i = 0; i < 4; i++) {
      const told = await farm.ask(protocol, { headers: { Cookie: `ARRAffinity=${'0'.repeat(64)}` } });
      expect(told.cookies).toEqual([]);
      met.add(told.body);
    }
    expect(met.size).toBe(2);
  });

  test('cookies that bind nobody are passed over, and a new one is set (R15)', async () => {
    const client = await bound(protocol);
    const [value = '', second = ''] = client.values.values();
    const [server] = client.servers;
    const refused: readonly (string | string[])[] = [
      `ARRAffinity=${'0'.repeat(64)}`,
      'ARRAffinity=',
      'ARRAffinity',
      `ARRAffinity=${server?.address}`,
      `ARRAffinity=127.0.0.1:${server?.httpsPort}`,
      'ARRAffinity=__proto__',
      'ARRAffinity=constructor',
      `ARRAffinity=${value.toUpperCase()}`,
      `ARRAffinity=${value.slice(1)}`,
      `ARRAffinity=${value}0`,
      `ARRAffinity=${value}${'x'.repeat(4096)}`,
      `ARRAffinity=${'x'.repeat(4096)}`,
      `ARRAffinity="${value}"`,
      `ARRAffinity =${value}`,
      `arraffinity=${value}`,
      `ARRAFFINITY=${value}`,
      `xARRAffinity=${value}`,
      `x-ARRAffinity=${value}`,
      `x ARRAffinity=${value}`,
      `x=ARRAffinity=${value}`,
      `ARRAffinityX=${value}`,
      `ARRAffinitySameSiteX=${value}`,
      `ARRAffinity=${value}; ARRAffinity=${second}`,
      [`ARRAffinity=${value}`, `ARRAffinity=${second}`],
      `ARRAffinitySameSite=${value}; ARRAffinitySameSite=${second}`,
    ];
    for (const cookie of refused) {
      const met = new Set<string>();
      for (let i = 0; i < 3; i++) {
        const told = await client.with(cookie);
        expect(told.bound, String(cookie)).toBe(true);
        met.add(told.server);
      }
      expect(met.size, String(cookie)).toBe(3);
    }
    for (const { connections } of client.servers) expect(connections.length).toBeGreaterThan(0);
  });

  test('several of one name bind where they agree; what is none of ours beside them counts for nothing', async () => {
    const client = await bound(protocol);
    const [[address, value] = ['', '']] = client.values;
    const forged = 'f'.repeat(64);
    for (const cookie of [
      `ARRAffinity=${value}; ARRAffinity=${value}`,
      [`ARRAffinity=${value}`, `ARRAffinity=${value}`],
      `ARRAffinity=${forged}; ARRAffinity=${value}`,
      `ARRAffinity=${value};ARRAffinity=${forged}`,
      ['a=b', `ARRAffinity=${forged}`, `c=d;\tARRAffinity=${value}`],
      `ARRAffinity=${value}; ARRAffinitySameSite=${forged}`,
      `ARRAffinity=${forged}; ARRAffinitySameSite=${value}`,
      `ARRAffinity=${value} ; a=b`,
    ]) {
      expect(await metBy(client, cookie), String(cookie)).toEqual([address]);
      expect(await client.with(cookie)).toEqual({ server: address, bound: false });
    }
  });

  test('pages within pages of other sites send the twin alone, and it binds', async () => {
    const client = await bound(protocol);
    const [[address, value] = ['', ''], [, other] = ['', '']] = client.values;
    expect(await metBy(client, `ARRAffinitySameSite=${value}`)).toEqual([address]);
    expect(await client.with(`ARRAffinitySameSite=${value}`)).toEqual({ server: address, bound: false });
    // The cookie itself goes before it.
    expect(await metBy(client, `ARRAffinitySameSite=${other}; ARRAffinity=${value}`)).toEqual([address]);
  });

  test('the value of a server that was removed, or of another farm, binds nobody', async () => {
    const servers = await startServers(3);
    const client = await bound(protocol, { servers });
    const kept = servers.slice(1);
    const without = await publishServers({ servers: kept, routing: WITH_COOKIE });
    const gone = client.values.get(servers[0]?.address ?? '') ?? '';
    const other = await publishServers({ servers, routing: WITH_COOKIE, farm: 'other' });
    for (const [farm, value] of [
      [without, gone],
      [other, gone],
    ] as const) {
      const told = await farm.ask(protocol, { headers: { Cookie: `ARRAffinity=${value}` } });
      expect(boundValue(told)).not.toBe(value);
    }
    // One that is still there binds as before.
    const [second] = kept;
    const headers = { Cookie: `ARRAffinity=${client.values.get(second?.address ?? '')}` };
    for (let i = 0; i < 4; i++) expect(await without.served(protocol, { headers })).toBe(second?.address);
  });

  test('after a restart, and on another node with the same secret; not with another', async () => {
    const servers = await startServers(3);
    const client = await bound(protocol, { servers });
    const again = await publishServers({ servers, routing: WITH_COOKIE });
    const stranger = await publishServers({
      servers,
      routing: WITH_COOKIE,
      affinitySecret: new Uint8Array(32).fill(8),
    });
    for (const [address, value] of client.values) {
      const headers = { Cookie: `ARRAffinity=${value}` };
      const told = await again.ask(protocol, { headers });
      expect([told.body, told.cookies]).toEqual([address, []]);
      expect((await stranger.ask(protocol, { headers })).cookies).toHaveLength(2);
    }
  });

  test('a Draining server keeps its clients and gets no new ones', async () => {
    const client = await bound(protocol);
    const [server] = client.servers as [NamedServer];
    client.farm.condition(server, 'Draining');
    const cookie = `ARRAffinity=${client.values.get(server.address)}`;
    expect(await metBy(client, cookie)).toEqual([server.address]);
    expect(await client.with(cookie)).toEqual({ server: server.address, bound: false });
    expect(await metBy(client, 'a=b')).not.toContain(server.address);
  });

  test.each([
    ['Inactive', true],
    ['Active', false],
    ['Draining', false],
  ] as const)('%s, healthy %s: its clients go to others, and are bound there', async (state, healthy) => {
    const client = await bound(protocol);
    const [server] = client.servers as [NamedServer];
    client.farm.condition(server, state, healthy);
    const cookie = `ARRAffinity=${client.values.get(server.address)}`;
    const told = await client.farm.ask(protocol, { headers: { Cookie: cookie } });
    const next = told.body;
    expect(next).not.toBe(server.address);
    expect(boundValue(told)).toBe(client.values.get(next));
    expect(await metBy(client, cookieHeader(told))).toEqual([next]);
    // A client that did not come meanwhile finds its server again.
    client.farm.condition(server, 'Active');
    expect(await client.with(cookie)).toEqual({ server: server.address, bound: false });
  });

  test('a server that is gone: its clients go to others, and are bound there', async () => {
    const client = await bound(protocol);
    const [server] = client.servers as [NamedServer];
    await server.stop();
    const told = await client.farm.ask(protocol, {
      headers: { Cookie: `ARRAffinity=${client.values.get(server.address)}` },
    });
    expect(told.status).toBe(200);
    const next = told.body;
    expect(next).not.toBe(server.address);
    expect(boundValue(told)).toBe(client.values.get(next));
  });

  test('where all servers are unhealthy and minServers lets them serve, clients stay where they were', async () => {
    const client = await bound(protocol, { routing: `<healthCheck minServers="3" />${WITH_COOKIE}` });
    for (const server of client.servers) client.farm.condition(server, 'Active', false);
    for (const [address, value] of client.values) {
      expect(await metBy(client, `ARRAffinity=${value}`)).toEqual([address]);
    }
  });

  test('Arr-Disable-Session-Affinity: no cookie with this answer, and the client is balanced on', async () => {
    let header = 'Arr-Disable-Session-Affinity: True\r\n';
    const servers = await startServers(2, (address) => ok(address, header));
    const farm = await publishServers({ servers, routing: WITH_COOKIE });
    expect((await farm.ask(protocol)).cookies).toEqual([]);
    header = 'Arr-Disable-Session-Affinity: false\r\n';
    expect((await farm.ask(protocol)).cookies).toHaveLength(2);
  });

  test('the cookies of the server stay as they are', async () => {
    const own = ['a=1; Path=/; Domain=contoso.com', 'ARRAffinity=of-the-server; Path=/x', 'a=2'];
    const servers = await startServers(1, (address) =>
      ok(address, own.map((cookie) => `Set-Cookie: ${cookie}\r\n`).join('')),
    );
    const farm = await publishServers({ servers, routing: WITH_COOKIE });
    const cookies = (await farm.ask(protocol)).cookies;
    expect(cookies.slice(0, 3)).toEqual(own);
    expect(cookies.slice(3).map((cookie) => cookie.split('=')[0])).toEqual(['ARRAffinity', 'ARRAffinitySameSite']);
  });

  test('the server gets the cookie as the client sent it', async () => {
    const client = await bound(protocol);
    const [value = ''] = client.values.values();
    await client.with(`a=1; ARRAffinity=${value}; b=2`);
    const sent = client.servers.flatMap(({ requests }) => requests.flatMap(({ headers }) => headers));
    expect(sent.filter(([name]) => name.toLowerCase() === 'cookie')).toEqual([
      [expect.stringMatching(/^cookie$/i), `a=1; ARRAffinity=${value}; b=2`],
    ]);
  });

  test('over TLS Secure and with a twin for pages within other pages', async () => {
    const farm = await publishServers({ servers: await startServers(1), routing: WITH_COOKIE });
    const told = await farm.ask(protocol);
    const value = boundValue(told);
    expect(told.cookies).toEqual([
      `ARRAffinity=${value};Path=/;HttpOnly;Secure;Domain=${HOST}`,
      `ARRAffinitySameSite=${value};Path=/;HttpOnly;Secure;Domain=${HOST};SameSite=None`,
    ]);
  });

  test.each([
    [
      'without its port, and none for what browsers refuse',
      '',
      {
        'APP.Contoso.Com': 'app.contoso.com',
        'app.contoso.com:8443': 'app.contoso.com',
        'contoso.com': 'contoso.com',
        intranet: '',
        'intranet:8443': '',
        '10.0.0.5': '',
        '10.0.0.5:8443': '',
        '[::1]': '',
        '[::1]:8443': '',
        '[::ffff:10.0.0.5]:443': '',
        'app.contoso.com.': '',
        "a'b.contoso.com": '',
        [`${'a.'.repeat(126)}com`]: '',
      },
    ],
    [
      'ignoreSubDomainClientAffinity keeps two labels',
      'ignoreSubDomainClientAffinity="true"',
      {
        'a.b.contoso.com': 'contoso.com',
        'contoso.com': 'contoso.com',
        intranet: '',
        '10.0.0.5': '',
        '[::1]:443': '',
      },
    ],
    [
      'ignoreSubDomainFragmentDepth keeps more',
      'ignoreSubDomainClientAffinity="true" ignoreSubDomainFragmentDepth="3"',
      { 'a.b.contoso.co.uk': 'contoso.co.uk', 'contoso.com': 'contoso.com' },
    ],
    [
      'one label alone is no Domain',
      'ignoreSubDomainClientAffinity="true" ignoreSubDomainFragmentDepth="0"',
      { 'a.b.contoso.com': 'contoso.com' },
    ],
  ])('Domain: %s', async (_name, attributes, domains) => {
    const routing = `<affinity useCookie="true" ${attributes} />`;
    const farm = await publishServers({ servers: await startServers(1), routing });
    const found: Record<string, string> = {};
    for (const host of Object.keys(domains)) {
      const [cookie = ''] = (await farm.ask(protocol, { host })).cookies;
      found[host] = /;Domain=([^;]*)/.exec(cookie)?.[1] ?? '';
    }
    expect(found).toEqual(domains);
  });

  test('a cookie of another name, whose letter case counts', async () => {
    const servers = await startServers(2);
    const farm = await publishServers({ servers, routing: '<affinity useCookie="true" cookieName="Srv_1" />' });
    const told = await farm.ask(protocol);
    const header = cookieHeader(told);
    expect(header).toMatch(/^Srv_1=[0-9a-f]{64}; Srv_1SameSite=[0-9a-f]{64}$/);
    for (let i = 0; i < 4; i++) expect(await farm.served(protocol, { headers: { Cookie: header } })).toBe(told.body);
    expect((await farm.ask(protocol, { headers: { Cookie: header.toLowerCase() } })).cookies).toHaveLength(2);
  });
});

test('a plain connection: neither Secure nor a twin', async () => {
  const farm = await publishServers({ servers: await startServers(1), routing: WITH_COOKIE });
  const told = await farm.ask('HTTP/1.1', { plain: true });
  expect(told.cookies).toEqual([`ARRAffinity=${boundValue(told)};Path=/;HttpOnly;Domain=${HOST}`]);
});

test('HTTP/1.0 without Host: a cookie for just this host', async () => {
  const farm = await publishServers({ servers: await startServers(1), routing: WITH_COOKIE });
  const client = openRaw(farm.httpsPort, { host: HOST, ca: authority.certPem });
  client.socket.write('GET / HTTP/1.0\r\n\r\n');
  expect(await client.closed()).toMatch(/\r\nSet-Cookie: ARRAffinity=[0-9a-f]{64};Path=\/;HttpOnly;Secure\r\n/);
});
