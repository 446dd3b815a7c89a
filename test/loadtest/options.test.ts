/** The arguments of the load test, and the pure parts of its measuring. */
import { expect, test } from 'vitest';
import { LoadtestFailure } from '../../loadtest/failure.ts';
import { parseFinished, parseRequestLog } from '../../loadtest/load/h2load.ts';
import { loadResult } from '../../loadtest/load/load.ts';
import { roundAmount } from '../../loadtest/measure.ts';
import { readOptions } from '../../loadtest/options.ts';
import { createProgress } from '../../loadtest/progress.ts';
import { SCENARIOS } from '../../loadtest/scenarios.ts';

const names = (list: readonly { readonly name: string }[]) => list.map(({ name }) => name);

test('without arguments everything runs, three rounds of it', () => {
  const options = readOptions([]);
  expect(names(options.scenarios)).toEqual(names(SCENARIOS));
  expect(names(options.competitors)).toEqual([
    ...['lychgate', 'relay', 'pooled', 'bare-tls'],
    ...['nginx', 'haproxy', 'caddy', 'http-proxy'],
  ]);
  expect(options).toMatchObject({ quick: false, check: false, rounds: 3, seconds: 4, connections: 8000 });
  expect(options.out).toMatch(/loadtest\/results$/);
});

test('--quick takes the scenarios marked for it, in as many rounds, since one tells of no spread; other options still count', () => {
  const options = readOptions(['--quick', '--seconds', '0.2', '--check', '--out', 'there']);
  expect(names(options.scenarios)).toEqual(names(SCENARIOS.filter(({ quick }) => quick)));
  expect(options).toMatchObject({ quick: true, check: true, rounds: 3, seconds: 0.2, out: 'there' });
  expect(names(readOptions(['--quick', '--only', '100m']).scenarios)).toEqual(['100m']);
});

test('--only and --against choose, in the order of the tables; Lychgate always runs', () => {
  const options = readOptions(['--only', 'idle,small', '--against', 'bare-tls,nginx']);
  expect(names(options.scenarios)).toEqual(['small', 'idle']);
  expect(names(options.competitors)).toEqual(['lychgate', 'bare-tls', 'nginx']);
});

test.each([
  [['--only', 'smal'], '"smal"'],
  [['--against', 'iis'], '"iis"'],
  [['--rounds', '0'], '--rounds'],
  [['--seconds', 'long'], '--seconds'],
  [['--fast'], '--fast'],
])('%j is refused', (args, said) => {
  expect(() => readOptions(args)).toThrow(LoadtestFailure);
  expect(() => readOptions(args)).toThrow(said);
});

test('an amount is the same for every connection, and never nothing', () => {
  const small = SCENARIOS.find(({ name }) => name === 'small');
  if (small?.kind !== 'load') throw new Error('no such scenario');
  expect([0, 47, 49, 1000].map((amount) => roundAmount(small, amount))).toEqual([32, 32, 64, 992]);
});

test('percentiles of what was answered; what is missing has failed', () => {
  const job = { amount: 102 } as Parameters<typeof loadResult>[0];
  const times = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(loadResult(job, times, 2)).toEqual({ succeeded: 100, failed: 2, seconds: 2, p50: 51, p99: 100 });
  expect(loadResult(job, [], 2)).toEqual({ succeeded: 0, failed: 102, seconds: 2, p50: 0, p99: 0 });
});

test('what h2load writes', () => {
  expect(parseFinished('progress: 100% done\n\nfinished in 14.97ms, 267.25 req/s, 133.50KB/s\n')).toBeCloseTo(0.01497);
  expect(parseFinished('finished in 2.50s, 1 req/s, 1KB/s')).toBe(2.5);
  expect(parseFinished('Could not resolve')).toBeUndefined();
  expect(
    parseRequestLog('1700000000000001\t200\t1500\n1700000000000002\t404\t900\n1700000000000003\t204\t20\n'),
  ).toEqual([1.5, 0.02]);
});

test('progress: lines for a file, one line written over on a terminal', () => {
  const written: string[] = [];
  const output = { write: (text: string) => written.push(text) };
  const plain = createProgress(output, 2);
  plain.show('warms up');
  plain.step('one');
  plain.note('failed');
  plain.clear();
  expect(written.splice(0)).toEqual(['[1/2] one\n', 'failed\n']);
  const terminal = createProgress({ ...output, isTTY: true, columns: 40 }, 2);
  terminal.step('one');
  terminal.step('two');
  expect(written[1]).toBe('\r\u001b[K[############............]  50 %  two');
});
