/** Results of a run, from figures that were made up. */
import { type Figures, medianFigures, type Row, type RunResult, type ScenarioResult } from '../../loadtest/results.ts';

const MIB = 2 ** 20;

export function row(competitor: string, ...rounds: Figures[]): Row {
  const figures = medianFigures(rounds);
  return { competitor, label: competitor, version: '1.0', rounds, ...(figures ? { median: figures } : {}) };
}

export const round = (cpu: number, failed = 0): Figures => {
  return { throughput: 1e6 / cpu, p50: cpu / 10, p99: cpu, cpu, memory: 100 * MIB, failed };
};
export const rounds = (...cpu: number[]): Figures[] => cpu.map((each) => round(each));
export const held = (kilobytes: number, failed = 0): Figures => {
  return { throughput: 500, cpu: 300, memory: 50 * MIB, memoryPerConnection: kilobytes * 1024, failed };
};

export const small = (...rows: Row[]): ScenarioResult => ({
  name: 'small',
  title: '1 KiB answers',
  about: '32 connections',
  kind: 'load',
  unit: 'request',
  rows,
});
export const idle = (...rows: Row[]): ScenarioResult => ({
  name: 'idle',
  title: 'Idle',
  about: '8,000',
  kind: 'connections',
  unit: 'connection',
  rows,
});
export const run = (...scenarios: ScenarioResult[]): RunResult => ({
  began: '2026-03-02T07:58:01.000Z',
  seconds: 61,
  machine: { processor: 'Processor <1>', cores: 2, memory: 8 * 2 ** 30, kernel: '6.1', node: '26.0.0' },
  options: { quick: false, rounds: 3, seconds: 4 },
  scenarios,
});
