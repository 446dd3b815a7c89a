/** Medians, ratios and verdicts: what is judged, and what is not. */
import { expect, test } from 'vitest';
import { COMPETITORS } from '../../loadtest/competitors.ts';
import { GOALS } from '../../loadtest/goals.ts';
import { judge, leavesLeastOpen, missesLeast, verdictWords } from '../../loadtest/judge.ts';
import {
  type Figures,
  lychgateFailed,
  median,
  medianFigures,
  ratioTo,
  roundRatios,
  type ScenarioResult,
  spreadOf,
} from '../../loadtest/results.ts';
import { SCENARIOS } from '../../loadtest/scenarios.ts';
import { held, idle, round, rounds, row, run, small } from './made-up-results.ts';

/** The verdict on Lychgate's rounds beside those of the relay, whose goal is 1.4 and whose least bound 1.6. */
function judgeSmall(lychgate: readonly number[], relay: readonly number[]) {
  const [goal] = judge(run(small(row('lychgate', ...rounds(...lychgate)), row('relay', ...rounds(...relay)))));
  if (!goal) throw new Error('no goal');
  return goal;
}

test('medians are figure by figure, failures are added up', () => {
  expect([median([3]), median([4, 1]), median([9, 1, 2])]).toEqual([3, 2.5, 2]);
  expect(medianFigures([round(20, 1), round(30), round(22, 2)])).toMatchObject({ cpu: 22, p99: 22, failed: 3 });
  expect(medianFigures([held(58)])).not.toHaveProperty('p50');
  expect(medianFigures([])).toBeUndefined();
});

test('ratios are of the figures of one round; what counts is their median', () => {
  const result = small(row('lychgate', ...rounds(20, 60, 26)), row('nginx', ...rounds(10, 40, 20)));
  const [own, base] = result.rows;
  expect(roundRatios(own, base, 'cpu')).toEqual([2, 1.5, 1.3]);
  // 26 / 20 would be that of the medians.
  expect(ratioTo(result, 'cpu', 'lychgate', 'nginx')).toBe(1.5);
  expect(ratioTo(result, 'cpu', 'lychgate', 'caddy')).toBeUndefined();
  // A round that one of them lacks has no ratio, nor has one of which nothing can be said.
  expect(roundRatios(row('lychgate', ...rounds(20, 60)), row('nginx', ...rounds(0, 40, 20)), 'cpu')).toEqual([1.5]);
});

test.each([
  [[], 0],
  [[7], 0],
  [[20, 23, 21], 15],
  [[100, 115.2], 16],
  [[1, 3], 200],
  [[0, 0], 0],
  [[0, 1], Number.POSITIVE_INFINITY],
  [[-1, 1], Number.POSITIVE_INFINITY],
])('rounds of %j differ by %d %%', (values, percent) => {
  expect(spreadOf(values)).toBe(percent);
});

test.each([
  [[27, 28, 27], 'met', 'goal met', false],
  [[28.05, 28.09, 28.05], 'met', 'goal met', false],
  [[30, 29, 31], 'least', 'the least met', false],
  [[32, 32.09, 32.05], 'least', 'the least met', false],
  [[33, 33, 32.5], 'missed', 'missed', true],
])('%j µs against 20 of the relay: %s', (cpu, verdict, words, misses) => {
  const goal = judgeSmall(cpu, [20, 20, 20]);
  expect([goal.verdict, verdictWords(goal)]).toEqual([verdict, words]);
  expect(missesLeast([goal])).toBe(misses);
  expect(leavesLeastOpen([goal])).toBe(false);
});

test.each([
  ['the ratio and Lychgate differ', [5, 27, 61], [20, 20, 20], 1120],
  ['the other one differs', [27, 27, 27], [20, 20, 24], 20],
  ['both drift, and their ratio stands still', [27, 54, 40.5], [20, 40, 30], 100],
  ['each is steady alone, and the ratio is not', [26, 28, 27], [21, 19.5, 20], 16],
])('%s: unsteady, not judged', (_, lychgate, relay, spread) => {
  const goal = judgeSmall(lychgate, relay);
  expect(goal).toMatchObject({ verdict: 'not judged', reason: 'unsteady', spread });
  expect(verdictWords(goal)).toBe('unsteady, not judged');
  // What would have been a miss is none, and what would have been met is not met.
  expect([missesLeast([goal]), leavesLeastOpen([goal])]).toEqual([false, true]);
});

test('rounds that differ by 15 % are judged', () => {
  expect(judgeSmall([20, 23, 21], [20, 20, 20])).toMatchObject({ verdict: 'met', spread: 15, ratio: 1.05 });
});

test('one round tells of no spread, and is not judged', () => {
  const goal = judgeSmall([90], [20]);
  expect(goal).toMatchObject({ verdict: 'not judged', reason: 'one round', ratio: 4.5, rounds: [4.5] });
  expect(verdictWords(goal)).toBe('one round, not judged');
  // The other one failed after its first round.
  expect(judgeSmall([27, 27, 27], [20])).toMatchObject({ verdict: 'not judged', reason: 'one round' });
});

test('a rate that one of the two did not hold is another load, and not judged', () => {
  const at = (throughput: number, cpu: number): Figures => ({ ...round(cpu), throughput });
  const rate = (own: Figures, other: Figures): ScenarioResult => ({
    ...small(row('lychgate', own, own), row('relay', other, other), row('caddy', at(5000, 90), at(5000, 90))),
    name: 'rate',
    rate: 5000,
  });
  const verdicts = (result: ScenarioResult) => judge(run(result)).map(verdictWords);
  expect(verdicts(rate(at(4900, 40), at(4800, 31)))).toEqual(['goal met', 'goal met']);
  expect(verdicts(rate(at(4900, 40), at(4400, 31)))).toEqual(['rate not held, not judged', 'goal met']);
  expect(verdicts(rate(at(4400, 90), at(4800, 31)))).toEqual([
    'rate not held, not judged',
    'rate not held, not judged',
  ]);
});

test('fewer connections than are meant share what a process takes once, and are not judged', () => {
  const result = idle(row('lychgate', held(58), held(58)), row('bare-tls', held(56), held(56)));
  const verdicts = (count: number) => judge(run({ ...result, held: { count, full: 8000 } })).map(verdictWords);
  expect(verdicts(8000)).toEqual(['goal met']);
  expect(verdicts(7999)).toEqual(['too few held, not judged']);
  // --quick holds fewer, and --check is to be of use with it.
  expect(leavesLeastOpen(judge(run({ ...result, held: { count: 1000, full: 8000 } })))).toBe(false);
});

test('a goal without its competitor is not measured, and no miss', () => {
  for (const relay of [[], [row('relay')]]) {
    const goals = judge(run(small(row('lychgate', ...rounds(20, 20)), ...relay)));
    expect(goals.map(verdictWords)).toEqual(['not measured']);
    expect([missesLeast(goals), leavesLeastOpen(goals)]).toEqual([false, false]);
  }
  expect(judge(run())).toEqual([]);
});

test('a goal without a least bound is met or missed, and --check asks for nothing', () => {
  const rate = {
    ...small(row('lychgate', ...rounds(80, 80)), row('relay', ...rounds(60, 60)), row('caddy', ...rounds(100, 100))),
    name: 'rate',
  };
  const [, caddy] = judge(run(rate));
  expect(caddy).toMatchObject({ ratio: 0.8, verdict: 'missed' });
  expect(missesLeast(caddy ? [caddy] : [])).toBe(false);
});

test('memory is compared with bare node:tls, rules with the same load without them', () => {
  const own = (...cpu: number[]) => small(row('lychgate', ...rounds(...cpu)));
  const goals = judge(
    run(
      own(20, 20),
      { ...own(23, 23), name: 'rules', title: '1,000 rules' },
      idle(row('lychgate', held(58), held(58)), row('bare-tls', held(56), held(56))),
    ),
  );
  expect(goals.map(({ what, ratio, verdict }) => [what, ratio?.toFixed(2), verdict])).toEqual([
    ['CPU x relay', undefined, 'not judged'],
    ['CPU x its own "1 KiB answers"', '1.15', 'missed'],
    ['memory x bare-tls', '1.04', 'met'],
  ]);
});

test('the goals are about scenarios that there are, and competitors that take part in them', () => {
  for (const { scenario, against, goal, least } of GOALS) {
    const found = SCENARIOS.find(({ name }) => name === scenario);
    if ('competitor' in against) {
      const competitor = COMPETITORS.find(({ name }) => name === against.competitor);
      expect(competitor?.duties).toContain(found?.duty);
    } else {
      expect(SCENARIOS.map(({ name }) => name)).toContain(against.scenario);
    }
    expect(least ?? goal).toBeGreaterThanOrEqual(goal);
  }
});

test('Lychgate fails by no figures, bad answers or lost connections; the others do not count', () => {
  expect(lychgateFailed([small(row('lychgate', round(20))), idle(row('lychgate', held(58)))])).toBe(false);
  expect(lychgateFailed([small(row('lychgate', round(20, 1)))])).toBe(true);
  expect(lychgateFailed([small({ ...row('lychgate'), failure: 'it ended' })])).toBe(true);
  expect(lychgateFailed([idle(row('lychgate', held(58)), row('nginx', held(12, 9)))])).toBe(false);
});
