/** How this program is called: as installed, or from a checkout, where npm brings the Node that it needs. */
import { extname } from 'node:path';

const CALLED = extname(import.meta.url) === '.ts' ? 'npm run -s lychgate --' : 'lychgate';

/** A command as one types it into a shell. @param rest behind the name of the program, as `status --json` */
export function typed(rest: string): string {
  return `${CALLED} ${rest}`;
}

/** A word of a command as one pastes it into a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
