/** Medians, goals, tables and the report, from figures that were made up. */
import { expect, test } from 'vitest';
import { drawChart } from '../../loadtest/charts.ts';
import { judge, missesLeast } from '../../loadtest/goals.ts';
import { writeReport } from '../../loadtest/html-report.ts';
import { digits, printGoals, printScenario } from '../../loadtest/print-tables.ts';
import {
  type Figures,
  lychgateFailed,
  median,
  medianFigures,
  type Row,
  type RunResult,
  type ScenarioResult,
} from '../../loadtest/results.ts';

const MIB = 2 ** 20;

function row(competitor: string, ...rounds: Figures[]): Row {
  const figures = medianFigures(rounds);
  return { competitor, label: competitor, version: '1.0', rounds, ...(figures ? { median: figures } : {}) };
}

const round = (cpu: number, failed = 0): Figures => {
  return { throughput: 1e6 / cpu, p50: cpu / 10, p99: cpu, cpu, memory: 100 * MIB, failed };
};
const held = (kilobytes: number, failed = 0): Figures => {
  return { throughput: 500, cpu: 300, memory: 50 * MIB, memoryPerConnection: kilobytes * 1024, failed };
};

const small = (lychgate: Row): ScenarioResult => ({
  name: 'small',
  title: '1 KiB answers',
  about: '32 connections',
  kind: 'load',
  unit: 'request',
  rows: [lychgate, row('nginx', round(20), round(30), round(22)), row('http-proxy', round(110))],
});
const idle: ScenarioResult = {
  name: 'idle',
  title: 'Idle',
  about: '8,000',
  kind: 'connections',
  unit: 'connection',
  rows: [row('lychgate', held(58)), row('nginx', held(12)), row('bare-tls', held(56))],
};
const run = (...scenarios: ScenarioResult[]): RunResult => ({
  began: '2026-03-02T07:58:01.000Z',
  seconds: 61,
  machine: { processor: 'Processor <1>', cores: 2, memory: 8 * 2 ** 30, kernel: '6.1', node: '26.0.0' },
  options: { quick: false, rounds: 3, seconds: 4 },
  scenarios,
});

test('medians are figure by figure, failures are added up', () => {
  expect([median([3]), median([4, 1]), median([9, 1, 2])]).toEqual([3, 2.5, 2]);
  const rounds = [round(20, 1), round(30), round(22, 2)];
  expect(medianFigures(rounds)).toMatchObject({ cpu: 22, p99: 22, failed: 3 });
  expect(medianFigures([held(58)])).not.toHaveProperty('p50');
  expect(medianFigures([])).toBeUndefined();
});

test.each([
  [21, 'met', 'met', false],
  [30, 'least', 'met', false],
  [33.05, 'least', 'met', false],
  [38, 'missed', 'met', true],
  [44, 'missed', 'missed', true],
])('%d µs against 22 and 110: %s, %s', (cpu, nginx, httpProxy, misses) => {
  const goals = judge(run(small(row('lychgate', round(cpu)))));
  expect(goals.map(({ verdict }) => verdict)).toEqual([nginx, httpProxy]);
  expect(missesLeast(goals)).toBe(misses);
});

test('a goal without its competitor is not measured, and no miss', () => {
  const alone = { ...small(row('lychgate', round(20))), rows: [row('lychgate', round(20))] };
  const goals = judge(run(alone));
  expect(goals.map(({ verdict }) => verdict)).toEqual(['not measured', 'not measured']);
  expect(missesLeast(goals)).toBe(false);
  expect(judge(run())).toEqual([]);
});

test('memory is compared with bare node:tls, rules with the same load without them', () => {
  const rules = { ...small(row('lychgate', round(23))), name: 'rules', title: '1,000 rules' };
  const goals = judge(run(small(row('lychgate', round(20))), rules, idle));
  expect(goals.slice(2).map(({ ratio, verdict }) => [ratio?.toFixed(2), verdict])).toEqual([
    ['1.15', 'missed'],
    ['1.04', 'met'],
  ]);
});

test('Lychgate fails by no figures, bad answers or lost connections; the others do not count', () => {
  expect(lychgateFailed([small(row('lychgate', round(20))), idle])).toBe(false);
  expect(lychgateFailed([small(row('lychgate', round(20, 1)))])).toBe(true);
  expect(lychgateFailed([small({ ...row('lychgate'), failure: 'it ended' })])).toBe(true);
  expect(lychgateFailed([{ ...idle, rows: [row('lychgate', held(58)), row('nginx', held(12, 9))] }])).toBe(false);
});

test('the table of a load scenario', () => {
  expect(printScenario(small({ ...row('lychgate'), failure: 'it ended' }))).toBe(`\
1 KiB answers: 32 connections
            CPU µs/request  x nginx  requests/s  x nginx  p50 ms  x nginx  p99 ms  x nginx  memory MiB  x nginx  failed
-----------------------------------------------------------------------------------------------------------------------
lychgate                 -        -           -        -       -        -       -        -           -        -       -
nginx                 22.0     1.00      45,455     1.00    2.20     1.00    22.0     1.00         100     1.00       0
http-proxy             110     5.00       9,091     0.20    11.0     5.00     110     5.00         100     1.00       0
  lychgate failed: it ended
`);
});

test('the table of connections, and that of goals', () => {
  const [, head, , lychgate] = printScenario(idle).split('\n');
  expect(head?.trim().split(/ {2,}/).slice(0, 3)).toEqual(['KiB/connection', 'x nginx', 'x bare']);
  expect(lychgate?.trim().split(/ +/).slice(0, 4)).toEqual(['lychgate', '58.0', '4.83', '1.04']);
  expect(printGoals(judge(run(idle))).split('\n')[3]).toMatch(
    /^Idle: memory per connection to bare-tls +1\.04 +1\.1 +1\.1 +goal met$/,
  );
  expect(printGoals([])).toBe('');
});

test('figures keep about three digits', () => {
  expect([0.1234, 12.34, 123.4, 12_345, Number.NaN].map(digits)).toEqual(['0.12', '12.3', '123', '12,345', '-']);
});

test('bars are as long as their values say', () => {
  const bars = [
    { label: 'a<b', value: 10, text: '10', own: true },
    { label: 'c', value: 5, text: '5', own: false },
    { label: 'd', value: undefined, text: '–', own: false },
  ];
  const svg = drawChart({ title: 'CPU', note: 'lower', bars, reference: 5 });
  const widths = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  expect(widths[0]).toBe((widths[1] ?? 0) * 2);
  expect(widths[2]).toBe(0);
  expect(svg).toContain('a&lt;b');
  expect(svg).toContain('<line ');
  expect(drawChart({ title: 'CPU', note: 'lower', bars, reference: undefined })).not.toContain('<line ');
});

test('the report is one file that loads nothing', () => {
  const html = writeReport(run(small({ ...row('lychgate', round(20)), failure: 'round 2: <gone>' }), idle));
  expect(html).not.toMatch(/\b(src|href)=|url\(|@import|<script/);
  expect(html).toContain('Processor &lt;1&gt;');
  expect(html).toContain('&lt;gone&gt;');
  expect(html.match(/<svg /g)).toHaveLength(8);
  expect(html.match(/<h2>[^<]*/g)).toEqual(['<h2>Goals', '<h2>1 KiB answers', '<h2>Idle']);
  // Every element that is opened is closed again.
  for (const name of ['section', 'table', 'tr', 'td', 'svg', 'g', 'figure', 'div']) {
    expect(html.split(`<${name}`).filter((rest) => /^[\s>]/.test(rest))).toHaveLength(
      html.split(`</${name}>`).length - 1,
    );
  }
});
