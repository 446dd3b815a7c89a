/** `addresses` of settings.json: what stands on this machine for the addresses of bindings, which no IIS file has to say. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { planListeners } from '../../src/decide/listener-plan.ts';
import { createSiteTable, matchSite } from '../../src/decide/match-site.ts';
import { listenFault } from '../../src/listener/listener.ts';
import { describeMachine, type Interfaces, likelyAddress } from '../../src/listener/machine-addresses.ts';
import { checkLoop } from '../../src/publication/check-loop.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { findAddresses } from '../../src/service/find-addresses.ts';
import { commandLine } from '../cli/command-line.ts';
import { ask } from '../integration/clients.ts';
import { authority, type Folder, startProxy, writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { isListening, marked } from './processes.ts';

type Certificates = Readonly<Record<string, readonly string[]>>;

/** @param bindings of each site, as in `https 203.0.113.10:443:meet.contoso.com` */
function hostFile(bindings: Readonly<Record<string, readonly string[]>>): string {
  const sites = Object.entries(bindings).map(([name, its], at) => {
    const all = its.map((each) => each.split(' '));
    const lines = all.map(([protocol, text]) => `<binding protocol="${protocol}" bindingInformation="${text}" />`);
    return `<site name="${name}" id="${at + 1}"><bindings>\n${lines.join('\n')}\n</bindings></site>`;
  });
  // Tells what a rule of this site sees.
  const rule = (name: string) => `<location path="${name}"><system.webServer><rewrite><rules><rule name="tell">
<match url=".*" /><action type="Redirect" redirectType="Found" appendQueryString="false" url="https://told.example/${name}/{LOCAL_ADDR}/{SERVER_PORT}" />
</rule></rules></rewrite></system.webServer></location>`;
  return `<configuration><system.applicationHost><sites>${sites.join('\n')}</sites></system.applicationHost>
${Object.keys(bindings).map(rule).join('\n')}</configuration>`;
}

function folderOf(
  bindings: Readonly<Record<string, readonly string[]>>,
  settings: Readonly<Record<string, unknown>>,
  certificates: Certificates = {},
): Folder {
  return writeFolder({ iis: hostFile(bindings), settings, certificates });
}

async function validated({ configDir }: Folder, ...options: string[]) {
  const { out, code } = await commandLine('validate', configDir, '--format', 'json', ...options);
  const { diagnostics: all } = JSON.parse(out) as { diagnostics: Diagnostic[] };
  // The certificates of tests stand without their authority.
  const diagnostics = all.filter((each) => each.code !== 'LG4008');
  return { code, diagnostics, codes: diagnostics.map((each) => each.code) };
}

const A = '203.0.113.10';
const B = '203.0.113.11';
const MEET = 'meet.contoso.com';
const WEBEXT = 'webext.contoso.com';

test('sites, certificates and what rules and logs see go by the address of the binding', async () => {
  const port = await freePort();
  const six = '2001:db8::10';
  const { serving } = await startProxy({
    iis: hostFile({
      Outside: [`https ${A}:${port}:${MEET}`],
      Inside: [`https ${B}:${port}:${MEET}`],
      Six: [`https [2001:0DB8:0::10]:${port}:${MEET}`],
    }),
    certificates: { outside: [MEET, 'outside.example'], inside: [MEET, 'inside.example'] },
    settings: {
      addresses: { [A]: '127.0.0.5', [B]: '127.0.0.6', [six.toUpperCase()]: '127.0.0.7' },
      certificates: [
        { cert: '../certs/outside.crt', key: '../certs/outside.key', listeners: [`${A}:${port}`] },
        {
          cert: '../certs/inside.crt',
          key: '../certs/inside.key',
          listeners: [`${B}:${port}`, `[2001:DB8:0:0::10]:${port}`],
        },
      ],
    },
  });
  expect(serving.listeners.map(({ plan }) => plan.name)).toEqual([
    `${A}:${port} at 127.0.0.5:${port}`,
    `${B}:${port} at 127.0.0.6:${port}`,
    `[${six}]:${port} at 127.0.0.7:${port}`,
  ]);
  const seen = async (address: string) => {
    const { headers, certificate } = await ask({
      protocol: 'HTTP/1.1',
      address,
      port,
      host: MEET,
      ca: authority.certPem,
    });
    return [headers.location, certificate];
  };
  expect(await seen('127.0.0.5')).toEqual([
    `https://told.example/Outside/${A}/${port}`,
    `DNS:${MEET}, DNS:outside.example`,
  ]);
  expect(await seen('127.0.0.6')).toEqual([
    `https://told.example/Inside/${B}/${port}`,
    `DNS:${MEET}, DNS:inside.example`,
  ]);
  expect((await seen('127.0.0.7'))[0]).toBe(`https://told.example/Six/${six}/${port}`);
  expect(await isListening(port)).toBe(false);
});

test('bindings that differ by host name alone may share an address, whose listener serves all of them', async () => {
  const port = await freePort();
  await startProxy({
    iis: hostFile({ One: [`http ${A}:${port}:${MEET}`], Two: [`http ${B}:${port}:${WEBEXT}`] }),
    settings: { addresses: { [A]: '*', [B]: '*' } },
  });
  for (const [host, site] of [
    [MEET, 'One'],
    [WEBEXT, 'Two'],
  ] as const) {
    const { headers } = await ask({ protocol: 'HTTP/1.1', port, host, plain: true });
    expect(headers.location).toBe(`https://told.example/${site}/${A}/${port}`);
  }
});

const BOTH = { addresses: { [A]: '10.0.0.5', [B]: '10.0.0.5' } };
const tied = (name: string, ...listeners: string[]) => ({
  cert: `../certs/${name}.crt`,
  key: `../certs/${name}.key`,
  listeners,
});

test.each<
  [string, Readonly<Record<string, readonly string[]>>, Readonly<Record<string, unknown>>, Certificates, string]
>([
  ['sites without host names', { One: [`http ${A}:80:`], Two: [`http ${B}:80:`] }, BOTH, {}, 'requests for any host'],
  [
    'a host that the other has for any',
    { One: [`http ${A}:80:`], Two: [`http ${B}:80:${MEET}`] },
    BOTH,
    {},
    `requests for ${MEET} are for site "Two" at ${B}:80 and for "One" at ${A}:80`,
  ],
  [
    'a wildcard',
    { One: [`http ${A}:80:*.contoso.com`], Two: [`http ${B}:80:*.contoso.com`] },
    BOTH,
    {},
    'requests for *.contoso.com are for',
  ],
  [
    'protocols',
    { One: [`http ${A}:443:a`, `https ${B}:443:b`] },
    BOTH,
    { b: ['b'] },
    `http at ${A}:443 and https at ${B}:443`,
  ],
  [
    'certificates for clients without SNI',
    { One: [`https ${A}:443:${MEET}`, `https ${B}:443:${WEBEXT}`] },
    BOTH,
    { meet: [MEET], webext: [WEBEXT] },
    `clients that name no host get the certificate of ${MEET} at ${A}:443 and ${WEBEXT} at ${B}:443`,
  ],
  [
    'certificates tied to one',
    { One: [`https ${A}:443:${MEET}`, `https ${B}:443:${MEET}`] },
    { ...BOTH, certificates: [tied('one', `${A}:443`), tied('two', `${B}:443`)] },
    { one: [MEET], two: [MEET] },
    'different certificates are tied to them',
  ],
  [
    'versions of TLS',
    { One: [`https ${A}:443:${MEET}`, `https ${B}:443:${MEET}`] },
    { ...BOTH, tls: { legacyListeners: [`${A}:443`] } },
    { one: [MEET] },
    'legacyListeners',
  ],
  [
    'certificates of clients',
    { One: [`https ${A}:443:${MEET}`, `https ${B}:443:${MEET}`] },
    { ...BOTH, tls: { clientCertificates: { mode: 'require', ca: '../ca.pem', listeners: [`${B}:443`] } } },
    { one: [MEET] },
    'clientCertificates',
  ],
  [
    'sites on one interface, whatever its addresses are',
    { One: [`http ${A}:80:`], Two: [`http ${B}:80:`] },
    { addresses: { [A]: 'eth7', [B]: 'eth7' } },
    {},
    'come in at eth7 (IPv4):80',
  ],
  [
    'a binding that has the other address itself',
    { One: [`http ${A}:80:`], Two: ['http 127.0.0.1:80:'] },
    { addresses: { [A]: '127.0.0.1' } },
    {},
    'come in at 127.0.0.1:80',
  ],
])(
  'different %s on one address are an error with both places',
  async (_what, bindings, settings, certificates, words) => {
    const folder = folderOf(bindings, settings, certificates);
    const { code, diagnostics, codes } = await validated(folder);
    expect([code, codes]).toEqual([1, ['LG5014']]);
    expect(diagnostics[0]?.message).toContain(words);
    const { span, related } = checkConfig(folder.configDir).diagnostics.find((each) => each.code === 'LG5014')!;
    const text = readFileSync(span.file, 'utf8');
    const places = [span, related!.span].map(({ start, end }) => text.slice(start, end));
    expect(places.every((each) => /^<binding .*\/>$/.test(each))).toBe(true);
    expect(new Set(places).size).toBe(2);
  },
);

test.each<[string, Readonly<Record<string, readonly string[]>>, Readonly<Record<string, unknown>>, Certificates]>([
  ['one site on both', { One: [`http ${A}:80:`, `http ${B}:80:`] }, BOTH, {}],
  ['other ports', { One: [`http ${A}:80:`], Two: [`http ${B}:81:`] }, BOTH, {}],
  ['other hosts', { One: [`http ${A}:80:${MEET}`], Two: [`http ${B}:80:${WEBEXT}`] }, BOTH, {}],
  [
    'one certificate for all',
    { One: [`https ${A}:443:${MEET}`], Two: [`https ${B}:443:${WEBEXT}`] },
    BOTH,
    { all: [MEET, WEBEXT] },
  ],
  [
    'a default for clients without SNI',
    { One: [`https ${A}:443:${MEET}`], Two: [`https ${B}:443:${WEBEXT}`] },
    { ...BOTH, defaultCertificate: MEET },
    { meet: [MEET], webext: [WEBEXT] },
  ],
  [
    'both kinds of address on one interface',
    { One: [`http ${A}:80:`], Two: ['http [2001:db8::1]:80:'] },
    { addresses: { [A]: 'eth0', '2001:db8::1': 'eth0' } },
    {},
  ],
])('%s: bindings fall together and nobody can tell', async (_what, bindings, settings, certificates) => {
  expect(await validated(folderOf(bindings, settings, certificates))).toMatchObject({ code: 0, codes: [] });
});

test('validate names the setting once for each file, until it says something of each address', async () => {
  const bindings = { One: [`http ${A}:80:`, `http ${A}:81:`, `http ${B}:80:a`, 'http *:82:', 'http 127.0.0.1:83:'] };
  const { code, diagnostics, codes } = await validated(folderOf(bindings, {}));
  expect([code, codes]).toEqual([0, ['LG5015']]);
  expect(diagnostics[0]?.message).toContain(`${A} and ${B}`);
  expect(diagnostics[0]?.advice).toContain(`"addresses": { "${A}": "eth0", … }`);
  // Where the machine has them itself.
  const itself = { addresses: { [A]: A, [B]: B } };
  expect(await validated(folderOf(bindings, itself), '--strict')).toMatchObject({ code: 0, codes: [] });
  // What settings.json binds is written for this machine.
  const own = { iis: [], bindings: [{ protocol: 'http', address: A }] };
  expect((await validated(folderOf({}, own))).codes).toEqual([]);
});

test('an address that no binding has: a warning; the spelling does not matter', async () => {
  const bindings = { One: ['http [2001:db8:0::5]:80:'] };
  const { codes, diagnostics } = await validated(folderOf(bindings, { addresses: { '2001:DB8::5': '*', [B]: '*' } }));
  expect(codes).toEqual(['LG6009']);
  expect(diagnostics[0]?.message).toContain(B);
});

const MACHINE = {
  lo: [{ address: '127.0.0.1', internal: true }],
  eth0: [{ address: '10.0.0.5' }, { address: '10.0.0.6' }, { address: 'fd00::5' }, { address: 'fe80::1' }],
  eth1: [{ address: '10.1.0.5' }],
} as unknown as Interfaces;

function found(bindings: Readonly<Record<string, readonly string[]>>, addresses: Readonly<Record<string, string>>) {
  const { config } = checkConfig(folderOf(bindings, { addresses }).configDir);
  const diagnostics: Diagnostic[] = [];
  const placed = findAddresses(config!, [], reportInto(diagnostics), MACHINE);
  return { diagnostics, listeners: planListeners(placed) };
}

test('an interface stands for all its addresses of the kind of the binding', () => {
  const { diagnostics, listeners } = found(
    { One: [`http ${A}:80:`, 'http [2001:db8::1]:80:', `http ${B}:80:`] },
    { [A]: 'eth0', '2001:db8::1': 'eth0', [B]: 'eth1' },
  );
  expect(diagnostics).toEqual([]);
  expect(listeners.map(({ name, shared }) => [name, shared])).toEqual([
    [`${A}:80 at 10.0.0.5:80`, true],
    [`${A}:80 at 10.0.0.6:80`, true],
    ['[2001:db8::1]:80 at [fd00::5]:80', true],
    [`${B}:80 at 10.1.0.5:80`, true],
  ]);
});

test('what falls together by an address of an interface is an error of the start; each socket has its own sites', () => {
  const clash = found({ One: [`http ${A}:80:`], Two: [`http ${B}:80:`] }, { [A]: 'eth0', [B]: '10.0.0.6' });
  expect(clash.diagnostics.map(({ code }) => code)).toEqual(['LG5014']);
  expect(clash.diagnostics[0]?.message).toContain('come in at 10.0.0.6:80');
  const apart = found({ One: [`http ${A}:80:a`], Two: [`http ${B}:80:b`] }, { [A]: 'eth0', [B]: '10.0.0.6' });
  expect(apart.diagnostics).toEqual([]);
  const tables = apart.listeners.map(({ bindings }) => createSiteTable(bindings));
  expect(tables.map((table) => [matchSite(table, 'a'), matchSite(table, 'b')])).toEqual([
    ['One', undefined],
    ['One', 'Two'],
  ]);
});

test.each([
  [A, 'eth9', 'This machine has no interface "eth9".'],
  ['2001:db8::1', 'eth1', 'The interface eth1 has no address of IPv6'],
])('%s at %s: an error with what this machine has', (address, name, message) => {
  const bound = address.includes(':') ? `[${address}]` : address;
  const { diagnostics } = found({ One: [`http ${bound}:80:`] }, { [address]: name });
  expect(diagnostics).toMatchObject([{ code: 'LG6010', severity: 'error' }]);
  expect(diagnostics[0]?.message).toContain(message);
  expect(diagnostics[0]?.advice).toContain(
    '127.0.0.1 (lo), 10.0.0.5 (eth0), 10.0.0.6 (eth0), fd00::5 (eth0), 10.1.0.5 (eth1)',
  );
  const { span } = diagnostics[0]!;
  expect(readFileSync(span.file, 'utf8').slice(span.start, span.end)).toBe(`"${name}"`);
});

test('a machine with many addresses is told by some of them, and one that others reach is proposed', () => {
  const many = Array.from({ length: 12 }, (_, at) => ({ address: `10.0.0.${at + 1}` }));
  expect(describeMachine({ eth0: many } as unknown as Interfaces)).toMatch(/10\.0\.0\.10 \(eth0\) and 2 more$/);
  expect([likelyAddress(A, MACHINE), likelyAddress('2001:db8::1', MACHINE)]).toEqual(['10.0.0.5', 'fd00::5']);
  expect(likelyAddress(A, { lo: MACHINE.lo })).toBe('*');
});

test('a server at a mapped listener is this proxy; one at the address of the binding most likely leads here', async () => {
  const farm = (address: string) =>
    `<webFarm name="fe"><server address="${address}"><applicationRequestRouting httpPort="1" httpsPort="8443" /></server></webFarm>`;
  const codes = async (member: string) => {
    const iis = hostFile({ One: [`http ${A}:8443:`] }).replace(
      '</configuration>',
      `<webFarms>${farm(member)}</webFarms></configuration>`,
    );
    const { configDir } = writeFolder({ iis, settings: { addresses: { [A]: '127.0.0.5' } } });
    const diagnostics: Diagnostic[] = [];
    await checkLoop(checkConfig(configDir).config!, reportInto(diagnostics));
    return diagnostics.map(({ code, message }) => [code, /is the listener (\S+ at \S+),/.exec(message)?.[1]]);
  };
  expect(await codes('127.0.0.5')).toEqual([['LG3101', `${A}:8443 at 127.0.0.5:8443`]]);
  expect(await codes(A)).toEqual([['LG3102', undefined]]);
  expect(await codes('127.0.0.6')).toEqual([]);
});

test('run tells all addresses that this machine has not, each once', async () => {
  const [port, other] = [await freePort(), await freePort()];
  const bindings = [`http ${A}:${port}:`, `http ${A}:${other}:`, `http 127.0.0.1:${port}:`, `http ${B}:${port}:`];
  const service = marked(['run', '--config', folderOf({ One: bindings }, { workers: 1 }).configDir]);
  expect(await service.exit()).toBe(3);
  const told = service.stderr().match(/cannot listen on [^ ]+: this machine does not have the address\./g);
  expect(told).toEqual(
    [A, B].map((each) => `cannot listen on ${each}:${port}: this machine does not have the address.`),
  );
});

test('an address of a link without the link: what to write is told', () => {
  const invalid = Object.assign(new Error('listen EINVAL: invalid argument fe80::1:443'), { code: 'EINVAL' });
  const told = (standsFor?: string) => listenFault({ name: 'L', address: 'fe80::1', port: 443, standsFor }, invalid);
  expect(told()).toContain('"addresses": { "fe80::1": "fe80::1%eth0" }');
  expect(told(A)).toContain(`"addresses": { "${A}": "fe80::1%eth0" }`);
  expect(told()).not.toContain('EINVAL');
});

test('run: an address that this machine has not names the setting, and an interface works', async () => {
  const port = await freePort();
  const run = (addresses: Readonly<Record<string, string>>) =>
    marked([
      'run',
      '--config',
      folderOf({ One: [`http ${A}:${port}:`] }, { addresses, workers: 2, log: { level: 'info' } }).configDir,
    ]);
  const unsaid = run({});
  const wrong = run({ [A]: '203.0.113.99' });
  const missing = run({ [A]: 'no-such-interface' });
  expect(await unsaid.exit()).toBe(3);
  expect(unsaid.stderr()).toContain(
    `lychgate: cannot listen on ${A}:${port}: this machine does not have the address. It has ${describeMachine()}: say in settings.json which of them stands for it, as in "addresses": { "${A}": "${likelyAddress(A)}" }.\n`,
  );
  // The start itself sees whether it has the address.
  expect(unsaid.stderr()).not.toContain('LG5015');
  expect(await wrong.exit()).toBe(3);
  expect(wrong.stderr()).toContain(
    `cannot listen on ${A}:${port} at 203.0.113.99:${port}: this machine does not have the address 203.0.113.99, which stands for ${A} by "addresses" in settings.json. It has ${describeMachine()}.\n`,
  );
  expect(await missing.exit()).toBe(1);
  expect(missing.stderr()).toContain('error LG6010 This machine has no interface "no-such-interface".');
  expect(await isListening(port)).toBe(false);

  const [loopback = ''] = Object.entries(networkInterfaces()).flatMap(([name, its]) =>
    its?.some(({ address }) => address === '127.0.0.1') ? [name] : [],
  );
  const right = run({ [A]: loopback });
  await right.prints(/Lychgate serves/);
  expect(right.stderr()).toContain(`${A}:${port} at 127.0.0.1:${port}`);
  const { headers } = await ask({ protocol: 'HTTP/1.1', port, host: 'any.example', plain: true });
  expect(headers.location).toBe(`https://told.example/One/${A}/${port}`);
  await right.prints(new RegExp(`"s-ip":"${A.replaceAll('.', '\\.')}"`));
});
