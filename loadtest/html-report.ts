/** The report of a run: one HTML file that needs nothing else, with charts, tables and the goals. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bar, drawChart, escapeText } from './charts.ts';
import { type GoalResult, judge } from './judge.ts';
import { type Column, columnsOf, doubtOf, GOALS_HEAD, goalCells, referencesOf, showRatio } from './print-tables.ts';
import {
  figureOf,
  REFERENCE,
  type Row,
  type RunResult,
  ratioTo,
  type ScenarioResult,
  STEADY_PERCENT,
} from './results.ts';

const STYLE = readFileSync(join(import.meta.dirname, 'report-style.css'), 'utf8');

export function writeReport(result: RunResult): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Lychgate: load test of ${escapeText(result.began.slice(0, 10))}</title>
<style>
${STYLE}</style>
</head>
<body>
${writeHead(result)}
${writeGoals(judge(result))}
${result.scenarios.map(writeScenario).join('\n')}
</body>
</html>
`;
}

function writeHead({ began, seconds, machine, options }: RunResult): string {
  const memory = Math.round(machine.memory / 2 ** 30);
  const facts = [
    `${began.slice(0, 16).replace('T', ' ')} UTC, ${Math.ceil(seconds / 60)} min`,
    `${machine.processor}, ${machine.cores} cores, ${memory} GiB`,
    `Linux ${machine.kernel}, Node ${machine.node}`,
    `${options.rounds} rounds of ${options.seconds} s${options.quick ? ' (quick: a first impression, no proof)' : ''}`,
  ];
  return `<header>
<h1>Lychgate beside its competitors</h1>
<p class="facts">${facts.map(escapeText).join('<br>')}</p>
<p>TLS on both sides, the same origin, the same duties (the bare programs that others are measured by have none). Medians
over the rounds, of ratios too; the dashed line is nginx. Rounds that differ by more than ${STEADY_PERCENT} % are unsteady, and not judged.</p>
</header>`;
}

function writeGoals(goals: readonly GoalResult[]): string {
  if (goals.length === 0) return '';
  const rows = goals.map((goal) => {
    const [, ...cells] = goalCells(goal).map(escapeText);
    const words = cells.pop();
    return `<tr><td>${escapeText(goal.title)} <small>${escapeText(goal.what)}</small></td>${cells
      .map((cell) => `<td>${cell}</td>`)
      .join('')}<td class="${goal.verdict.replace(' ', '-')}">${words}</td></tr>`;
  });
  return `<section>
<h2>Goals</h2>
<div class="wide"><table class="goals">
<tr>${GOALS_HEAD.map((text) => `<th>${text}</th>`).join('')}</tr>
${rows.join('\n')}
</table></div>
</section>`;
}

function writeScenario(result: ScenarioResult): string {
  const failures = result.rows.flatMap(({ label, failure }) =>
    failure ? [`<p class="failure">${escapeText(`${label} failed: ${failure}`)}</p>`] : [],
  );
  const charts = columnsOf(result).filter(({ figure }) => figure !== 'p50');
  return `<section>
<h2>${escapeText(result.title)}</h2>
<p>${escapeText(result.about)}</p>
<div class="charts">
${charts
  .slice(0, 4)
  .map((column) => chartOf(result, column))
  .join('\n')}
</div>
${writeTable(result)}
${failures.join('\n')}
</section>`;
}

function chartOf(result: ScenarioResult, { figure, title, show }: Column): string {
  const bars = result.rows.map(({ competitor, label, median }): Bar => {
    const value = median?.[figure];
    return { label, value, text: value === undefined ? '–' : show(value), own: competitor === 'lychgate' };
  });
  const note = figure === 'throughput' ? 'higher is better' : 'lower is better';
  return drawChart({ title, note, bars, reference: figureOf(result, REFERENCE, figure) });
}

function writeTable(result: ScenarioResult): string {
  const columns = columnsOf(result);
  const heads = columns.flatMap(({ title, figure }) => [
    title,
    ...referencesOf(result, figure).map(({ label }) => label.replace('x ', '× ')),
  ]);
  const last = result.kind === 'connections' ? 'lost' : 'failed';
  const head = ['', ...heads, last].map((text) => `<th>${escapeText(text)}</th>`).join('');
  const rows = result.rows.map((row) => writeRow(result, columns, row));
  return `<div class="wide"><table>
<tr>${head}</tr>
${rows.join('\n')}
</table></div>`;
}

function writeRow(result: ScenarioResult, columns: readonly Column[], row: Row): string {
  const cells = columns.flatMap(({ figure, show }) => {
    const value = row.median?.[figure];
    const ratios = referencesOf(result, figure).map(({ name }) => ratioTo(result, figure, row.competitor, name));
    return [
      `<td>${value === undefined ? '–' : show(value)}</td>`,
      ...ratios.map((ratio) => `<td class="ratio">${showRatio(ratio)}</td>`),
    ];
  });
  const failed = row.median?.failed ?? '–';
  const bad = failed === 0 ? '' : ' class="failure"';
  const doubts = doubtOf(result, row);
  const doubt = doubts === '' ? '' : `<small class="doubt">${doubts}</small>`;
  const own = row.competitor === 'lychgate' ? ' class="own"' : '';
  return `<tr${own}><td>${escapeText(row.label)} <small>${escapeText(row.version)}</small>${doubt}</td>${cells.join('')}<td${bad}>${failed}</td></tr>`;
}
