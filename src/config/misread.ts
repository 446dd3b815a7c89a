/** Parts of the configuration in which something was refused: what seems to be missing there may be what was read wrongly. */
import type { NearestKey } from '../nearest.ts';
import type { LoadSession } from './load-session.ts';
import type { Part } from './model.ts';
import type { XmlElement } from './xml.ts';

/** A code says where the fault stands. Files and sections that cannot be read may have held any part. */
const CODES: Readonly<Record<Part, RegExp>> = {
  sites: /^LG(?:1|5)/,
  farms: /^LG(?:1|3)/,
  rules: /^LG(?:1|20)/,
};

/**
 * Sections that are not carried out hold none of the parts, of elements that are passed over it is known what they may have
 * held, and what is too large or stands on a group keeps nothing from being read.
 */
const KEEPS_NOTHING = /^LG10(?:04|08|09|17|21|29)$/;

/** Names of elements that hold a part. */
const HOLDERS: Readonly<Record<Part, readonly string[]>> = {
  sites: ['sites', 'site', 'system.applicationHost'],
  farms: ['webFarms', 'webFarm', 'proxy', 'system.webServer'],
  rules: ['rules', 'rule', 'globalRules', 'rewriteMaps', 'rewriteMap', 'rewrite', 'system.webServer', 'location'],
};

/** To be asked behind the reading, before the parts are compared. */
export function misreadParts({ diagnostics, misread, passedOver }: LoadSession): ReadonlySet<Part> {
  const faults = diagnostics.filter(({ severity, code }) => severity === 'error' && !KEEPS_NOTHING.test(code));
  const parts = Object.keys(CODES) as Part[];
  return new Set(
    parts.filter(
      (part) =>
        misread.has(part) ||
        HOLDERS[part].some((name) => passedOver.has(name)) ||
        faults.some(({ code }) => CODES[part].test(code)),
    ),
  );
}

/**
 * What an element that nobody knows may have been meant to hold: the name that is nearest to its own, and all that stands in it.
 * @param names of sections and groups, as keys
 */
export function* namesMeant(unknown: XmlElement, names: object, nearestKey: NearestKey): Iterable<string> {
  const near = nearestKey(names, unknown.name);
  if (near !== undefined) yield near;
  const queue = [...unknown.children];
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    yield next.name;
    for (const child of next.children) queue.push(child);
  }
}
