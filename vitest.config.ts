import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { ClosingLine } from './test/closing-line.ts';
import { ProcessesFirst } from './test/processes-first.ts';

const today = new Date().toISOString().slice(0, 10).replaceAll('-', '');
const seed = process.env.FUZZ_SEED ?? today;
console.log(
  `Tests by chance: seed ${seed}${process.env.LONG === '1' ? ', long' : ''}. FUZZ_SEED repeats one, LONG=1 tries longer.`,
);
if (!existsSync(join(import.meta.dirname, '../shared/corpus'))) {
  console.log('The corpus of strangers’ rule files (../shared/corpus) is not here: its tests are skipped.');
}

const TESTS = 'test/**/*.test.ts';
/** Those that measure their own process, or wait in it for long, have it for themselves. */
const APART = [
  'test/integration/{streaming,failover,server-names,host-affinity,http1-limits,routing-threats,slow-clients,websocket}.test.ts',
  'test/loop-turn.test.ts',
  // What it puts in the place of a module stays there.
  'test/demo/demo-folder.test.ts',
];

// The workers, and the programs that tests start, are compiled once.
process.env.NODE_COMPILE_CACHE = join(import.meta.dirname, 'node_modules/.cache/compiled');

export default defineConfig({
  test: {
    projects: [
      { extends: true, test: { name: 'apart', include: APART } },
      // Most of what the others need is to load all of Lychgate: a process that has done so takes one file after the other.
      { extends: true, test: { name: 'together', include: [TESTS], exclude: APART, isolate: false } },
    ],
    reporters: ['default', new ClosingLine()],
    globalSetup: ['test/compile-once.ts'],
    sequence: { sequencer: ProcessesFirst },
    env: { FUZZ_SEED: seed },
    // For what hangs. Whatever has a bound of its own measures that; no test is to fail because the machine is slow.
    testTimeout: 180_000,
    hookTimeout: 180_000,
    expect: { poll: { timeout: 170_000 } },
    // More than there are cores: most files wait most of their time, and those that compute fill what the others leave.
    maxWorkers: 8,
    // Sources and tests are run as the product is: by Node itself, whose compile cache they share.
    experimental: { viteModuleRunner: false },
  },
});
