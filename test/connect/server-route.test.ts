/** Where connections of an endpoint may go. */

import type { LookupAddress } from 'node:dns';
import { networkInterfaces } from 'node:os';
import pino from 'pino';
import { describe, expect, test } from 'vitest';
import { createOwnListeners } from '../../src/connect/own-listeners.ts';
import { createResolver } from '../../src/connect/resolve.ts';
import { ResolvedName } from '../../src/connect/resolved-name.ts';
import { createServerRoute } from '../../src/connect/server-route.ts';
import { plainAddress } from '../../src/ip-address.ts';

const NAME = 'inner.example';
const LISTENERS = [
  { name: '*:443', address: '*', port: 443 },
  { name: '127.0.0.1:9443 (admin)', address: '127.0.0.1', port: 9443 },
  { name: '0.0.0.0:8080', address: '0.0.0.0', port: 8080 },
  { name: '[2001:db8::5]:444', address: '2001:db8::5', port: 444 },
];
const own = createOwnListeners(LISTENERS);
const machine = Object.values(networkInterfaces()).flatMap((each) => (each ?? []).map(({ address }) => address));

interface Asked {
  readonly host?: string;
  readonly port?: number;
  readonly computedHost?: boolean;
  readonly localAddress?: string;
  readonly hosts?: Record<string, string>;
}

/** The addresses that are left of an answer, or why none is. */
function reached(answer: readonly string[], asked: Asked = {}): Promise<string[] | string> {
  const { host = NAME, port = 443, computedHost = false, localAddress, hosts = {} } = asked;
  const found = answer.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  const resolver = createResolver({ hosts, dns: [] }, () => Promise.resolve(found));
  const name = new ResolvedName(host, resolver, pino({ level: 'silent' }));
  const route = createServerRoute({ address: host, port, computedHost, localAddress }, name, own);
  return new Promise((resolve) =>
    route.lookup(host, { all: true }, (error, addresses) =>
      resolve(error ? error.message : (addresses as LookupAddress[]).map(({ address }) => address)),
    ),
  );
}

function refusal(host: string, port: number, computedHost = false): string | undefined {
  const resolver = createResolver({ hosts: {}, dns: [] });
  const name = new ResolvedName(host, resolver, pino({ level: 'silent' }));
  return createServerRoute({ address: host, port, computedHost, localAddress: undefined }, name, own).refusal()?.reason;
}

describe('our own listeners (R19)', () => {
  test.each([...machine, '127.0.0.1', '127.8.9.10', '::1', '::ffff:127.0.0.1'])(
    'a listener on * takes %s with its port, and with no other',
    async (address) => {
      expect(own(address, 443)?.name).toBe('*:443');
      expect(own(address, 4443)).toBeUndefined();
      expect(await reached([address])).toMatch(
        /^inner\.example:443: no connection to \S+: port 443 there is our own listener \*:443$/,
      );
      expect(await reached([address], { port: 4443 })).toEqual([plainAddress(address)]);
    },
  );

  test.each([
    ['127.0.0.1', 9443, true],
    ['127.0.0.2', 9443, false],
    ['::1', 9443, false],
    ['127.0.0.2', 8080, true],
    ['::1', 8080, false],
    ['2001:DB8:0::5', 444, true],
    ['2001:db8::6', 444, false],
    ['203.0.113.77', 443, false],
  ])('%s port %i: %s', (address, port, ours) => {
    expect(own(address, port) !== undefined).toBe(ours);
  });

  test('where other addresses are left, those are used', async () => {
    expect(await reached(['127.0.0.1', '10.0.0.5', '::1'])).toEqual(['10.0.0.5']);
  });

  test('an IP address is refused too, and nothing is looked up for it', () => {
    expect(refusal('127.0.0.1', 9443)).toBe(
      '127.0.0.1:9443: no connection to 127.0.0.1: port 9443 there is our own listener 127.0.0.1:9443 (admin)',
    );
    expect(refusal('0.0.0.0', 9443)).toContain('no server can have that address');
    expect(refusal('224.0.0.1', 80)).toContain('no server can have that address');
    expect(refusal('127.0.0.1', 9444)).toBeUndefined();
    // A host that a request chose, and that upstream.allow names, is meant.
    expect(refusal('127.0.0.1', 9444, true)).toBeUndefined();
  });
});

describe('a host that a request chose (R20)', () => {
  const chosen = { computedHost: true, port: 8081 };

  test.each(['127.0.0.1', '127.1.2.3', '::1', '::ffff:7f00:1', '169.254.169.254', 'fe80::1', 'fe80::1%lo'])(
    'does not lead to %s, unless hosts says so',
    async (address) => {
      expect(await reached([address], chosen)).toMatch(/a host that a request chose may lead there only where "hosts"/);
      expect(await reached([address], { ...chosen, computedHost: false })).toHaveLength(1);
      expect(await reached([], { ...chosen, hosts: { [NAME]: address } })).toEqual([address]);
    },
  );

  test('may lead to private networks, and to what is left', async () => {
    const inner = ['10.0.0.1', '172.16.0.1', '192.168.1.1', 'fd00::1', '100.64.0.1'];
    expect(await reached(['127.0.0.1', ...inner, '169.254.1.1'], chosen)).toEqual(inner);
  });

  test('not to ourselves, whatever hosts says', async () => {
    expect(await reached([], { ...chosen, port: 9443, hosts: { [NAME]: '127.0.0.1' } })).toContain('our own listener');
  });
});

test('localAddress leaves the addresses of its family', async () => {
  const both = ['fd00::9', '10.0.0.9'];
  expect(await reached(both, { localAddress: '10.0.0.2' })).toEqual(['10.0.0.9']);
  expect(await reached(both, { localAddress: 'fd00::2' })).toEqual(['fd00::9']);
  expect(await reached(['fd00::9'], { localAddress: '10.0.0.2' })).toContain('no way from 10.0.0.2');
});
