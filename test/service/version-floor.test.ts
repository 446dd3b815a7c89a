/** The warning about versions of Node that lack fixes: what it asks for can be had. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { NODE_FLOORS, nodeVersionWarning } from '../../src/service/version-floor.ts';

const pin = readFileSync(join(import.meta.dirname, '../../.nvmrc'), 'utf8').trim();
const numbers = (version: string) => version.split('.').map(Number) as [number, number, number];
/** Below zero where the first is older. */
const compared = (one: readonly number[], other: readonly number[]) => {
  const at = one.findIndex((each, index) => each !== other[index]);
  return at < 0 ? 0 : (one[at] ?? 0) - (other[at] ?? 0);
};

test('the table asks for nothing newer than the pinned Node, and has a line for it', () => {
  for (const floor of NODE_FLOORS)
    expect(compared(floor, numbers(pin)), `${floor.join('.')} and ${pin}`).toBeLessThanOrEqual(0);
  expect(NODE_FLOORS.map(([line]) => line)).toContain(numbers(pin)[0]);
  expect(nodeVersionWarning(pin)).toBeUndefined();
});

test('what is older is told what to install, what is newer nothing', () => {
  for (const [line, minor, patch] of NODE_FLOORS) {
    const floor = `${line}.${minor}.${patch}`;
    expect(nodeVersionWarning(floor)).toBeUndefined();
    expect(nodeVersionWarning(`${line}.${minor + 1}.0`)).toBeUndefined();
    expect(nodeVersionWarning(`${line}.${minor - 1}.9`)).toBe(
      `Node ${line}.${minor - 1}.9 lacks security fixes of ${floor}; update it`,
    );
  }
  expect(nodeVersionWarning('28.0.0')).toBeUndefined();
});
