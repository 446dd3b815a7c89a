#!/usr/bin/env node
/**
 * The first file: refuses a Node that is too old, then starts the command line and sets the exit code. An old Node has to
 * understand it to say so: its syntax, and that of what it imports by name, is ES2019, and all else is loaded behind the check.
 */
import { readFileSync } from 'node:fs';
import { ignoreSignals } from './service/ignored-signals.ts';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = Number.parseInt(String(manifest.engines.node).replace('>=', ''), 10);
const present = process.versions.node;

if (Number.parseInt(present, 10) < needed) {
  process.stderr.write(`lychgate needs Node ${needed} or newer, this is ${present}.\n`);
  process.exitCode = 3;
} else {
  const argv = process.argv.slice(2);
  // Only a service outlives them, and it does so from the first moment: whoever sends one may be early.
  if (argv[0] === 'run') ignoreSignals();
  void import('./cli/cli.ts')
    .then(({ runCommandLine }) => runCommandLine(argv))
    .then((code) => {
      process.exitCode = code;
    });
}
