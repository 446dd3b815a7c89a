/** `npm run loadtest`: measures Lychgate beside its competitors. See README.md in this folder. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { createChildProcesses } from './child-processes.ts';
import { LoadtestFailure } from './failure.ts';
import { writeReport } from './html-report.ts';
import { judge, leavesLeastOpen, missesLeast } from './judge.ts';
import { type Options, readOptions, USAGE } from './options.ts';
import { startOrigin } from './origin.ts';
import { printGoals, printScenario } from './print-tables.ts';
import { createProgress } from './progress.ts';
import { lychgateFailed, type RunResult, type ScenarioResult } from './results.ts';
import { createRunFolder } from './run-folder.ts';
import { entrants, rounds, runScenario } from './run-scenario.ts';

const EXIT = { fine: 0, no: 1, wrongUse: 2, couldNot: 3, interrupted: 130 } as const;

async function main(options: Options): Promise<number> {
  const began = new Date();
  const scenarios = await measureAll(options);
  const result: RunResult = {
    began: began.toISOString(),
    seconds: Math.round((Date.now() - began.getTime()) / 1000),
    machine: describeMachine(),
    options: { quick: options.quick, rounds: options.rounds, seconds: options.seconds },
    scenarios,
  };
  const goals = judge(result);
  process.stdout.write(printGoals(goals));
  process.stdout.write(writeResults(options.out, result));
  if (lychgateFailed(scenarios) || (options.check && missesLeast(goals))) return EXIT.no;
  return options.check && leavesLeastOpen(goals) ? EXIT.couldNot : EXIT.fine;
}

/** Prints each table as soon as it is there. */
async function measureAll(options: Options): Promise<ScenarioResult[]> {
  const folder = createRunFolder();
  const processes = createChildProcesses(folder.path);
  const end = async () => {
    await processes.stopAll();
    folder.remove();
  };
  endWhenTold(end);
  const progress = createProgress(process.stderr, countSteps(options));
  try {
    const generator = processes.startProgram('load-generator', []);
    const origin = await startOrigin(folder, processes, false);
    const context = { options, folder, processes, progress, generator, origin };
    const results: ScenarioResult[] = [];
    for (const scenario of options.scenarios) {
      const result = await runScenario(scenario, context);
      progress.clear();
      if (!result) continue;
      results.push(result);
      process.stdout.write(`${printScenario(result)}\n`);
    }
    return results;
  } finally {
    progress.clear();
    await end();
  }
}

/** Once, however often it is told: npm passes on what the terminal has sent too, and a second one must not leave programs behind. */
function endWhenTold(end: () => Promise<void>): void {
  let ending = false;
  const stop = () => {
    if (ending) return;
    ending = true;
    process.stderr.write('\nstopping\n');
    void end().finally(() => process.exit(EXIT.interrupted));
  };
  // A terminal that is closed sends SIGHUP, at which some of the programs would only read their files again.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
  // Nobody reads any more, as behind "| head".
  for (const output of [process.stdout, process.stderr]) output.on('error', stop);
}

function countSteps(options: Options): number {
  return options.scenarios.reduce(
    (sum, scenario) => sum + rounds(scenario, options) * entrants(scenario, options).length,
    0,
  );
}

function describeMachine(): RunResult['machine'] {
  return {
    processor: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memory: totalmem(),
    kernel: release(),
    node: process.versions.node,
  };
}

/** @returns what to tell of it */
function writeResults(folder: string, result: RunResult): string {
  mkdirSync(folder, { recursive: true });
  const json = join(folder, 'loadtest.json');
  const html = join(folder, 'loadtest.html');
  writeFileSync(json, `${JSON.stringify({ ...result, goals: judge(result) }, null, 2)}\n`);
  writeFileSync(html, writeReport(result));
  return `\nWritten: ${json}\n         ${html}\n`;
}

/** @returns undefined where it said what is wrong, or gave the help, and there is nothing to run */
function optionsOrExit(): Options | undefined {
  try {
    const options = readOptions(process.argv.slice(2));
    if (!options.help) return options;
    process.stdout.write(USAGE);
  } catch (thrown) {
    if (!(thrown instanceof LoadtestFailure)) throw thrown;
    process.stderr.write(`${thrown.message}\n\n${USAGE}`);
    process.exitCode = EXIT.wrongUse;
  }
  return undefined;
}

const options = optionsOrExit();
try {
  if (options) process.exitCode = await main(options);
} catch (thrown) {
  if (!(thrown instanceof LoadtestFailure)) throw thrown;
  process.stderr.write(`${thrown.message}\n`);
  process.exitCode = EXIT.couldNot;
}
