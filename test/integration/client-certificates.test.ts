/** Certificates that clients show (`tls.clientCertificates`): what a server hears of them, and who is refused. */
import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Authority, createAuthority, type Issued, issueCertificate } from '../../src/tls/issue.ts';
import { ask, openRaw, type Protocol, type TlsOfClient, type Told } from './clients.ts';
import { applicationHost, authority, farmRules, startProxy, webFarm } from './environment.ts';
import { type Message, valuesOf } from './messages.ts';
import { freePort } from './ports.ts';
import { HOST, publishRecorded, type RecordedFarm, type RecordedFarmOptions } from './recorded-farm.ts';
import { startRecordingServer } from './recording-server.ts';

const clients = createAuthority('Clients');
const issuing = createAuthority('Issuing', { parent: clients });
const others = createAuthority('Others');
const DAY = 86_400_000;
const ago = (days: number) => new Date(Date.now() - days * DAY);

const client = (from: Authority, more = {}) =>
  issueCertificate(from, { names: ['anna'], usage: 'client', ...more, subject: [['CN', 'Anna Ångström']] });
const TRUSTED = client(clients);
const UNTRUSTED: readonly [string, Issued][] = [
  ['of another authority', client(others)],
  ['that has expired', client(clients, { notBefore: ago(30), notAfter: ago(1) })],
  ['that is not valid yet', client(clients, { notBefore: ago(-1) })],
  ['that is for servers', client(clients, { usage: 'server' })],
  ['of a public name that this machine trusts for servers', client(authority)],
];

const PROTOCOLS: readonly Protocol[] = ['HTTP/1.1', 'HTTP/2'];
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;
const LANES = PROTOCOLS.flatMap((protocol) => VERSIONS.map((version) => ({ protocol, version })));

type Lane = (typeof LANES)[number];

function publish(mode: 'request' | 'require', more: RecordedFarmOptions & { ca?: string } = {}) {
  const { ca = clients.certPem, settings, ...rest } = more;
  return publishRecorded({
    files: { '../clients.pem': ca },
    settings: { tls: { clientCertificates: { mode, ca: '../clients.pem' } }, ...settings },
    ...rest,
  });
}

function get(
  { httpsPort, ca }: Pick<RecordedFarm, 'httpsPort' | 'ca'>,
  { protocol, version }: Lane,
  more: {
    shown?: Issued | undefined;
    session?: Buffer | undefined;
    sni?: boolean;
    headers?: Record<string, string>;
  } = {},
): Promise<Told> {
  const { shown, session, sni = true, headers = {} } = more;
  const tls: TlsOfClient = {
    minVersion: version,
    maxVersion: version,
    ...(shown && { cert: shown.chainPem, key: shown.keyPem }),
    ...(session && { session }),
    // Without a name to send there is none to check either.
    ...(!sni && { checkServerIdentity: () => undefined }),
  };
  return ask({ protocol, port: httpsPort, host: HOST, ca, tls, headers, ...(sni ? {} : { servername: '' }) });
}

const inBase64 = ({ certPem }: Issued) => new X509Certificate(certPem).raw.toString('base64');
const header = (request: Message | undefined, name = 'X-ARR-ClientCert') => request && valuesOf(request, name);
const codes = ({ proxy }: RecordedFarm) => proxy.logged.map(({ code, win32 }) => `${code} ${win32}`);

describe.each(LANES)('$protocol over $version', (lane) => {
  test.each(['request', 'require'] as const)('%s: one that is trusted goes to the server', async (mode) => {
    const farm = await publish(mode);
    const first = await get(farm, lane, { shown: TRUSTED });
    const again = await get(farm, lane, { shown: TRUSTED, session: first.session });
    expect([first.status, first.resumed, again.status, again.resumed]).toEqual([200, false, 200, true]);
    for (const request of farm.server.requests) expect(header(request)).toEqual([inBase64(TRUSTED)]);
    expect(farm.server.requests).toHaveLength(2);
  });

  test('request: a client without one is served, in a resumed session too', async () => {
    const farm = await publish('request');
    const first = await get(farm, lane);
    const again = await get(farm, lane, { session: first.session });
    expect([first.status, again.status, again.resumed]).toEqual([200, 200, true]);
    for (const request of farm.server.requests) expect(header(request)).toEqual([]);
  });

  test('require: a client without one is told 403.7, in a resumed session too', async () => {
    const farm = await publish('require');
    const first = await get(farm, lane);
    const again = await get(farm, lane, { session: first.session });
    expect([first.status, again.status, again.resumed]).toEqual([403, 403, true]);
    for (const { body } of [first, again]) expect(body.toString()).toContain('<h1>403.7 ');
    expect(codes(farm)).toEqual(['403.7 5', '403.7 5']);
    expect(farm.server.connections).toEqual([]);
  });

  test.each(UNTRUSTED)('one %s: 403.16 in either mode, in a resumed session too', async (_name, shown) => {
    for (const mode of ['request', 'require'] as const) {
      const farm = await publish(mode);
      const first = await get(farm, lane, { shown });
      const again = await get(farm, lane, { shown, session: first.session });
      expect([first.status, again.status, again.resumed]).toEqual([403, 403, true]);
      for (const { body } of [first, again]) expect(body.toString()).toContain('<h1>403.16 ');
      expect(codes(farm)).toEqual(['403.16 2148204809', '403.16 2148204809']);
      expect(farm.server.connections).toEqual([]);
    }
  });

  test('clients that send no server name are judged by the same authorities', async () => {
    const farm = await publish('require');
    const statuses = [];
    for (const shown of [TRUSTED, client(others), undefined])
      statuses.push((await get(farm, lane, { shown, sni: false })).status);
    expect(statuses).toEqual([200, 403, 403]);
    expect(farm.server.requests.map((request) => header(request))).toEqual([[inBase64(TRUSTED)]]);
  });

  test('what a client writes itself never arrives, nor what a server could take for it', async () => {
    const farm = await publish('request', { protocol: 'clientCertHeaderName="X_Client-Cert"' });
    const headers = {
      'x-client-cert': 'forged',
      x_client_cert: 'forged',
      'X-ARR-ClientCert': 'forged',
      x_arr_clientcert: 'forged',
    };
    await get(farm, lane, { headers });
    await get(farm, lane, { headers, shown: TRUSTED });
    const [without, shown] = farm.server.requests;
    expect(without?.head).not.toMatch(/cert:/i);
    expect(shown?.head.match(/^.*cert:.*$/gim)).toEqual([`X_Client-Cert: ${inBase64(TRUSTED)}`]);
  });

  test('with an empty clientCertHeaderName none is sent, and a forged one arrives no more than otherwise', async () => {
    const farm = await publish('require', { protocol: 'clientCertHeaderName=""' });
    expect((await get(farm, lane, { shown: TRUSTED, headers: { 'X-ARR-ClientCert': 'forged' } })).status).toBe(200);
    expect(header(farm.server.requests[0])).toEqual([]);
    expect(farm.server.requests[0]?.head).not.toContain(inBase64(TRUSTED));
  });

  test('an authority between root and client: sent by the client, or named in "ca" itself', async () => {
    const shown = client(issuing);
    expect((await get(await publish('require'), lane, { shown })).status).toBe(200);
    const leafAlone = { ...shown, chainPem: shown.certPem };
    expect((await get(await publish('require'), lane, { shown: leafAlone })).status).toBe(403);
    expect((await get(await publish('require', { ca: issuing.certPem }), lane, { shown: leafAlone })).status).toBe(200);
    expect((await get(await publish('require', { ca: issuing.certPem }), lane, { shown: TRUSTED })).status).toBe(403);
  });

  test('only the listeners that the settings name ask, and a session of another one is worth nothing there', async () => {
    const server = await startRecordingServer();
    const [open, guarded] = [await freePort(), await freePort()];
    await startProxy({
      iis: applicationHost({
        bindings: [`https *:${open}:${HOST}`, `https *:${guarded}:${HOST}`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', ...server }] }),
        rules: farmRules('fe', HOST),
      }),
      certificates: { all: [HOST] },
      files: { '../clients.pem': clients.certPem },
      settings: {
        hosts: { 'fe01.contoso.local': '127.0.0.1' },
        tls: { clientCertificates: { mode: 'require', ca: '../clients.pem', listeners: [`0.0.0.0:${guarded}`] } },
      },
    });
    const at = (httpsPort: number, more = {}) => get({ httpsPort, ca: authority.certPem }, lane, more);
    const first = await at(open, { shown: TRUSTED });
    expect([first.status, header(server.requests[0])]).toEqual([200, []]);
    const there = await at(guarded, { session: first.session });
    expect([there.status, there.resumed]).toEqual([403, false]);
    const back = await at(open, { session: (await at(guarded, { shown: TRUSTED })).session });
    expect([back.status, back.resumed, header(server.requests.at(-1))]).toEqual([200, false, []]);
  });
});

test.each(LANES)(
  'certificates that no honest client has: refused or passed on as bytes, and others are served ($protocol over $version)',
  async (lane) => {
    const farm = await publish('require');
    const odd = issueCertificate(clients, {
      names: ['anna'],
      usage: 'client',
      subject: [
        ['CN', 'x\r\nX-Evil: 1\r\n\0y'],
        ['O', 'Ω'.repeat(5000)],
      ],
    });
    expect((await get(farm, lane, { shown: odd })).status).toBe(200);
    expect(farm.server.requests[0]?.head).not.toMatch(/^X-Evil/im);
    expect(header(farm.server.requests[0])).toEqual([inBase64(odd)]);
    // More than OpenSSL takes of a chain.
    const endless = { ...TRUSTED, chainPem: TRUSTED.certPem + issuing.certPem.repeat(300) };
    await expect(get(farm, lane, { shown: endless })).rejects.toThrow();
    expect((await get(farm, lane, { shown: TRUSTED })).status).toBe(200);
  },
);

test('a trailer of the header’s name does not arrive', async () => {
  const farm = await publish('request', { protocol: 'clientCertHeaderName="X-Client-Cert"' });
  const raw = openRaw(farm.httpsPort, { host: HOST, ca: farm.ca });
  raw.socket.write(
    `POST / HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Client-Cert: forged\r\nx_client_cert: forged\r\nX-Sum: 1\r\n\r\n`,
  );
  await raw.until(/200 OK/);
  expect(farm.server.requests[0]?.trailers).toEqual(['X-Sum: 1']);
});

test('a plain listener asks nobody, and what a client writes does not arrive there either', async () => {
  const farm = await publish('require');
  const told = await ask({
    protocol: 'HTTP/1.1',
    port: farm.httpPort,
    host: HOST,
    plain: true,
    headers: { 'X-ARR-ClientCert': 'forged' },
  });
  expect([told.status, header(farm.server.requests[0])]).toEqual([200, []]);
});
