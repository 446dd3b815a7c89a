/** Commands whose names are settled and that a later version brings. They say so, and exit with 2. */
import { type Command, EXIT } from './command.ts';

const names: readonly (readonly [string, string])[] = [
  ['certs', 'lists, makes and requests certificates'],
  ['doctor', 'looks at ports, files, certificates and servers'],
  ['reload', 'takes up a changed configuration'],
];

export const later: readonly Command[] = names.map(([name, what]) => ({
  name,
  usage: '',
  summary: `(comes with a later version) ${what}`,
  options: {},
  optionHelp: {},
  anyArguments: true,
  run({ streams }) {
    streams.err.write(`lychgate ${name}: this command comes with a later version of Lychgate.\n`);
    return EXIT.wrongUse;
  },
}));
