/** Before the tests: the program is compiled, so that the many processes that they start at the same moment need not each do it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const EVERYTHING = "await (await import('./src/cli/cli.ts')).allCommands(); await import('./src/service/worker.ts')";

export function setup(): void {
  execFileSync(process.execPath, ['--input-type=module', '--eval', EVERYTHING], {
    cwd: join(import.meta.dirname, '..'),
  });
}
