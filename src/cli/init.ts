/** `lychgate init`: makes the folder in which an administrator keeps what is published: configuration, certificates, container. */
import {
  chownSync,
  closeSync,
  lstatSync,
  mkdirSync,
  openSync,
  rmdirSync,
  type Stats,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { settingsSchema } from '../config/settings-schema.ts';
import { codeOf, StartError } from '../errors.ts';
import { writeFault } from '../file-fault.ts';
import { shellWord, typed } from '../program-name.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { composeFile, environmentFile, IMAGE_USER } from './compose-file.ts';
import { firstSettings, folderReadme } from './folder-files.ts';

export const init: Command = {
  name: 'init',
  usage: 'DIR',
  summary: 'makes a folder for your configuration and certificates, with a compose.yaml; overwrites nothing',
  options: {},
  optionHelp: {},
  examples: [{ does: 'beside the checkout, or wherever it is backed up', line: 'init ../edge' }],
  run({ arguments: [folder, ...more], streams }) {
    if (folder === undefined || folder === '') throw new UsageError('name the folder to make');
    if (more.length > 0) throw new UsageError(`one folder is wanted, not ${more.length + 1}`);
    const user = serviceUser();
    const pieces = piecesOf(user);
    refuseExisting(folder, pieces);
    makeAll(folder, pieces, user);
    streams.out.write(report(folder, pieces));
    return EXIT.fine;
  },
};

interface Piece {
  readonly name: string;
  readonly what: string;
  /** Absent for a folder. */
  readonly text?: string;
  readonly mode: number;
}

function piecesOf(user: string): readonly Piece[] {
  const schema = `${JSON.stringify(settingsSchema(), undefined, 2)}\n`;
  const file = (name: string, what: string, text: string): Piece => ({ name, what, text, mode: 0o644 });
  return [
    { name: 'config', what: 'for applicationHost.config and web.config files', mode: 0o755 },
    file('config/settings.json', 'what IIS has no place for, with comments', firstSettings()),
    file('config/settings.schema.json', 'its keys, for editors', schema),
    { name: 'certs', what: 'for certificates and keys', mode: 0o700 },
    file('compose.yaml', 'the container', composeFile()),
    file('.env', 'the addresses that compose.yaml asks for', environmentFile(user)),
    file('README.md', 'what belongs where', folderReadme()),
  ];
}

/** Whoever makes the folder can read it, and so runs the service; root leaves that to the user of the image. */
function serviceUser(): string {
  const [uid, gid] = [process.geteuid?.() ?? 0, process.getegid?.() ?? 0];
  return uid === 0 ? IMAGE_USER : `${uid}:${gid}`;
}

/** @throws StartError where a file of ours is there already */
function refuseExisting(folder: string, pieces: readonly Piece[]): void {
  refuseInTheWay(folder);
  const there = pieces.filter(({ name, text }) => {
    const kind = kindOf(join(folder, name));
    return kind !== undefined && (kind !== 'folder' || text !== undefined);
  });
  if (there.length === 0) return;
  const names = there.map(({ name }) => name).join(', ');
  throw new StartError(
    `${folder} has ${names} already. Nothing was overwritten and nothing made: name another folder, or move what is there away.`,
  );
}

function refuseInTheWay(path: string): void {
  const kind = kindOf(path);
  if (kind === 'file') throw new StartError(`cannot make ${path}: it is a file.`);
  if (kind === 'link') throw new StartError(`cannot make ${path}: it is a link that leads nowhere.`);
}

/** What is there; a link to a folder is one. */
function kindOf(path: string): 'folder' | 'file' | 'link' | undefined {
  const found = looked(() => statSync(path, { throwIfNoEntry: false }));
  if (found !== undefined) return found.isDirectory() ? 'folder' : 'file';
  return looked(() => lstatSync(path, { throwIfNoEntry: false })) && 'link';
}

/** Nothing where it cannot be seen: if that is not for want of it, making it tells why. */
function looked(look: () => Stats | undefined): Stats | undefined {
  try {
    return look();
  } catch {
    return undefined;
  }
}

/** All or nothing. */
function makeAll(folder: string, pieces: readonly Piece[], user: string): void {
  const undo: (() => void)[] = [];
  let at = folder;
  try {
    makeFolder(folder, 0o755, undo);
    for (const { name, text, mode } of pieces) {
      at = join(folder, name);
      if (text === undefined) makeFolder(at, mode, undo);
      else makeFile(at, text, mode, undo);
      if (process.geteuid?.() === 0) giveTo(user, at);
    }
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`cannot make ${at}: ${makeFault(error)}. ${takeBack(undo)}${accountHint(error)}`);
  }
}

/** In /proc and its like there is no place for a new folder, which the system says as if the folder around it were missing. */
function makeFault(error: unknown): string {
  const { path } = error as NodeJS.ErrnoException;
  const above = path === undefined ? undefined : dirname(path);
  if (codeOf(error) !== 'ENOENT' || above === undefined || kindOf(above) !== 'folder') return writeFault(error);
  return `nothing can be made in ${above}`;
}

/** With the folders above it that are not there. */
function makeFolder(path: string, mode: number, undo: (() => void)[]): void {
  if (kindOf(path) === 'folder') return;
  refuseInTheWay(path);
  const above = dirname(path);
  if (above !== path) makeFolder(above, 0o755, undo);
  mkdirSync(path, { mode });
  undo.push(() => rmdirSync(path));
}

function makeFile(path: string, text: string, mode: number, undo: (() => void)[]): void {
  const file = openSync(path, 'wx', mode);
  undo.push(() => unlinkSync(path));
  try {
    writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}

function giveTo(user: string, path: string): void {
  const [uid, gid] = user.split(':').map(Number);
  if (uid !== undefined && gid !== undefined) chownSync(path, uid, gid);
}

function takeBack(undo: readonly (() => void)[]): string {
  try {
    for (const each of undo.toReversed()) each();
    return 'Nothing was left behind.';
  } catch (error) {
    return `What was made before could not be taken away again: ${error instanceof Error ? error.message : String(error)}.`;
  }
}

function accountHint(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'EACCES' || code === 'EPERM'
    ? ' In a container: docker run --user "$(id -u):$(id -g)" … makes it as your own account.'
    : '';
}

function report(folder: string, pieces: readonly Piece[]): string {
  const named = pieces.map(({ name, what, text }) => ({ what, name: text === undefined ? `${name}/` : name }));
  const width = Math.max(...named.map(({ name }) => name.length));
  const lines = named.map(({ name, what }) => `  ${name.padEnd(width)}  ${what}\n`);
  return `Made in ${folder}:

${lines.join('')}
Next:

  1. Copy applicationHost.config of the ARR server into config (there it is in
     %windir%\\System32\\inetsrv\\config), web.config files to
     config/sites/SITE/APPLICATION PATH, and PFX files, each with its password
     in NAME.pfx.pass, into certs.
  2. Say in config/settings.json where the servers are ("hosts"), and for a
     container in .env which addresses this machine has.
  3. Check it:
     ${typed(`validate ${shellWord(join(folder, 'config'))}`)}
     With the container, in the folder:
     docker compose run --rm lychgate validate
`;
}
