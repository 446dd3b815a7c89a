/** Parts of the configuration in which something was refused: what seems to be missing there may be what was read wrongly. */
import type { LoadSession } from './load-session.ts';
import type { Part } from './model.ts';

/** A code says where the fault stands. Files and sections that cannot be read may have held any part. */
const CODES: Readonly<Record<Part, RegExp>> = {
  sites: /^LG(?:1|5)/,
  farms: /^LG(?:1|3)/,
  rules: /^LG(?:1|20)/,
};

/** To be asked behind the reading, before the parts are compared. */
export function misreadParts({ diagnostics, misread }: LoadSession): ReadonlySet<Part> {
  // Sections that are not carried out hold none of the parts.
  const faults = diagnostics.filter(({ severity, code }) => severity === 'error' && !/^LG10(17|29)$/.test(code));
  const parts = Object.keys(CODES) as Part[];
  return new Set(parts.filter((part) => misread.has(part) || faults.some(({ code }) => CODES[part].test(code))));
}
