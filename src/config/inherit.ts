/** Merges the levels of configuration that count at a URL path into the rules in force there. */
import type { Report } from './diagnostic.ts';
import type { LoadSession } from './load-session.ts';
import type { ScopeConfig } from './model.ts';
import { outboundOf } from './outbound-section.ts';
import { ruleContext, type SectionLevel } from './read-sections.ts';
import type { RewriteMapConfig, RuleSetConfig } from './rewrite-model.ts';
import { type RewriteSectionName, rewriteMapOf, rewriteSections, ruleOf } from './rewrite-section.ts';
import { boolOf, mergeEntries, stringOf } from './schema.ts';
import { containsPath, depthOf, rankOf } from './section-permission.ts';
import type { SectionNode } from './section-tables.ts';

/** The rules of the server level. */
export function globalRuleSet(levels: readonly SectionLevel[], session: LoadSession): RuleSetConfig {
  return ruleSet(
    'globalRules',
    levels.filter((level) => level.site === undefined),
    session,
  );
}

/** The rules of a site by URL path, the deepest path first, `/` last. */
export function scopesOf(
  site: string,
  applications: readonly string[],
  levels: readonly SectionLevel[],
  session: LoadSession,
): readonly ScopeConfig[] {
  const name = site.toLowerCase();
  const mine = levels.filter((level) => level.site === undefined || level.site.toLowerCase() === name);
  const paths = new Map<string, string>([['/', '/']]);
  for (const level of mine) if (level.sections.size > 0 && level.site !== undefined) remember(paths, level.path);
  if (mine.some((level) => !level.inherits)) for (const application of applications) remember(paths, application);
  const deepestFirst = [...paths.values()].sort(
    (one, other) => depthOf(other) - depthOf(one) || (one < other ? -1 : 1),
  );
  return deepestFirst.map((path) => ({
    path,
    ruleSet: ruleSet('rules', levelsAt(path, mine, applications), session),
  }));
}

function remember(paths: Map<string, string>, path: string): void {
  if (!paths.has(path.toLowerCase())) paths.set(path.toLowerCase(), path);
}

/** The server first, then outer paths before inner ones; at one path, applicationHost.config before web.config. */
function levelsAt(
  path: string,
  levels: readonly SectionLevel[],
  applications: readonly string[],
): readonly SectionLevel[] {
  return levels
    .filter((level) => level.site === undefined || containsPath(level.path, path))
    .filter((level) => level.inherits || !crossesApplication(level.path, path, applications))
    .toSorted((one, other) => rankOf(one) - rankOf(other));
}

function crossesApplication(outer: string, inner: string, applications: readonly string[]): boolean {
  return applications.some(
    (application) =>
      depthOf(application) > depthOf(outer) && containsPath(outer, application) && containsPath(application, inner),
  );
}

function ruleSet(
  section: 'globalRules' | 'rules',
  levels: readonly SectionLevel[],
  session: LoadSession,
): RuleSetConfig {
  const basePaths = new Map<SectionNode, string>();
  for (const level of levels) {
    for (const entry of level.sections.get(section)?.entries ?? []) basePaths.set(entry.node, level.path);
  }
  const rewriteMaps = merge('rewriteMaps', levels, session).map(rewriteMapOf);
  for (const map of rewriteMaps) checkKeyCase(map, session.report);
  const unread = unreadOf(levels, session);
  return {
    rules: merge(section, levels, session).map((node) => ruleOf(node, basePaths.get(node) ?? '/')),
    rewriteMaps,
    allowedServerVariables: merge('allowedServerVariables', levels, session).map((node) => stringOf(node, 'name')),
    providers: merge('providers', levels, session).map((node) => stringOf(node, 'name')),
    useOriginalURLEncoding: originalEncoding(section, levels),
    ...(section === 'rules' ? outboundOf(levels, session) : {}),
    ...(unread.length > 0 ? { unread } : {}),
  };
}

/** Sections of which something may be missing here that is written. */
function unreadOf(levels: readonly SectionLevel[], { passedOver }: LoadSession): readonly RewriteSectionName[] {
  const all = Object.keys(rewriteSections) as RewriteSectionName[];
  if (GROUPS.some((name) => passedOver.has(name))) return all;
  const faulty = levels.flatMap(({ sections }) =>
    [...sections].filter(([, node]) => lacksEntries(node)).map(([name]) => name),
  );
  const missed = all.filter((name) => passedOver.has(name));
  return [...new Set([...levels.flatMap((level) => [...level.unread]), ...missed, ...faulty])];
}

/** Who passes over one of these passes over all the sections that may stand in it. */
const GROUPS = ['location', 'system.webServer', 'rewrite'];

function lacksEntries({ faulty, entries }: SectionNode): boolean {
  return faulty === true || entries.some(({ node }) => node.refused?.has('name'));
}

function merge(
  section: RewriteSectionName,
  levels: readonly SectionLevel[],
  session: LoadSession,
): readonly SectionNode[] {
  const entries = levels.map((level) => level.sections.get(section)?.entries ?? []);
  return mergeEntries(entries, rewriteSections[section].collection, ruleContext(session, section)).map(
    (entry) => entry.node,
  );
}

function originalEncoding(section: RewriteSectionName, levels: readonly SectionLevel[]): boolean {
  const name = 'useOriginalURLEncoding';
  const said = levels.map((level) => level.sections.get(section)).filter((node) => node?.values.has(name) === true);
  const last = said.at(-1);
  return last === undefined || boolOf(last, name);
}

function checkKeyCase(map: RewriteMapConfig, report: Report): void {
  if (!map.ignoreCase) return;
  const seen = new Map<string, RewriteMapConfig['entries'][number]>();
  for (const entry of map.entries) {
    const folded = entry.key.value.toLowerCase();
    const first = seen.get(folded);
    if (first === undefined) seen.set(folded, entry);
    else {
      report('LG2010', entry.key.span, {
        message: `Key "${entry.key.value}" differs from "${first.key.value}" in case only, and the map ignores case.`,
        advice:
          'Remove one of them, or write ignoreCase="false" on the map. Which one IIS takes is not known; Lychgate takes the first.',
        related: { span: first.key.span, message: 'the first one' },
      });
    }
  }
}
