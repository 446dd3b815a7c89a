/** Rules that leave requests to a file: by a URL of the site, or by ending the list. There are no files here. */
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type { ConditionConfig, RewriteMapConfig, RuleConfig } from '../config/rewrite-model.ts';
import { checkNever } from './check-never.ts';
import { staysHere } from './destination.ts';
import { compilePattern, isFault } from './pattern.ts';
import { readMaps } from './rewrite-map.ts';
import { relativePath } from './rule.ts';
import { compileTemplate, readTemplate } from './template.ts';

/** @param setSomewhere variables that some rule sets, upper case */
export function checkLeftToFile(
  { globalRules, sites }: Config,
  setSomewhere: ReadonlySet<string>,
  report: Report,
): void {
  const scopes = sites.flatMap((site) => site.scopes);
  const behind = scopes.flatMap(({ ruleSet }) => ruleSet.rules);
  checkList(globalRules, { behind, setSomewhere }, report);
  for (const { ruleSet } of scopes) checkList(ruleSet, { behind: [], setSomewhere }, report);
}

interface List {
  readonly rules: readonly RuleConfig[];
  readonly rewriteMaps: readonly RewriteMapConfig[];
  readonly unread?: readonly string[];
}

interface Around {
  /** The rules that are asked once those of the list are through. */
  readonly behind: readonly RuleConfig[];
  readonly setSomewhere: ReadonlySet<string>;
}

function checkList(list: List, { behind, setSomewhere }: Around, report: Report): void {
  const enabled = list.rules.filter(({ enabled: on }) => on);
  const maps = readMaps(list);
  const mayGoOn = createMayGoOn();
  let sentAway = false;
  for (const [index, rule] of enabled.entries()) {
    const { action, stopProcessing, refused } = rule;
    const stays = action.url !== undefined && staysHere(rule, maps);
    if (action.type === 'Rewrite' && !stays && !stopProcessing) sentAway = true;
    if (rule.faulty || refused?.size || !canHold(rule) || neverMatches(rule, setSomewhere)) continue;
    if (action.type === 'None' && stopProcessing && !action.absent && !sentAway) {
      if (!behind.some((later) => mayGoOn(later, undefined))) reportEnd(rule, report);
    } else if (action.type === 'Rewrite' && action.url !== undefined && stays) {
      // Then it fails, as is told of the URL.
      if (compileTemplate(action.url.value, maps).broken) continue;
      const path = literalPath(action.url.value, rule.basePath);
      const goesOn = (later: RuleConfig, at: number) => at > index && mayGoOn(later, path);
      const isTaken = (!stopProcessing && enabled.some(goesOn)) || behind.some((later) => mayGoOn(later, path));
      if (!isTaken) reportFile(rule, action.url.value, report);
    }
  }
}

/** Patterns tried: in a list of thousands of rules the rest may all go on. */
const MOST_TRIED = 500_000;

/** Tells whether a later rule may have something to do with a request for a path, or for any where it is not known. */
function createMayGoOn(): (rule: RuleConfig, path: string | undefined) => boolean {
  const patterns = new Map<RuleConfig, ReturnType<typeof compilePattern>>();
  const patternOf = (rule: RuleConfig, { url, ignoreCase }: NonNullable<RuleConfig['match']>) => {
    const pattern = patterns.get(rule) ?? compilePattern(rule.patternSyntax, url?.value ?? '', ignoreCase);
    patterns.set(rule, pattern);
    return pattern;
  };
  let tried = 0;
  return (rule, path) => {
    const { enabled, faulty, match, action, stopProcessing, basePath } = rule;
    if (!enabled || faulty) return enabled;
    // What ends the list is told for itself.
    if (action.type === 'None' && !(stopProcessing && path !== undefined)) return false;
    if (path === undefined || !match?.url || ++tried > MOST_TRIED) return true;
    const pattern = patternOf(rule, match);
    const input = relativePath(basePath, path);
    return isFault(pattern) || (input !== undefined && (pattern.match(input) !== undefined) !== match.negate);
  };
}

/** The path that is written, if nothing in it is computed. */
function literalPath(url: string, basePath: string): string | undefined {
  const [first, more] = readTemplate(url).parts;
  if (first?.kind !== 'text') return undefined;
  const [path = '', query] = first.text.split('?', 2);
  if (path === '' || (query === undefined && more !== undefined)) return undefined;
  if (path.startsWith('/')) return path;
  return basePath === '/' ? `/${path}` : undefined;
}

/** Not with a condition for a file that must be there. */
function canHold({ conditions }: RuleConfig): boolean {
  const wantsFile = ({ matchType, negate }: ConditionConfig) => matchType !== 'Pattern' && !negate;
  const entries = conditions?.entries ?? [];
  if (entries.length === 0) return true;
  return conditions?.logicalGrouping === 'MatchAny' ? !entries.every(wantsFile) : !entries.some(wantsFile);
}

/** Then there is nothing that it leaves, as is told of its pattern. */
function neverMatches(rule: RuleConfig, setSomewhere: ReadonlySet<string>): boolean {
  let never = false;
  checkNever(rule, { sentAway: false, setSomewhere }, () => {
    never = true;
  });
  return never;
}

/** What tells how a request came. */
const SIGNS = {
  http: { HTTPS: 'OFF', SERVER_PORT_SECURE: '0', SERVER_PORT: '80' },
  https: { HTTPS: 'ON', SERVER_PORT_SECURE: '1', SERVER_PORT: '443' },
} as const;

/** The begin of a URL: where all requests of the rule come encrypted they are not to go on in the clear. */
export function beginsOf({ conditions, patternSyntax }: RuleConfig): readonly string[] {
  const entries = conditions?.entries ?? [];
  const all = Object.entries(SIGNS).map(([scheme, signs]) => ({
    begin: `${scheme}://`,
    signs: new Map<string, string>(Object.entries(signs)),
  }));
  const left = all.filter(({ signs }) =>
    entries.every(({ input, pattern, ignoreCase, negate }) => {
      const value = signs.get(/^\{(\w+)\}$/.exec(input?.value ?? '')?.[1]?.toUpperCase() ?? '');
      const compiled = pattern && compilePattern(patternSyntax, pattern.value, ignoreCase);
      return value === undefined || !compiled || isFault(compiled) || (compiled.match(value) !== undefined) !== negate;
    }),
  );
  const isAny = left.length === 0 || (conditions?.logicalGrouping === 'MatchAny' && entries.length > 1);
  return (isAny ? all : left).map(({ begin }) => begin);
}

function reportEnd(rule: RuleConfig, report: Report): void {
  report('LG2245', rule.action.span, {
    message: `Rule "${rule.name.value}" ends the list and sends requests nowhere, so it leaves them to a file; Lychgate has none, and they are answered with 404.`,
    advice: `Send them to the server that has the file: type="Rewrite" and a url with ${beginsOf(rule).join(' or ')} and its name.`,
  });
}

function reportFile(rule: RuleConfig, url: string, report: Report): void {
  const file = url.replace(/[?{].*/s, '').toLowerCase();
  report('LG2245', rule.action.url?.span ?? rule.action.span, {
    // Rules for one file are mended together.
    subject: file,
    message: `Rule "${rule.name.value}" leaves requests to a file, "${url}"; Lychgate has none, so they are answered with 404.`,
    advice: `Write ${beginsOf(rule).join(' or ')} and a farm or host that has it, or answer with type="CustomResponse".`,
  });
}
