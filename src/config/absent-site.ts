/** What is written for a site that does not exist: it has no effect, which is told in one finding with the site that was meant. */
import { didYouMean, nearest } from '../nearest.ts';
import type { Span } from './diagnostic.ts';
import type { LoadSession } from './load-session.ts';
import type { SiteConfig } from './model.ts';

/** Whether there is a site of this name; letter case makes no difference. */
export function isSite(name: string, sites: readonly SiteConfig[]): boolean {
  return sites.some((site) => site.name.toLowerCase() === name.toLowerCase());
}

interface WithoutSite {
  readonly what: 'this file' | 'this <location>';
  readonly sites: readonly SiteConfig[];
}

/** A folder below `sites`, or a `<location>`. */
export function reportNoSite(name: string, span: Span, { what, sites }: WithoutSite, session: LoadSession): void {
  const where = what === 'this file' ? 'Name the folder after' : 'Begin the path with the name of';
  session.report('LG1019', span, {
    message: `There is no site "${name}"; ${what} has no effect.`,
    advice: adviceOn(name, `${where} a site`, sites),
  });
  noteMeant(name, sites, session);
}

/** An entry of `iis` in settings.json. */
export function reportEntry(name: string, span: Span, sites: readonly SiteConfig[], session: LoadSession): void {
  session.report('LG6008', span, {
    message: `There is no site "${name}".`,
    advice: adviceOn(name, 'Write the name of a site', sites),
  });
  noteMeant(name, sites, session);
}

function adviceOn(name: string, cure: string, sites: readonly SiteConfig[]): string {
  if (sites.length === 0)
    return 'Put <sites> into applicationHost.config, or "bindings" with a "site" into settings.json.';
  const names = sites.map((site) => site.name);
  return `${didYouMean(name, names)}${cure}: ${names.map((each) => `"${each}"`).join(', ')}.`;
}

/** Rules behind a misspelt name are meant for a site: nobody is to miss them there. */
function noteMeant(name: string, sites: readonly SiteConfig[], { misread }: LoadSession): void {
  const names = sites.map((site) => site.name);
  if (nearest(name, names) !== undefined) misread.add('rules');
}
