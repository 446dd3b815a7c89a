import { describe, expect, test } from 'vitest';
import type { ProtocolConfig } from '../../src/config/farm-model.ts';
import { ExchangeError } from '../../src/errors.ts';
import { type ServerRequest, serverHeaders } from '../../src/proxy/request-headers.ts';
import { aConnection, aHead, aProtocol } from './fixtures.ts';

const server = { address: '10.0.0.20', hostName: '' };

function sent(
  headers: readonly string[],
  more: Partial<Omit<ServerRequest, 'protocol' | 'head'>> & {
    protocol?: Partial<ProtocolConfig>;
    head?: Parameters<typeof aHead>[0];
  } = {},
): [string, string][] {
  const lines = serverHeaders({
    server,
    port: 4443,
    scheme: 'https',
    logId: '0d1e',
    setHeaders: undefined,
    chunked: false,
    version: 'HTTP/1.1',
    ...more,
    head: aHead({ headers, ...more.head }),
    protocol: aProtocol(more.protocol),
  });
  return lines
    .split('\r\n')
    .slice(0, -1)
    .map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)]);
}

const valuesOf = (list: [string, string][], name: string) =>
  list.filter(([each]) => each.toLowerCase() === name.toLowerCase()).map(([, value]) => value);

test('the client’s headers keep order, letter case and repetition, and ARR’s stand behind them', () => {
  expect(sent(['X-B', '1', 'aCCept', '*/*', 'x-b', '2'])).toEqual([
    ['Host', 'meet.contoso.com'],
    ['X-B', '1'],
    ['aCCept', '*/*'],
    ['x-b', '2'],
    ['Max-Forwards', '10'],
    ['X-Original-URL', '/a?b'],
    ['X-Forwarded-For', '198.51.100.7:50000'],
    ['X-ARR-SSL', '2048|256|CN=Some CA|CN=meet.contoso.com'],
    ['X-ARR-LOG-ID', '0d1e'],
  ]);
});

describe('hop-by-hop fields (H18)', () => {
  test('what belongs to the client’s connection is not passed on', () => {
    const list = sent([
      'Connection',
      'x-mine, close',
      'X-Mine',
      '1',
      'Keep-Alive',
      '5',
      'TE',
      'trailers',
      'Upgrade',
      'h2c',
    ]);
    for (const name of ['connection', 'x-mine', 'keep-alive', 'te', 'upgrade'])
      expect(valuesOf(list, name)).toEqual([]);
  });

  test('a Connection list takes away neither identity, framing nor what the proxy writes', () => {
    const list = sent([
      'Connection',
      'x-forwarded-for, authorization, host, content-length, cookie, x-arr-log-id, max-forwards, x-original-url, x-arr-ssl',
      'Authorization',
      'Basic x',
      'Cookie',
      'a=b',
      'Content-Length',
      '3',
    ]);
    expect(valuesOf(list, 'authorization')).toEqual(['Basic x']);
    expect(valuesOf(list, 'cookie')).toEqual(['a=b']);
    expect(valuesOf(list, 'content-length')).toEqual(['3']);
    expect(valuesOf(list, 'host')).toEqual(['meet.contoso.com']);
    for (const name of ['x-forwarded-for', 'x-arr-log-id', 'max-forwards', 'x-original-url', 'x-arr-ssl']) {
      expect(valuesOf(list, name)).toHaveLength(1);
    }
  });
});

describe('underscore look-alikes (H19)', () => {
  test.each([
    'X_Forwarded_For',
    'X_Forwarded_Proto',
    'X_Original_URL',
    'Content_Length',
    'Transfer_Encoding',
    'X_ARR_SSL',
    'X-ARR_ClientCert',
    'x_arr_log-id',
    'X_Real_IP',
  ])('%s is dropped', (name) => {
    expect(valuesOf(sent([name, 'forged']), name)).toEqual([]);
  });

  test('they are dropped from a trusted peer too, and other underscores pass', () => {
    const trusted = { head: { connection: aConnection({ trusted: true }) } };
    expect(valuesOf(sent(['X_Forwarded_For', 'forged'], trusted), 'X_Forwarded_For')).toEqual([]);
    expect(valuesOf(sent(['My_Header', 'mine']), 'My_Header')).toEqual(['mine']);
  });
});

describe('forged forwarded headers (H20)', () => {
  const forged = [
    'X-Forwarded-Proto',
    'X-Forwarded-Host',
    'Forwarded',
    'X-Real-IP',
    'X-ARR-SSL',
    'X-ARR-ClientCert',
    'X-Original-URL',
    'Front-End-Https',
    'X-ARR-LOG-ID',
    'X-ARR-Whatever',
    'X-Rewrite-URL',
    'X-Original-Host',
    'Proxy',
    'proxy',
    'X-Forwarded-Ssl',
    'X-Forwarded-Scheme',
    'X-Forwarded-User',
    'X-Forwarded-Prefix',
    'X-Host',
    'X-HTTP-Host-Override',
    'X-Url-Scheme',
    'True-Client-IP',
    'X-Client-IP',
    'X_Rewrite_URL',
  ];
  test.each(forged)('%s from anybody is not believed', (name) => {
    expect(valuesOf(sent([name, 'forged']), name)).not.toContain('forged');
  });

  test('a trusted proxy’s X-Forwarded-Proto passes, its X-ARR-ClientCert never', () => {
    const trusted = { head: { connection: aConnection({ trusted: true }) } };
    const list = sent(['X-Forwarded-Proto', 'https', 'X-ARR-ClientCert', 'forged'], trusted);
    expect(valuesOf(list, 'x-forwarded-proto')).toEqual(['https']);
    expect(valuesOf(list, 'x-arr-clientcert')).toEqual([]);
  });

  test.each(['X-Rewrite-URL', 'X-Forwarded-Ssl', 'X-Forwarded-Scheme', 'X-Host', 'X-Real-IP', 'True-Client-IP'])(
    'a trusted proxy’s %s passes',
    (name) => {
      const trusted = { head: { connection: aConnection({ trusted: true }) } };
      expect(valuesOf(sent([name, 'told'], trusted), name)).toEqual(['told']);
    },
  );

  test('X-Original-URL is ours alone, and nobody sends Proxy', () => {
    const trusted = { head: { connection: aConnection({ trusted: true }) } };
    const list = sent(['X-Original-URL', '/forged', 'Proxy', 'http://forged/', 'X_Original_URL', '/forged'], trusted);
    expect(valuesOf(list, 'x-original-url')).toHaveLength(1);
    expect(JSON.stringify(list)).not.toContain('forged');
  });

  test('X-Forwarded-For beside the farm’s own name for it is nobody’s to forge', () => {
    const protocol = { xForwardedForHeaderName: 'X-Client' };
    expect(valuesOf(sent(['X-Forwarded-For', 'forged'], { protocol }), 'x-forwarded-for')).toEqual([]);
  });

  test.each(['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Proxy', 'Proxy-Status', 'X-Hostname', 'My-Client-IP'])(
    '%s is between a client and its application',
    (name) => {
      expect(valuesOf(sent([name, 'mine']), name)).toEqual(['mine']);
    },
  );

  test('X-Forwarded-For is appended to, and repeated fields become one', () => {
    expect(valuesOf(sent(['X-Forwarded-For', '1.1.1.1', 'x-forwarded-for', '2.2.2.2']), 'x-forwarded-for')).toEqual([
      '1.1.1.1, 2.2.2.2, 198.51.100.7:50000',
    ]);
  });

  test('a thousand hops are cut to the latest, at a comma', () => {
    const hops = Array.from({ length: 1000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join(', ');
    const [value = ''] = valuesOf(sent(['X-Forwarded-For', hops]), 'x-forwarded-for');
    expect(value.length).toBeLessThan(2100);
    expect(value).toMatch(/^10\.0\.\d+\.\d+, .*10\.0\.3\.231, 198\.51\.100\.7:50000$/);
  });
});

test('IPv6 clients stand in brackets, and the port can be left out', () => {
  const head = { connection: aConnection({ remoteAddress: '2001:db8::7' }) };
  expect(valuesOf(sent([], { head }), 'x-forwarded-for')).toEqual(['[2001:db8::7]:50000']);
  expect(valuesOf(sent([], { head, protocol: { includePortInXForwardedFor: false } }), 'x-forwarded-for')).toEqual([
    '2001:db8::7',
  ]);
});

test('an empty name in the farm’s settings sends no such header; another name is used and guarded', () => {
  const protocol = { xForwardedForHeaderName: '', sslHeaderName: 'X-Mine-SSL', logGuidName: '' };
  const list = sent(['x-mine-ssl', 'forged', 'X_Mine_SSL', 'forged'], { protocol });
  expect(valuesOf(list, 'x-forwarded-for')).toEqual([]);
  expect(valuesOf(list, 'x-arr-log-id')).toEqual([]);
  expect(valuesOf(list, 'x-mine-ssl')).toEqual(['2048|256|CN=Some CA|CN=meet.contoso.com']);
});

test('the certificate of a client stands behind X-ARR-SSL, and nobody else writes its field', () => {
  const connection = aConnection({ clientCertificate: { base64: 'MIIB' } });
  const forged = ['X-ARR-ClientCert', 'forged', 'SSL_Cert', 'forged', 'ssl-cert', 'forged'];
  const names = (list: [string, string][]) => list.map(([name]) => name).slice(4, 7);
  expect(names(sent(forged.slice(0, 2), { head: { connection } }))).toEqual([
    'X-ARR-SSL',
    'X-ARR-ClientCert',
    'X-ARR-LOG-ID',
  ]);
  const other = sent(forged, { head: { connection }, protocol: { clientCertHeaderName: 'SSL_CERT' } });
  expect(other.filter(([name]) => /cert/i.test(name))).toEqual([['SSL_CERT', 'MIIB']]);
  const refused = { clientCertificate: { refusal: { kind: 'clientCertificateUntrusted', reason: '' } } } as const;
  expect(valuesOf(sent(forged, { head: { connection: aConnection(refused) } }), 'x-arr-clientcert')).toEqual([]);
});

test('X-ARR-SSL holds ASCII only, and none is sent for a plain client', () => {
  const certificate = { keyBits: 2048, issuer: 'CN=Bücher', subject: 'CN=x\r\ny' };
  const tls = { version: 'TLSv1.3', cipherBits: 256, certificate };
  expect(valuesOf(sent([], { head: { connection: aConnection({ tls }) } }), 'x-arr-ssl')).toEqual([
    '2048|256|CN=B?cher|CN=x??y',
  ]);
  const { tls: _none, ...plain } = aConnection({});
  expect(valuesOf(sent(['X-ARR-SSL', 'forged'], { head: { connection: plain } }), 'x-arr-ssl')).toEqual([]);
});

describe('Host', () => {
  const other = { preserveHostHeader: false };
  test('is the client’s own, byte for byte', () => {
    expect(sent([], { head: { authority: 'Meet.Contoso.com:443' } })[0]).toEqual(['Host', 'Meet.Contoso.com:443']);
  });
  test('is the server’s address where the client’s is not kept', () => {
    expect(sent([], { protocol: other })[0]).toEqual(['Host', '10.0.0.20:4443']);
    expect(sent([], { protocol: other, port: 443 })[0]).toEqual(['Host', '10.0.0.20']);
    expect(sent([], { protocol: other, server: { ...server, hostName: 'fe01' } })[0]).toEqual(['Host', 'fe01']);
    expect(sent([], { protocol: { ...other, alternateHostName: 'alt' } })[0]).toEqual(['Host', 'alt']);
  });
  test('is what a rule sets', () => {
    expect(sent([], { setHeaders: new Map([['host', 'by-rule']]) })[0]).toEqual(['Host', 'by-rule']);
  });
});

test('a rule sets, replaces and removes headers, but no framing', () => {
  const setHeaders = new Map([
    ['x-new', '1'],
    ['accept-encoding', ''],
    ['transfer-encoding', 'chunked'],
    ['content-length', '7'],
  ]);
  const list = sent(['Accept-Encoding', 'gzip', 'X-New', '0'], { setHeaders });
  expect(valuesOf(list, 'x-new')).toEqual(['1']);
  for (const name of ['accept-encoding', 'transfer-encoding']) expect(valuesOf(list, name)).toEqual([]);
});

test('what we write ourselves goes before what a rule sets, and is there once', () => {
  const setHeaders = new Map(
    ['x-arr-ssl', 'x-arr-clientcert', 'x-arr-log-id', 'x-forwarded-by'].map((name) => [name, 'rule']),
  );
  const list = sent([], { setHeaders });
  expect(valuesOf(list, 'x-arr-log-id')).toEqual(['0d1e']);
  expect(valuesOf(list, 'x-arr-clientcert')).toEqual([]);
  expect(valuesOf(list, 'x-arr-ssl')).not.toContain('rule');
  // The farm has no value for it.
  expect(valuesOf(list, 'x-forwarded-by')).toEqual(['rule']);
  expect(valuesOf(sent([], { setHeaders, protocol: { xForwardedByHeader: 'farm' } }), 'x-forwarded-by')).toEqual([
    'farm',
  ]);
});

test('Max-Forwards is counted down, bounded by the farm, and ends a loop with 400.605', () => {
  expect(valuesOf(sent(['Max-Forwards', '4']), 'max-forwards')).toEqual(['3']);
  expect(valuesOf(sent(['Max-Forwards', '4000']), 'max-forwards')).toEqual(['10']);
  expect(valuesOf(sent(['Max-Forwards', 'x']), 'max-forwards')).toEqual(['10']);
  let failure: unknown;
  try {
    sent(['Max-Forwards', '0']);
  } catch (error) {
    failure = error;
  }
  expect(failure).toBeInstanceOf(ExchangeError);
  expect(failure).toMatchObject({ status: 400, subStatus: 605 });
});

test('the cookies of HTTP/2 are joined again', () => {
  const head = { protocol: 'HTTP/2.0' as const };
  expect(valuesOf(sent(['cookie', 'a=1', 'cookie', 'b=2'], { head }), 'cookie')).toEqual(['a=1; b=2']);
});
