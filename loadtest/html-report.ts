import type { RunResult } from './results.ts';
export function writeReport(result: RunResult): string {
  return JSON.stringify(result);
}
