/** What the demo writes is gone where it cannot start. */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { prepareDemo } from '../../src/demo/demo.ts';
import { StartError } from '../../src/errors.ts';

vi.mock('../../src/demo/demo-config.ts', () => ({
  demoApplicationHost: () => {
    throw new StartError('the shipped file has been adapted');
  },
}));

test('a shipped configuration that no longer fits: no folder with keys is left', () => {
  const temporary = mkdtempSync(join(tmpdir(), 'lychgate-demo-folder-'));
  vi.stubEnv('TMPDIR', temporary);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(temporary, { recursive: true });
  });
  expect(() => prepareDemo()).toThrow('the shipped file has been adapted');
  expect(readdirSync(temporary)).toEqual([]);
});
