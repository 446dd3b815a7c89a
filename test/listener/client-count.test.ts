import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createClientCount } from '../../src/listener/client-count.ts';
import { createClientCounts } from '../../src/service/client-counts.ts';

const from = (remoteAddress: string) => Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket;

test('an address, and a /64 of IPv6, has so many connections; one that closes makes room', () => {
  const count = createClientCount(2, () => true);
  const admitted = (address: string) => count.admit(from(address));
  expect(['192.0.2.1', '::ffff:192.0.2.1', '192.0.2.1', '192.0.2.2'].map(admitted)).toEqual([true, true, false, true]);
  const last = from('2001:db8::9:1');
  expect(count.admit(last)).toBe(true);
  expect(['2001:db8::1:1', '2001:db8::2:2', '2001:db8:0:1::1'].map(admitted)).toEqual([true, false, true]);
  last.emit('close');
  expect(['2001:db8::3:3', '2001:db8::3:3'].map(admitted)).toEqual([true, false]);
});

test('what a client has in other processes counts; who is no client has as many as there can be', () => {
  const count = createClientCount(3, (address) => address !== '10.0.0.1');
  count.elsewhere(new Map([['192.0.2.1', 2]]));
  expect(['192.0.2.1', '192.0.2.1'].map((address) => count.admit(from(address)))).toEqual([true, false]);
  expect(Array.from({ length: 9 }, () => count.admit(from('10.0.0.1')))).toEqual(Array(9).fill(true));
  expect([...count.from(1)]).toEqual([['192.0.2.1', 1]]);
  expect([...count.from(2)]).toEqual([]);
});

test('the supervisor tells each worker what the others have, and forgets one that has ended', () => {
  const counts = createClientCounts();
  expect(counts.heard(1, new Map([['a', 5]])).counts).toEqual(new Map());
  expect(counts.heard(2, new Map([['b', 1]])).counts).toEqual(new Map([['a', 5]]));
  expect(counts.heard(3, new Map([['a', 2]])).counts).toEqual(
    new Map([
      ['a', 5],
      ['b', 1],
    ]),
  );
  expect(counts.heard(2, new Map()).counts).toEqual(new Map([['a', 7]]));
  counts.lost(1);
  expect(counts.heard(2, new Map()).counts).toEqual(new Map([['a', 2]]));
});
