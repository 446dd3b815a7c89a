/** Private keys that every account of this machine can read, or put others in the place of: one finding for the files of a folder. */
import { dirname } from 'node:path';
import type { Report } from '../config/diagnostic.ts';
import { someOf } from '../file-permissions.ts';

/** Reports LG4038 at the first file of each folder. */
export function reportOpenKeys(
  files: readonly { readonly path: string; readonly open: boolean }[],
  report: Report,
): void {
  const open = new Set(files.filter((file) => file.open).map(({ path }) => path));
  for (const [folder, paths] of Map.groupBy(open, dirname)) {
    const [first = '', ...others] = paths;
    report(
      'LG4038',
      { file: first, start: 0, end: 0 },
      {
        message: `every account of this machine can read or change ${others.length === 0 ? 'the private key in' : 'the private keys in'} ${someOf(paths)}`,
        advice: `Let only the account of the service use ${others.length === 0 ? `it: chmod 600 ${first}` : `them: chmod 600 ${folder}/*`}`,
      },
    );
  }
}
