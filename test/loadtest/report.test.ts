/** Tables and the report, from figures that were made up. */
import { expect, test } from 'vitest';
import { drawChart } from '../../loadtest/charts.ts';
import { COMPETITORS } from '../../loadtest/competitors.ts';
import { writeReport } from '../../loadtest/html-report.ts';
import { type GoalResult, judge } from '../../loadtest/judge.ts';
import { digits, printGoals, printScenario } from '../../loadtest/print-tables.ts';
import type { Figures, Row, ScenarioResult } from '../../loadtest/results.ts';
import { SCENARIOS } from '../../loadtest/scenarios.ts';
import { printTable, wrapWords } from '../../loadtest/text-table.ts';
import { held, idle, round, rounds, row, run, small } from './made-up-results.ts';

const quiet = idle(row('lychgate', held(58), held(58)), row('nginx', held(12)), row('bare-tls', held(56), held(56)));
const longest = (lines: readonly string[]) => Math.max(...lines.map(({ length }) => length));

test('the table of a load scenario', () => {
  const result = small(
    { ...row('lychgate'), failure: 'it ended' },
    row('relay', ...rounds(20, 20, 20)),
    row('nginx', ...rounds(20, 30, 22)),
    row('http-proxy', ...rounds(110, 110, 110)),
  );
  expect(printScenario(result)).toBe(`\
1 KiB answers: 32 connections
                   CPU      x      x               p50   p99  memory
            µs/request  relay  nginx  requests/s    ms    ms     MiB  failed
--------------------------------------------------------------------------------------
lychgate             -      -      -           -     -     -       -       -
relay             20.0   1.00   0.91      50,000  2.00  20.0     100       0
nginx             22.0   1.10   1.00      45,455  2.20  22.0     100       0  unsteady
http-proxy         110   5.50   5.00       9,091  11.0   110     100       0
  lychgate failed: it ended
`);
});

test('a row that did not hold the rate says so', () => {
  const result = { ...small(row('lychgate', round(200)), row('relay', round(400))), rate: 5000 };
  expect(printScenario(result).split('\n').slice(-3)).toEqual([
    expect.stringMatching(/ 5,000 .* 0$/),
    expect.stringMatching(/ 2,500 .* 0 {2}rate not held$/),
    '',
  ]);
});

test('the table of connections, and that of goals', () => {
  const [, upper, lower, , lychgate] = printScenario(quiet).split('\n');
  expect(upper?.trim().split(/ +/).slice(0, 2)).toEqual(['x', 'x']);
  expect(lower?.trim().split(/ +/).slice(0, 3)).toEqual(['KiB/connection', 'bare', 'nginx']);
  expect(lychgate?.trim().split(/ +/).slice(0, 4)).toEqual(['lychgate', '58.0', '1.04', '4.83']);
  expect(printGoals(judge(run(quiet)))).toBe(`\
Goals
Lychgate                 ratio  spread  goal  least
-------------------------------------------------------------
Idle: memory x bare-tls   1.04     0 %   1.1    1.1  goal met
`);
  expect(printGoals([])).toBe('');
});

test('no verdict stands beside an unsteady row, in the table as in the JSON and the report', () => {
  const result = run(small(row('lychgate', ...rounds(5, 61, 27)), row('relay', ...rounds(20, 20, 20))));
  const goals = judge(result);
  const cells = printGoals(goals).trimEnd().split('\n').at(-1)?.split(/ {2,}/);
  expect(cells).toEqual(['1 KiB answers: CPU x relay', '1.35', '1,120 %', '1.4', '1.6', 'unsteady, not judged']);
  expect(JSON.parse(JSON.stringify(goals))).toMatchObject([{ verdict: 'not judged', reason: 'unsteady' }]);
  const html = writeReport(result);
  expect(html).toContain('<td class="not-judged">unsteady, not judged</td>');
  expect(html).not.toMatch(/class="(met|least|missed)"/);
  expect(html).toContain('<small>1.0</small><small class="doubt">unsteady</small>');
});

/** A value of which `digits` and its like make as many characters as they ever do. */
const LARGE = 888_888;
const large: Figures = {
  ...{ throughput: LARGE, p50: LARGE, p99: LARGE, memory: LARGE * 2 ** 20, failed: LARGE },
  ...{ cpu: LARGE, memoryPerConnection: LARGE * 1024 },
};

test('no table is wider than 100 columns, with long names and large numbers in every cell', () => {
  const rowOf = (competitor: string): Row => ({
    ...row(competitor, large, { ...large, cpu: 1, memoryPerConnection: 1 }, large),
    label: `@fastify/http-proxy of ${competitor}, and then some`,
    failure: `${'it wrote '.repeat(30)}${'x'.repeat(250)}\nand a second line`,
  });
  for (const scenario of SCENARIOS) {
    const rows = COMPETITORS.filter(({ duties }) => duties.includes(scenario.duty)).map(({ name }) => rowOf(name));
    const { name, title, kind } = scenario;
    const about = `${scenario.about}; ${scenario.about}`;
    const unit = kind === 'load' ? scenario.unit : 'connection';
    const result: ScenarioResult = { name, title, about, kind, unit, rate: 1e7, rows };
    const lines = printScenario(result).split('\n');
    expect(longest(lines)).toBeLessThanOrEqual(100);
    // Nothing is left out for it: the whole label stands there, over more than one line.
    const table = lines
      .map((line) => line.split('  ')[0])
      .join('')
      .replaceAll(' ', '');
    for (const { label } of rows) expect(table).toContain(label.replaceAll(' ', ''));
    const goals = judge(run(result)).map((goal): GoalResult => ({ ...goal, title: `${title} ${title}`, ratio: LARGE }));
    expect(longest(printGoals(goals).split('\n'))).toBeLessThanOrEqual(100);
  }
});

test('figures keep about three digits, and are seven characters long at most', () => {
  expect([0.1234, 9.996, 12.34, 99.97, 123.4, 999.7, 12_345, Number.NaN].map(digits)).toEqual([
    '0.12',
    '10.0',
    '12.3',
    '100',
    '123',
    '1,000',
    '12,345',
    '-',
  ]);
  expect([999_999, 999_999.9, 4.5e7, 1e300].map(digits)).toEqual(['999,999', '1.0e6', '4.5e7', '1.0e300']);
});

test('words are wrapped at blanks, and a word without room is broken', () => {
  expect(wrapWords('a bc def', 4)).toEqual(['a bc', 'def']);
  expect(wrapWords('abcdefghij k', 4)).toEqual(['abcd', 'efgh', 'ij k']);
  expect(wrapWords('one\n\ntwo', 9)).toEqual(['one', '', 'two']);
  expect(printTable(['', 'x nginx', ''], [['a', '1', 'b']])).toEqual([
    '       x',
    '   nginx',
    '-----------',
    'a      1  b',
  ]);
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
  const rows = [row('relay', round(14)), row('nginx', round(20))];
  const html = writeReport(run(small({ ...row('lychgate', round(20)), failure: 'round 2: <gone>' }, ...rows), quiet));
  expect(html).not.toMatch(/\b(src|href)=|url\(|@import|<script/);
  expect(html).toContain('Processor &lt;1&gt;');
  expect(html).toContain('&lt;gone&gt;');
  expect(html.match(/<svg /g)).toHaveLength(8);
  expect(html.match(/<h2>[^<]*/g)).toEqual(['<h2>Goals', '<h2>1 KiB answers', '<h2>Idle']);
  expect(html).toContain('<th>CPU µs/request</th><th>× relay</th><th>× nginx</th><th>requests/s</th><th>× nginx</th>');
  // Every element that is opened is closed again.
  for (const name of ['section', 'table', 'tr', 'td', 'svg', 'g', 'figure', 'div']) {
    expect(html.split(`<${name}`).filter((rest) => /^[\s>]/.test(rest))).toHaveLength(
      html.split(`</${name}>`).length - 1,
    );
  }
});
