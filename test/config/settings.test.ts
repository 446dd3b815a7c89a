import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { reportInto } from '../../src/config/diagnostic.ts';
import { newSession } from '../../src/config/load-session.ts';
import { readSettings } from '../../src/config/settings.ts';
import { settingsSchema } from '../../src/config/settings-schema.ts';
import { parseSettings } from '../../src/config/settings-text.ts';
import { leastCpuTime } from '../cpu-time.ts';
import { unmark, writeFiles } from './written.ts';

function read(source: string) {
  const folder = writeFiles({ 'config/settings.json': source });
  const session = newSession();
  return { ...readSettings(join(folder, 'config/settings.json'), session), diagnostics: session.diagnostics, folder };
}

const cases: readonly (readonly [what: string, code: string, marked: string])[] = [
  ['no JSON', 'LG6001', '{"http2": «yes»}'],
  ['comma that is missing lines above', 'LG6001', '{"certificates": ["../certs"]«» // ours\n\n  "http2": true}'],
  ['comma that is missing in a list', 'LG6001', '{"dns": ["10.0.0.1"«» "10.0.0.2"]}'],
  ['colon that is missing', 'LG6001', '{"http2"«»\n true}'],
  ['brace that is missing', 'LG6001', '{"http2": true«» // ours\n\n'],
  ['lists too deep', 'LG6001', `{"hosts": {"a": ${'['.repeat(254)}«[»${'['.repeat(100_000)}`],
  ['objects too deep', 'LG6001', `${'{"a":'.repeat(256)}«{»"a": 1${'}'.repeat(257)}`],
  ['unknown key', 'LG6002', '{«"htp2"»: true}'],
  ['unknown key inside', 'LG6002', '{"limits": {«"headerByte"»: 1}}'],
  ['wrong type', 'LG6003', '{"http2": «"yes"»}'],
  ['wrong type of the whole', 'LG6003', '«[]»'],
  ['wrong type in a list', 'LG6003', '{"dns": [«1»]}'],
  ['number out of range', 'LG6004', '{"limits": {"headerCount": «0»}}'],
  ['fraction', 'LG6004', '{"limits": {"headerCount": «1.5»}}'],
  ['unknown name', 'LG6004', '{"tls": {"minVersion": «"TLSv1.1"»}}'],
  ['faulty address', 'LG6004', '{"hosts": {"a": «"10.0.0"»}}'],
  ['faulty listener', 'LG6004', '{"tls": {"legacyListeners": [«"10.0.0.1"»]}}'],
  ['faulty network', 'LG6004', '{"trustedProxies": [«"10.0.0.0/33"»]}'],
  ['faulty pin', 'LG6004', '{"farms": {"f": {"pins": [«"abc"»]}}}'],
  ['faulty workers', 'LG6003', '{"workers": «true»}'],
  ['admin true', 'LG6003', '{"admin": «true»}'],
  ['probe without a URL', 'LG6004', '{"farms": {"f": {"probes": [«{"interval": 5}»]}}}'],
  ['probe of a path', 'LG6004', '{"farms": {"f": {"probes": [{"url": «"/health"»}]}}}'],
  ['probe with a login', 'LG6004', '{"farms": {"f": {"probes": [{"url": «"http://me:secret@f/"»}]}}}'],
  [
    'codes in reverse',
    'LG6004',
    '{"farms": {"f": {"probes": [{"url": "http://f/", "statusCodeMatch": «"399-200"»}]}}}',
  ],
  ['latency too often', 'LG6004', '{"farms": {"f": {"outlierLatency": {"period": «0.5»}}}}'],
  ['missing file', 'LG6004', '{"iis": [«{"site": "s"}»]}'],
  ['faulty host name', 'LG6004', '{"hosts": {«"a b"»: "10.0.0.1"}}'],
  ['empty host name', 'LG6004', '{"hosts": {«""»: "10.0.0.1"}}'],
  ['port at an address of ours', 'LG6004', '{"addresses": {"10.0.0.1": «"10.0.0.5:443"»}}'],
  ['network in place of an address of ours', 'LG6004', '{"addresses": {"10.0.0.1": «"10.0.0.0/24"»}}'],
  ['mistyped address of ours', 'LG6004', '{"addresses": {"10.0.0.1": «"10.0.0.256"»}}'],
  ['mistyped IPv6 address of ours', 'LG6004', '{"addresses": {"10.0.0.1": «"fd00::g"»}}'],
  ['address of a link without the link', 'LG6004', '{"addresses": {"10.0.0.1": «"FE80:0::1"»}}'],
  ['no character', 'LG6011', '«»'],
  ['comments alone', 'LG6011', '«»// nothing\n /* yet */'],
  ['address of bindings that is none', 'LG6004', '{"addresses": {«"*"»: "eth0"}}'],
  ['address in another spelling', 'LG6005', '{"addresses": {"2001:db8::1": "*", «"2001:DB8:0::1"»: "*"}}'],
  ['key twice', 'LG6005', '{"http2": true, «"http2"»: false}'],
  ['host twice in another case', 'LG6005', '{"hosts": {"a": "10.0.0.1", «"A"»: "10.0.0.2"}}'],
];

describe('faults of the settings', () => {
  it.each(cases)('%s', (_what, code, marked) => {
    const { text, places } = unmark(marked);
    const { diagnostics } = read(text);
    const found = diagnostics.find((diagnostic) => diagnostic.code === code);
    expect({ place: [found?.span.start, found?.span.end], all: diagnostics.map((one) => one.code) }).toMatchObject({
      place: places[0],
      all: expect.arrayContaining([code]),
    });
  });

  it('proposes every kind of value that may stand there', () => {
    expect(read('{"workers": "many"}').diagnostics[0]?.advice).toBe('Write "auto" or a whole number.');
    expect(read('{"admin": {"address": "x"}}').diagnostics[0]?.advice).toBe(
      'Write false or address:port, as in 127.0.0.1:9443.',
    );
  });

  it.each([
    ['{"log": {"level": "inof"}}', 'Did you mean "info"? Write one of "trace", '],
    ['{"log": {"access": {"format": "w3C"}}}', 'Did you mean "w3c"? Write one of '],
    ['{"log": {"level": "loud"}}', 'Write one of "trace", '],
    ['{"workers": "atuo"}', 'Did you mean "auto"? Write "auto" or a whole number.'],
  ])('proposes the name that was meant: %s', (source, advice) => {
    expect(read(source).diagnostics[0]?.advice).toMatch(new RegExp(`^${advice.replaceAll('?', '\\?')}`));
  });

  it('takes an address of a link with its interface', () => {
    expect(read('{"addresses": {"10.0.0.1": "fe80::1%eth0", "fe80::2": "fe80::1%2"}}').diagnostics).toEqual([]);
  });

  it('proposes the key that was meant', () => {
    expect(read('{"trustedProxy": []}').diagnostics[0]?.advice).toBe('Did you mean "trustedProxies"?');
  });
});

describe('many keys at the top that are not known', () => {
  const many = (count: number) => `{ ${Array.from({ length: count }, (_, index) => `"wrok${index}": 0`).join(', ')} }`;

  it('are read in a time that grows with their number', async () => {
    const [few, more] = [many(10_000), many(80_000)];
    const parse = (text: string) => parseSettings('f', text, reportInto([]));
    // Eight times as many; with the square of it, sixty-four times the time.
    const one = await leastCpuTime(() => parse(few));
    expect(await leastCpuTime(() => parse(more), 24 * one)).toBeLessThan(24 * one);
  });

  it('do not hide which known one was refused, or meant', () => {
    const { misread } = parseSettings('f', '{"http2": 1, "dns": [], "workrs": 2, "limits": {"a": 0}}', reportInto([]));
    expect([...misread]).toEqual(['http2', 'workers', 'limits']);
  });
});

describe('settings', () => {
  it('are all at their defaults in an absent file, an empty one and an empty object', () => {
    const folder = writeFiles({});
    const absent = readSettings(join(folder, 'settings.json'), newSession());
    const { settings } = absent;
    expect(settings.limits).toEqual({
      headerBytes: 65536,
      headerCount: 200,
      targetBytes: 16384,
      connections: 20000,
      connectionsPerAddress: 2000,
      pinned: 10000,
      trailerBytes: 8192,
    });
    expect(settings.timeouts).toEqual({
      handshake: 10,
      header: 20,
      idle: 120,
      body: 60,
      connect: 10,
      upgradeIdle: 3600,
      drain: 30,
      hang: 30,
    });
    expect(settings.admin).toEqual({ address: '127.0.0.1', port: 9443 });
    expect([settings.workers, settings.http2, settings.tls.minVersion]).toEqual(['auto', true, 'TLSv1.2']);
    expect(settings.certificates[0]).toMatchObject({ kind: 'path', path: join(folder, '../certs') });
    expect(absent.iis).toEqual([{ file: join(folder, 'applicationHost.config') }]);
    for (const source of ['{}', '', '// nothing\n{\n}']) {
      const given = read(source);
      // What holds nothing at all may be the rest of a file.
      expect(given.diagnostics.map(({ code }) => code)).toEqual(source === '' ? ['LG6011'] : []);
      expect({ ...given.settings, file: '', certificates: [] }).toEqual({ ...settings, file: '', certificates: [] });
    }
  });

  it('take every key', () => {
    const { settings, iis, bindings, diagnostics, folder } = read(`{
      // comments are fine
      "iis": ["a.config", {"file": "b.config", "site": "S", "path": "/p"}],
      "bindings": [{"protocol": "http", "address": "10.0.0.5", "host": "WWW.Contoso.com"}, {"port": 4443}],
      "certificates": ["x.pfx", {"cert": "c.pem", "key": "/k.pem", "listeners": ["203.0.113.5:443"]}],
      "defaultCertificate": {"*:443": "meet"},
      "tls": {"minVersion": "TLSv1.3", "ciphers": "HIGH", "legacyListeners": ["[::1]:443"]},
      "hosts": {"WebExt.contoso.com": "10.0.0.20"},
      "dns": ["10.0.0.53", "10.0.0.54:5353"],
      "upstream": {"ca": "ca.pem", "localAddress": "10.0.0.9", "allow": ["A.example"]},
      "farms": {"Pool": {"verify": "chain", "serverName": "x", "pins": [], "localAddress": "10.0.0.9"}},
      "workers": 3, "http2": false,
      "addresses": {"203.0.113.10": "eth0", "2001:DB8:0::1": "FD00:0::1", "10.1.2.3": "*"},
      "trustedProxies": ["10.0.0.1", "2001:DB8::/32"], "publicAddresses": ["203.0.113.5"], "acknowledge": ["ipSecurity"],
      "limits": {"bodyBytes": 5000000000, "connectionsPerAddress": 9},
      "timeouts": {"idle": 0.5},
      "log": {"level": "debug", "access": {"format": "w3c", "file": "access.log", "fields": ["date", "time"]}},
      "admin": {"address": "127.0.0.1:9000", "tokenFile": "token"},
    }`);
    const at = (name: string) => join(folder, 'config', name);
    expect(diagnostics).toEqual([]);
    expect(iis).toMatchObject([{ file: at('a.config') }, { file: at('b.config'), site: 'S', path: '/p' }]);
    expect(bindings).toMatchObject([
      { protocol: 'http', address: '10.0.0.5', port: 80, host: 'www.contoso.com', site: 'Default Web Site' },
      { protocol: 'https', address: '*', port: 4443, host: '' },
    ]);
    expect(settings).toMatchObject({
      certificates: [
        { kind: 'path', path: at('x.pfx') },
        { kind: 'files', cert: at('c.pem'), key: '/k.pem', listeners: ['203.0.113.5:443'] },
      ],
      defaultCertificate: { byListener: { '*:443': { name: 'meet' } } },
      tls: { minVersion: 'TLSv1.3', ciphers: 'HIGH', legacyListeners: ['[::1]:443'] },
      hosts: { 'webext.contoso.com': '10.0.0.20' },
      dns: ['10.0.0.53', '10.0.0.54:5353'],
      upstream: { ca: [{ path: at('ca.pem') }], localAddress: '10.0.0.9', allow: ['a.example'] },
      workers: 3,
      http2: false,
      addresses: [
        { binding: '203.0.113.10', interface: 'eth0', places: [] },
        { binding: '2001:db8::1', places: ['fd00::1'] },
        { binding: '10.1.2.3', places: ['*'] },
      ],
      trustedProxies: ['10.0.0.1/32', '2001:db8::/32'],
      publicAddresses: ['203.0.113.5'],
      acknowledge: ['ipSecurity'],
      limits: { bodyBytes: 5000000000, connectionsPerAddress: 9 },
      timeouts: { idle: 0.5, body: 60 },
      log: { level: 'debug', access: { format: 'w3c', file: at('access.log'), fields: ['date', 'time'] } },
      admin: { address: '127.0.0.1', port: 9000, tokenFile: { path: at('token') } },
    });
    const farm = { verify: 'chain', serverName: 'x', pins: [], localAddress: '10.0.0.9' };
    expect([...settings.farms]).toMatchObject([['pool', farm]]);
    // A name of JavaScript is a name like any other.
    expect(settings.farms.get('constructor')).toBeUndefined();
  });

  it.each(['{"admin": false}', '{"admin": {"address": false}}'])('switch the admin listener off: %s', (source) => {
    expect(read(source).settings.admin).toBe(false);
  });

  it('fit the schema file', () => {
    const file = join(import.meta.dirname, '../../config/settings.schema.json');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(JSON.parse(JSON.stringify(settingsSchema())));
  });
});

describe('what is not JSON is one finding, with what is to be written', () => {
  it.each([
    ['an open quote in a list', '{ "certificates": [«"../certs], "»workers": "x" }', 'Close it with a quotation mark: ".'],
    ['of a name', '{ «"workers: 2, "»log": { "level": "info" } }', 'Close it with a quotation mark: ".'],
    ['of a value of another type', '{ "log": «"x, "»level": 1 }', 'Close it with a quotation mark: ".'],
    ['of a value that is one of a list', '{ "log": { "level": «"info }, "»workers": 2 }', 'Close it with a quotation mark: ".'],
    ['to the end of the line', '{ "certificates": [«"../certs],»\n  "workers": "x" }', 'Close it with a quotation mark: ".'],
    ['before a number', '{ "a: "«»2 }', undefined],
    ['no quote at the begin', '{ "log": { "level": «info»", "x": 1 } }', 'Write "info", with quotation marks around it.'],
    ['a name without quotes', '{ «workers»: 2 }', 'Write "workers", with quotation marks around it.'],
    ['single quotes', "{ «'workers'»: 2 }", 'Write straight double quotation marks: ".'],
    ['a path of Windows', '{ "certificates": [«"C:\\certs"»] }', 'Write "C:\\\\certs": a backslash stands twice in JSON.'],
    ['with a u', '{ "certificates": [«"D:\\users\\me"»] }', 'Write "D:\\\\users\\\\me": a backslash stands twice in JSON.'],
    ['of which a part is doubled', '{ "certificates": [«"C:\\\\a\\c"»] }', 'Write "C:\\\\a\\\\c": a backslash stands twice in JSON.'],
    ['a share', '{ "iis": [«"\\\\server\\iis"»] }', 'Write "\\\\server\\\\iis": a backslash stands twice in JSON.'],
  ])('%s', (_, marked, cure) => {
    const { text, places } = unmark(marked);
    const { diagnostics } = read(text);
    expect(diagnostics.map(({ code }) => code)).toEqual(['LG6001']);
    if (cure === undefined) return;
    expect(diagnostics.map(({ span, advice }) => [[span.start, span.end], advice])).toEqual([[places[0], cure]]);
  }); // biome-ignore format: one row, one line

  it('what stands before the fault is told too', () => {
    expect(read('{ "wrokers": 2, "log": { "level": "info }, "x": 1 }').diagnostics.map(({ code }) => code)).toEqual([
      'LG6001',
      'LG6002',
    ]);
  });
});
