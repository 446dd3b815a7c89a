/** A configuration folder whose settings lead to the admin listener of a test. */
import { writeFiles } from '../config/written.ts';

export function adminFolder(admin: unknown, more: Readonly<Record<string, string>> = {}): string {
  return writeFiles({ 'settings.json': JSON.stringify({ admin }), ...more });
}
