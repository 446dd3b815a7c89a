/** File names as tools of a checkout expect them. */
import { isAbsolute, relative, resolve, sep } from 'node:path';

/** The name relative to the current folder, with slashes; names outside of it stay absolute. */
export function shortPath(file: string): string {
  const path = relative('.', resolve(file));
  return isAbsolute(path) || path === '..' || path.startsWith(`..${sep}`) ? resolve(file) : path.replaceAll(sep, '/');
}
