/** Writes configuration files into a throw-away folder, with `«…»` marking the place that a finding should name. */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface Marked {
  readonly text: string;
  /** Start and end of each marked place. */
  readonly places: readonly (readonly [number, number])[];
}

export function unmark(marked: string): Marked {
  const places: [number, number][] = [];
  const starts: number[] = [];
  let text = '';
  for (const character of marked) {
    if (character === '«') starts.push(text.length);
    else if (character === '»') places.push([starts.pop() ?? 0, text.length]);
    else text += character;
  }
  return { text, places: places.sort((one, other) => one[0] - other[0]) };
}

const MAY_HOLD_KEYS = /\.(?:key|pem|pfx|p12)$/;

/** @returns the folder */
export function writeFiles(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'lychgate-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
    // Whatever the account of the test masks.
    chmodSync(join(folder, name), MAY_HOLD_KEYS.test(name) ? 0o600 : 0o644);
  }
  return folder;
}
