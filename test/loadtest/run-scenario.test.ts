/** How a scenario is run: rounds, order, warming up, h2load; from load that was made up. */
import { afterEach, expect, test, vi } from 'vitest';
import type { Running } from '../../loadtest/competitors/competitor.ts';
import { type H2loadJob, h2loadArguments } from '../../loadtest/load/h2load.ts';
import type { LoadJob } from '../../loadtest/load/load.ts';
import { jobFor, warmUp } from '../../loadtest/measure.ts';
import { readOptions } from '../../loadtest/options.ts';
import { inTurn, type RunContext, rounds, runScenario } from '../../loadtest/run-scenario.ts';
import { type LoadScenario, SCENARIOS } from '../../loadtest/scenarios.ts';

afterEach(() => vi.unstubAllEnvs());

function loadScenario(name: string): LoadScenario {
  const found = SCENARIOS.find((each) => each.name === name);
  if (found?.kind !== 'load') throw new Error(`no such scenario: ${name}`);
  return found;
}

const running: Running = {
  endpoint: { address: '127.0.0.1', port: 18_443, host: 'meet.loadtest.test' },
  http2Endpoint: { address: '127.0.0.1', port: 18_444, host: 'meet.loadtest.test' },
  processes: [],
};

function h2loadJob(name: string, amount: number): H2loadJob {
  const scenario = loadScenario(name);
  const { streams, rate, duty } = scenario;
  return {
    ...jobFor(scenario, running, amount),
    command: 'h2load',
    http1: duty !== 'http2',
    streams,
    rate,
    folder: '',
  };
}

test('connections that are held have two rounds, since one tells of no spread; a load as many as are asked for', () => {
  const counts = (...args: string[]) => SCENARIOS.map((each) => [each.kind, rounds(each, readOptions(args))]);
  expect(new Set(counts('--rounds', '7').map(String))).toEqual(new Set(['load,7', 'connections,2']));
  expect(new Set(counts('--quick').map(String))).toEqual(new Set(['load,3', 'connections,2']));
  expect(new Set(counts('--rounds', '1').map(String))).toEqual(new Set(['load,1', 'connections,1']));
});

test('competitors have their turn forth and back, so that neighbours stay neighbours in time', () => {
  const all = ['lychgate', 'relay', 'nginx'];
  expect([0, 1, 2].map((round) => inTurn(all, round).join())).toEqual([
    'lychgate,relay,nginx',
    'nginx,relay,lychgate',
    'lychgate,relay,nginx',
  ]);
});

test('h2load speaks HTTP/1.1 at a rate of each connection, or HTTP/2 as fast as it can', () => {
  expect(h2loadArguments(h2loadJob('rate', 20_000), '/log')).toEqual([
    ...['--clients=32', '--max-concurrent-streams=1', '--requests=20000'],
    ...['--connect-to=127.0.0.1:18443', '--tls13-ciphers=TLS_AES_256_GCM_SHA384', '--log-file=/log'],
    ...['--h1', '--rps=156.25', 'https://meet.loadtest.test/1k'],
  ]);
  expect(h2loadArguments(h2loadJob('h2-small', 640), '/log')).toEqual([
    ...['--clients=16', '--max-concurrent-streams=8', '--requests=640'],
    ...['--connect-to=127.0.0.1:18444', '--tls13-ciphers=TLS_AES_256_GCM_SHA384', '--log-file=/log'],
    'https://meet.loadtest.test/1k',
  ]);
});

test.each(['rate', 'h2-small'])('%s: a line says so where h2load is not installed', async (name) => {
  vi.stubEnv('PATH', '');
  const notes: string[] = [];
  const progress = { note: (text: string) => notes.push(text) } as unknown as RunContext['progress'];
  const context = { progress, options: readOptions([]) } as RunContext;
  expect(await runScenario(loadScenario(name), context)).toBeUndefined();
  expect(notes).toEqual([`${loadScenario(name).title}: left out, h2load is not installed (Debian: nghttp2-client)`]);
});

test('a program on Node is warmed up until it has answered what the scenario asks for, however short the time', async () => {
  const handshake = loadScenario('handshake');
  const jobs: LoadJob[] = [];
  const run = async (job: LoadJob) => {
    jobs.push(job);
    // The first half of what is asked fails, as it may while a program starts.
    return { succeeded: job.amount / 2, failed: job.amount / 2, seconds: job.amount / 2000, p50: 1, p99: 1 };
  };
  const { warmUpRequests: requests } = handshake;
  expect(requests).toBe(6000);
  expect(await warmUp(handshake, running, { seconds: 1e-9, requests }, run)).toBe(1000);
  const total = jobs.reduce((sum, { amount }) => sum + amount, 0);
  expect(total / 2).toBeGreaterThanOrEqual(6000);
  expect((total - (jobs.at(-1)?.amount ?? 0)) / 2).toBeLessThan(6000);
  expect(jobs.every(({ reconnect }) => reconnect)).toBe(true);
});

test('one scenario is about instances that have served other work: larger answers, uploads, short connections', () => {
  const mixed = loadScenario('mixed');
  const jobs = mixed.after.map((each) => jobFor(each, running, 1));
  expect(jobs.map(({ path, uploadBytes, reconnect }) => [path, uploadBytes, reconnect])).toEqual([
    ['/64k', 0, false],
    ['/upload', 2 ** 20, false],
    ['/1k', 0, true],
  ]);
  expect(SCENARIOS.filter((each) => each.kind === 'load' && each.after.length > 0)).toEqual([mixed]);
});
