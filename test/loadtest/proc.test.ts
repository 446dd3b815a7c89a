/** Reading /proc. */
import { expect, test } from 'vitest';
import { cpuBetween } from '../../loadtest/measure.ts';
import {
  cpuOfThreads,
  parseKilobytes,
  parseOpenFiles,
  parseStat,
  readMemory,
  readTree,
  treeOf,
} from '../../loadtest/proc.ts';

const stat = (pid: number, parent: number, cpuSeconds = 0) => ({ pid, parent, cpuSeconds, started: 1 });

test('stat: names may hold blanks and parentheses', () => {
  const line =
    '4242 (a (b) c) 9) S 17 4242 4242 0 -1 4194304 1 0 0 0 150 75 3 4 20 0 11 0 987654 1000 200 18446744073709551615\n';
  expect(parseStat(line)).toEqual({ pid: 4242, parent: 17, cpuSeconds: 2.25, started: 987_654 });
  expect(parseStat('')).toBeUndefined();
  expect(parseStat('4242 (cut) S 17')).toBeUndefined();
});

test('kilobytes by their whole name', () => {
  const text =
    '555dada53000-7ffdcf51a000 ---p 00000000 00:00 0   [rollup]\nRss:  1672 kB\nPss_Dirty:  112 kB\nPss:  276 kB\n';
  expect(parseKilobytes(text, 'Pss')).toBe(276 * 1024);
  expect(parseKilobytes(text, 'VmRSS')).toBeUndefined();
});

test('the hard limit of open files', () => {
  const head = 'Limit                     Soft Limit           Hard Limit           Units     \n';
  expect(
    parseOpenFiles(`${head}Max open files            1024                 20000                files     \n`),
  ).toBe(20_000);
  expect(
    parseOpenFiles(`${head}Max open files            1024                 unlimited            files     \n`),
  ).toBe(Number.POSITIVE_INFINITY);
});

test('a tree is the roots and all below them, each once', () => {
  const all = [stat(1, 0), stat(10, 1), stat(11, 10), stat(12, 11), stat(20, 1)];
  expect(treeOf([10, 11], all).map(({ pid }) => pid)).toEqual([10, 11, 12]);
  expect(treeOf([99], all)).toEqual([]);
});

test('CPU time of a process that came in between counts; one that went is a failure', () => {
  expect(cpuBetween([stat(1, 0, 2)], [stat(1, 0, 3), stat(2, 1, 0.5)])).toBe(1.5);
  expect(() => cpuBetween([stat(1, 0, 2)], [])).toThrow('ended');
});

test('CPU time by the nanoseconds of the threads; by the ticks where threads have ended or the kernel counts none', () => {
  expect(cpuOfThreads(1.23, ['1200000001 5 6\n', '34000000 0 0\n'])).toBe(1.234000001);
  expect(cpuOfThreads(1.5, ['1200000001 5 6\n', ''])).toBe(1.5);
  expect(cpuOfThreads(1.5, ['0 0 0\n'])).toBe(1.5);
});

test('this process is there, with memory', () => {
  expect(readTree([process.pid])[0]).toMatchObject({ pid: process.pid, parent: process.ppid });
  expect(readMemory(process.pid)).toBeGreaterThan(2 ** 20);
});
