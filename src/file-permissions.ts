/** What the permissions of a file leave to every account of the machine: by the bits for all others, since groups are meant. */
import { statSync } from 'node:fs';
import { basename } from 'node:path';

const READ = 0o004;
const WRITE = 0o002;
/** Of a folder: only the owner of a file in it takes it away. */
const STICKY = 0o1000;

/** Of something secret: it can be read, or another one put in its place. By the file alone: what folders above keep out may change with the next copy. */
export function isOpenToAll(path: string): boolean {
  return (modeOf(path) & (READ | WRITE)) !== 0;
}

/** It can be changed, or in its folder another one be put in its place. */
export function isChangedByAll(path: string, folder: string): boolean {
  const around = modeOf(folder);
  return (modeOf(path) & WRITE) !== 0 || ((around & WRITE) !== 0 && (around & STICKY) === 0);
}

/** Windows has no such bits; what is not there has none either. */
function modeOf(path: string): number {
  return process.platform === 'win32' ? 0 : (statSync(path, { throwIfNoEntry: false })?.mode ?? 0);
}

const MOST_NAMED = 3;

/** For one message about all of them: the first with its folder. */
export function someOf([first = '', ...others]: readonly string[]): string {
  const named = others.slice(0, MOST_NAMED - 1).map((path) => basename(path));
  const rest = others.length - named.length;
  return [first, ...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
}
