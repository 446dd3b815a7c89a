/** A progress bar on the error stream, where that is a terminal; otherwise nothing at all. */
import type { Output } from './command.ts';

export interface ProgressBar {
  /** @param bytes read of all files; @param lines of them */
  show(bytes: number, lines: number): void;
  /** Takes the bar away. */
  clear(): void;
}

const WIDTH = 24;
/** Milliseconds between two pictures. */
const PAUSE = 100;

/** @param size of all files in bytes; `undefined` where nobody knows, as with a pipe */
export function createProgressBar(output: Output, size: number | undefined): ProgressBar {
  if (output.isTTY !== true) return { show: () => undefined, clear: () => undefined };
  const began = performance.now();
  let shown = Number.NEGATIVE_INFINITY;
  return {
    show(bytes, lines) {
      const now = performance.now();
      if (now - shown < PAUSE) return;
      shown = now;
      const perSecond = Math.round(lines / Math.max((now - began) / 1000, 0.001));
      output.write(
        `\r\u001b[K${bar(bytes, size)}${lines.toLocaleString('en-US')} lines, ${perSecond.toLocaleString('en-US')} a second`,
      );
    },
    clear() {
      if (shown > 0) output.write('\r\u001b[K');
    },
  };
}

function bar(bytes: number, size: number | undefined): string {
  if (size === undefined || size === 0) return '';
  const part = Math.min(1, bytes / size);
  const full = Math.round(part * WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${String(Math.floor(part * 100)).padStart(3)} %  `;
}
