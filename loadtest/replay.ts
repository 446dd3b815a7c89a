/** Measures `lychgate trace --log` over a made-up log: time, CPU and memory. `npm run bench:replay -- [LINES]`. */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { replayLogs } from '../src/cli/replay-log.ts';
import { loadConfig } from '../src/config/load-config.ts';
import { writeIisLog } from './iis-log.ts';

/** The goal: a million lines in under a minute of one core. */
const GOAL_SECONDS = 60;
const GOAL_LINES = 1_000_000;

const lines = Number(process.argv[2] ?? GOAL_LINES);
const { config } = loadConfig(join(import.meta.dirname, '../config'));
if (config === undefined || !Number.isSafeInteger(lines) || lines < 1) throw new Error('usage: replay.ts [LINES]');

const folder = mkdtempSync(join(tmpdir(), 'lychgate-replay-'));
try {
  const file = join(folder, 'u_ex.log');
  const size = writeIisLog(file, lines);
  process.stdout.write(
    `${cpus()[0]?.model}, Node ${process.versions.node}; ${lines} lines, ${Math.round(size / 1e6)} MB\n`,
  );
  for (const against of [undefined, config]) await measure(file, against);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(file: string, against: typeof config): Promise<void> {
  if (config === undefined) return;
  const memory: number[] = [];
  const timer = setInterval(() => memory.push(process.memoryUsage.rss() / 1e6), 50);
  const began = performance.now();
  const cpuBefore = process.cpuUsage();
  const replay = await replayLogs({ files: [file], config, against, err: { write: () => undefined } });
  const seconds = (performance.now() - began) / 1000;
  const cpu = process.cpuUsage(cpuBefore);
  clearInterval(timer);
  const cpuSeconds = (cpu.user + cpu.system) / 1e6;
  const fifth = Math.ceil(memory.length / 5);
  const peak = (part: readonly number[]) => Math.round(Math.max(0, ...part));
  process.stdout.write(
    `${against ? 'with --against' : 'alone         '}  ${seconds.toFixed(1)} s, CPU ${cpuSeconds.toFixed(1)} s, ${((cpuSeconds * 1e6) / lines).toFixed(1)} µs a line; ` +
      `memory ${peak(memory.slice(0, fifth * 2))} MB in the first two fifths, ${peak(memory.slice(-fifth))} MB in the last; ` +
      `${replay.requests} requests, ${replay.untaken.names} paths kept, ${replay.untaken.others} beyond\n`,
  );
  if ((cpuSeconds * GOAL_LINES) / lines > GOAL_SECONDS) process.exitCode = 1;
}
