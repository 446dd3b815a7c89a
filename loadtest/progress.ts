/** What is going on: on a terminal one line that is written over, otherwise a line for each step. */

export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export interface Progress {
  /** The next of the steps begins. */
  step(text: string): void;
  /** Something between two steps. Only a terminal shows it. */
  show(text: string): void;
  /** Something to keep. */
  note(text: string): void;
  /** Takes the line away. */
  clear(): void;
}

const WIDTH = 24;

export function createProgress(output: Output, steps: number): Progress {
  const terminal = output.isTTY === true;
  let done = 0;
  const draw = (text: string) => {
    if (!terminal) return;
    const line = `${bar(done, steps)}  ${text}`;
    output.write(`\r\u001b[K${line.slice(0, (output.columns ?? 80) - 1)}`);
  };
  return {
    step(text) {
      if (!terminal) output.write(`[${done + 1}/${steps}] ${text}\n`);
      draw(text);
      done++;
    },
    show: draw,
    note(text) {
      output.write(`${terminal ? '\r\u001b[K' : ''}${text}\n`);
    },
    clear() {
      if (terminal) output.write('\r\u001b[K');
    },
  };
}

function bar(done: number, steps: number): string {
  const part = Math.min(1, done / Math.max(steps, 1));
  const full = Math.round(part * WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}
