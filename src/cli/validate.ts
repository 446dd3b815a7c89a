/** `lychgate validate`: checks configuration and prints what it finds. Opens nothing, resolves nothing. */
import { existsSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { type Diagnostic, hasErrors } from '../config/diagnostic.ts';
import { HOST_FILE } from '../config/files.ts';
import { loadFile } from '../config/load-config.ts';
import { printJson, printText } from '../config/print-diagnostic.ts';
import { printGithub } from '../config/print-github.ts';
import { printSarif } from '../config/print-sarif.ts';
import { visible } from '../config/source-excerpt.ts';
import { typed } from '../program-name.ts';
import { checkConfig, checkLoaded, checkSettings } from '../service/check-config.ts';
import { fitted, type Terminal, terminalOf } from '../terminal.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { configFolder, configurationIn, kindOfPlace, usualFolder } from './named-place.ts';
import { choiceOption } from './options.ts';
import { type Findings, withShownNames } from './shown-names.ts';

const FORMATS = ['text', 'json', 'github', 'sarif'] as const;

export const validate: Command = {
  name: 'validate',
  usage: '[FILE|DIR... | --config DIR] [--format text|json|github|sarif] [--strict]',
  summary: 'checks IIS files and settings, and tells every fault with its place and its cure',
  options: { format: { type: 'string' }, config: { type: 'string' }, strict: { type: 'boolean' } },
  optionHelp: {
    '--format FORMAT':
      'text for people (default), json for programs, github for workflow runs, sarif for code scanning',
    '--strict': 'treats warnings as errors',
    '--config DIR': `the folder to check where none is named (${usualFolder})`,
  },
  examples: [
    { does: 'a whole folder, with its certificates', line: 'validate config' },
    { does: 'one file; a fragment of rules will do', line: 'validate config/applicationHost.config' },
    { does: 'for a program', line: 'validate config --format json --strict' },
  ],
  run(input) {
    const format = choiceOption(input, 'format', FORMATS) ?? 'text';
    if (input.arguments.length > 0 && input.values.config !== undefined)
      throw new UsageError('--config names the folder where no other is named');
    const places = input.arguments.length > 0 ? input.arguments : [configFolder(input)];
    const diagnostics: Diagnostic[] = [];
    const sources = new Map<string, string>();
    for (const place of places) {
      // A program that names a place by its full name finds it again under that name.
      const found = withShownNames(check(place), format === 'json' && isAbsolute(place) ? undefined : process.cwd());
      diagnostics.push(...found.diagnostics);
      for (const [file, text] of found.sources) sources.set(file, text);
    }
    const found = input.values.strict === true ? diagnostics.map(asError) : diagnostics;
    const { out } = input.streams;
    if (format === 'json') out.write(`${printJson(found, sources, [...sources.keys()])}\n`);
    else if (format === 'github') out.write(printGithub(found, sources));
    else if (format === 'sarif') out.write(`${printSarif(found, sources)}\n`);
    else
      out.write(
        printText(found, sources, terminalOf(out)) + (hasErrors(found) ? '' : unjudged(places, terminalOf(out))),
      );
    return hasErrors(found) ? EXIT.no : EXIT.fine;
  },
};

/** Folders and settings by their full names, so that all files in them are named alike. IIS files are never JSON. */
function check(place: string): Findings {
  if (kindOfPlace(place) === 'folder') return checkConfig(resolve(configurationIn(place)));
  return isSettings(place) ? checkSettings(resolve(place)) : checkLoaded(loadFile(place));
}

function isSettings(place: string): boolean {
  return /\.jsonc?$/i.test(place) && kindOfPlace(place) === 'file';
}

/** Whoever reads "No errors" is not to think that it is said of the IIS files beside settings. */
function unjudged(places: readonly string[], terminal: Terminal): string {
  const folders = [...new Set(places.filter(isSettings).map((place) => dirname(place)))];
  const judged = new Set(places.map((place) => resolve(place)));
  const lines = folders
    .filter((folder) => existsSync(join(folder, HOST_FILE)) && !judged.has(resolve(folder)))
    .map((folder) => `${visible(join(folder, HOST_FILE))} was not judged: "${typed(`validate ${folder}`)}" does that.`);
  return fitted(lines, terminal)
    .map((line) => `${line}\n`)
    .join('');
}

function asError(diagnostic: Diagnostic): Diagnostic {
  return { ...diagnostic, severity: 'error' };
}
