/** Files of the configuration that every account of this machine can change: whoever does decides where requests go. */
import { dirname } from 'node:path';
import type { Report } from '../config/diagnostic.ts';
import { isChangedByAll, someOf } from '../file-permissions.ts';

/** Reports LG6035 (warning) at the first of them. */
export function checkPermissions(files: Iterable<string>, report: Report): void {
  const open = [...files].filter((file) => isChangedByAll(file, dirname(file)));
  const [first] = open;
  if (first === undefined) return;
  report(
    'LG6035',
    { file: first, start: 0, end: 0 },
    {
      message: `Every account of this machine can change ${someOf(open)}, or put another file in its place.`,
      advice: `Let its owner alone write there: chmod o-w ${dirname(first)} ${first}`,
    },
  );
}
