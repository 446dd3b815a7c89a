/** One question for the addresses of a name: what is taken of the answer, and what is never asked. */
import type { LookupAddress } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { createResolver, MOST_ADDRESSES, saysNone, whyUnresolved } from '../../src/connect/resolve.ts';
import { startDnsServer } from '../integration/dns-server.ts';

const NAME = 'fe01.contoso.example';

async function withDns() {
  const dns = await startDnsServer();
  return { dns, resolver: createResolver({ hosts: {}, dns: [dns.address] }) };
}

const addressesOf = ({ addresses }: { addresses: readonly LookupAddress[] }) => addresses.map(({ address }) => address);
const refused = (asked: Promise<unknown>) =>
  asked.then(
    () => expect.fail('it was answered'),
    (error: Error & { code?: string }) => error,
  );

describe('the answer of DNS', () => {
  test('has addresses of both families, and the shortest time that one of them holds', async () => {
    const { dns, resolver } = await withDns();
    dns.tell(NAME, { addresses: ['10.0.0.1', '10.0.0.2', 'fd00::1'], ttl: 7 });
    const answer = await resolver.ask(NAME);
    expect(answer.addresses.toSorted((a, b) => a.family - b.family)).toEqual([
      { address: '10.0.0.1', family: 4 },
      { address: '10.0.0.2', family: 4 },
      { address: 'fd00::1', family: 6 },
    ]);
    expect([answer.ttl, answer.untold]).toEqual([7, undefined]);
  });

  test('each address once, and none that no server can have (R20)', async () => {
    const { dns, resolver } = await withDns();
    const nobodys = [
      '0.0.0.0',
      '0.1.2.3',
      '224.0.0.1',
      '239.255.255.255',
      '255.255.255.255',
      '::',
      'ff02::1',
      '::ffff:0:0',
    ];
    dns.tell(NAME, { addresses: [...nobodys, '10.0.0.1', '10.0.0.1', '::ffff:a00:1'] });
    expect(addressesOf(await resolver.ask(NAME))).toEqual(['10.0.0.1']);
    dns.tell(NAME, { addresses: nobodys });
    expect(saysNone(await refused(resolver.ask(NAME)))).toBe(true);
  });

  test.each([
    ['no address', {}, true],
    ['no such name', { code: 'NXDOMAIN' }, true],
    ['a fault of its own', { code: 'SERVFAIL' }, false],
    ['that it does not want to', { code: 'REFUSED' }, false],
  ] as const)('that says %s: an answer or none', async (_, reply, none) => {
    const { dns, resolver } = await withDns();
    dns.tell(NAME, reply);
    expect(saysNone(await refused(resolver.ask(NAME)))).toBe(none);
  });

  test('of 1,000 addresses: the same few of both families, in whatever order they come (R20)', async () => {
    const { dns, resolver } = await withDns();
    const all = Array.from({ length: 500 }, (_, i) => [`10.1.${i >> 8}.${i & 255}`, `fd00::${i.toString(16)}`]).flat();
    dns.tell(NAME, { addresses: all, truncated: true });
    const first = addressesOf(await resolver.ask(NAME));
    dns.tell(NAME, { addresses: all.toReversed(), truncated: true });
    const second = addressesOf(await resolver.ask(NAME));
    expect(first).toHaveLength(MOST_ADDRESSES);
    expect(first.filter((address) => address.includes(':'))).toHaveLength(MOST_ADDRESSES / 2);
    expect(second.toSorted()).toEqual(first.toSorted());
  });

  test('that is cut over UDP is fetched over TCP', async () => {
    const { dns, resolver } = await withDns();
    dns.tell(NAME, { addresses: ['10.0.0.1'], truncated: true });
    expect(addressesOf(await resolver.ask(NAME))).toEqual(['10.0.0.1']);
  });

  test.each(['AAAA', 'A'] as const)(
    'without %s does not wait for it long, and says that it is missing',
    async (silent) => {
      const { dns, resolver } = await withDns();
      dns.tell(NAME, { addresses: ['10.0.0.1', 'fd00::1'], silent });
      const answer = await resolver.ask(NAME);
      expect(addressesOf(answer)).toEqual([silent === 'A' ? 'fd00::1' : '10.0.0.1']);
      expect(answer.untold).toBe(silent === 'A' ? 4 : 6);
      resolver.close();
    },
  );
});

describe('what is not asked', () => {
  test.each(['', '.', 'a b', 'a\0b', '\0', 'a\tb', 'a\r\nb', 'fe01/x', 'a@b', 'a:80', '[::1', 'a%00', 'x'.repeat(254)])(
    'what can be no name: %j (R20)',
    async (name) => {
      const { dns, resolver } = await withDns();
      expect(await refused(resolver.ask(name))).toMatchObject({ code: 'ENOTFOUND' });
      const system = createResolver({ hosts: {}, dns: [] }, () => expect.fail('it was asked'));
      expect(await refused(system.ask(name))).toMatchObject({ code: 'ENOTFOUND' });
      expect(dns.questions).toEqual([]);
    },
  );

  test('addresses, and the names of hosts of settings', () => {
    const { fixed } = createResolver({ hosts: { [NAME]: '10.0.0.9' }, dns: [] });
    expect(fixed('FE01.contoso.example.')).toEqual({ address: '10.0.0.9', family: 4 });
    expect(fixed('10.0.0.1')).toEqual({ address: '10.0.0.1', family: 4 });
    expect(fixed('fe80::1%lo')).toEqual({ address: 'fe80::1%lo', family: 6 });
    expect(fixed('fe02.contoso.example')).toBeUndefined();
  });
});

describe('the resolver of the system', () => {
  test('is asked for two names at once in the whole process, in their order (F13)', async () => {
    const under: { name: string; finish: (found: LookupAddress[]) => void }[] = [];
    const lookup = (name: string) => new Promise<LookupAddress[]>((finish) => under.push({ name, finish }));
    const [one, other] = [
      createResolver({ hosts: {}, dns: [] }, lookup),
      createResolver({ hosts: {}, dns: [] }, lookup),
    ];
    const asked = ['a', 'b', 'c', 'd'].map((name, i) => (i % 2 ? one : other).ask(name));
    expect(under.map(({ name }) => name)).toEqual(['a', 'b']);
    under[1]?.finish([{ address: '10.0.0.2', family: 4 }]);
    expect(addressesOf(await asked[1]!)).toEqual(['10.0.0.2']);
    await expect.poll(() => under.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    for (let i = 0; i < 4; i++) {
      await expect.poll(() => under.length).toBeGreaterThan(i);
      under[i]?.finish([{ address: '10.0.0.1', family: 4 }]);
    }
    for (const each of await Promise.all(asked)) expect(each.ttl).toBeUndefined();
    // What nobody needs any more is not begun.
    const ended = createResolver({ hosts: {}, dns: [] }, lookup);
    const late = ['e', 'f', 'g'].map((name) => ended.ask(name));
    await expect.poll(() => under.map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd', 'e', 'f']);
    ended.close();
    for (const { finish } of under.slice(4)) finish([{ address: '10.0.0.1', family: 4 }]);
    expect(await refused(late[2]!)).toMatchObject({ code: 'ECANCELLED' });
    // Failures make room too.
    const failing = createResolver({ hosts: {}, dns: [] }, () => Promise.reject(new Error('EAI_AGAIN')));
    for (let i = 0; i < 3; i++) expect((await refused(failing.ask('x'))).message).toBe('EAI_AGAIN');
  });

  test('may give a scope, which is kept to connect with', async () => {
    const resolver = createResolver({ hosts: {}, dns: [] }, () =>
      Promise.resolve([
        { address: 'FE80:0::1%lo', family: 6 },
        { address: 'fe80::1', family: 6 },
      ]),
    );
    expect(addressesOf(await resolver.ask('link'))).toHaveLength(1);
  });
});

test('why a name has no address is told in words', async () => {
  const { dns, resolver } = await withDns();
  dns.tell(NAME, { addresses: [] });
  expect(whyUnresolved(await refused(resolver.ask(NAME)))).toBe('DNS has no address for it');
  expect(whyUnresolved(await refused(resolver.ask('a b')))).toBe('this can be no name');
  const fault = (code: string) =>
    Object.assign(new Error(`getaddrinfo ${code} fe01`), { code, syscall: 'getaddrinfo' });
  const system = createResolver({ hosts: {}, dns: [] }, () => Promise.reject(fault('ENOTFOUND')));
  expect(whyUnresolved(await refused(system.ask(NAME)))).toBe('neither a hosts file nor DNS knows it');
  expect(whyUnresolved(fault('EAI_AGAIN'))).toBe('no DNS server answers');
});
