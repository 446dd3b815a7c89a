import { expect, test } from 'vitest';
import { RetryBudget } from '../../src/farm/retry-budget.ts';

/** How many can be taken. */
function takeAll(budget: RetryBudget): number {
  let taken = 0;
  for (; !budget.isUsedUp && taken < 1_000_000; taken++) budget.take();
  return taken;
}

test('a burst of a thousand, then the given part of the requests', () => {
  const budget = new RetryBudget(20);
  expect(takeAll(budget)).toBe(1000);
  for (let i = 0; i < 4; i++) budget.request();
  expect(takeAll(budget)).toBe(0);
  for (let i = 0; i < 2; i++) budget.request();
  expect(takeAll(budget)).toBe(1);
  for (let i = 0; i < 1000; i++) budget.request();
  expect(takeAll(budget)).toBe(200);
});

test('what is not taken is kept up to the burst', () => {
  const budget = new RetryBudget(100);
  for (let i = 0; i < 10_000; i++) budget.request();
  expect(takeAll(budget)).toBe(1000);
});

test('none at all', () => {
  const budget = new RetryBudget(0);
  for (let i = 0; i < 10_000; i++) budget.request();
  expect(takeAll(budget)).toBe(0);
});

test('a fraction of a percent', () => {
  const budget = new RetryBudget(0.1);
  takeAll(budget);
  for (let i = 0; i < 10_010; i++) budget.request();
  expect(takeAll(budget)).toBe(10);
});
