/** Private keys that every account of this machine can read, or put others in the place of: one finding for the files of a folder. */
import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Report } from '../config/diagnostic.ts';

/** By the permissions of the file alone: what the folders above it keep out may change with the next copy. */
export function isOpenToAll(path: string): boolean {
  // Windows has no such bits.
  if (process.platform === 'win32') return false;
  return ((statSync(path, { throwIfNoEntry: false })?.mode ?? 0) & 0o006) !== 0;
}

const MOST_NAMED = 3;

/** Reports LG4038 at the first file of each folder. */
export function reportOpenKeys(
  files: readonly { readonly path: string; readonly open: boolean }[],
  report: Report,
): void {
  const open = new Set(files.filter((file) => file.open).map(({ path }) => path));
  for (const [folder, paths] of Map.groupBy(open, dirname)) {
    const [first = '', ...others] = paths;
    const named = others.slice(0, MOST_NAMED - 1).map((path) => basename(path));
    const rest = others.length - named.length;
    const list = [first, ...named, ...(rest > 0 ? [`${rest} more`] : [])].join(', ');
    report(
      'LG4038',
      { file: first, start: 0, end: 0 },
      {
        message: `every account of this machine can read or change ${others.length === 0 ? 'the private key in' : 'the private keys in'} ${list}`,
        advice: `Let only the account of the service use ${others.length === 0 ? `it: chmod 600 ${first}` : `them: chmod 600 ${folder}/*`}`,
      },
    );
  }
}
