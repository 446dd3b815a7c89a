/** Where a rule may send requests, as far as the configuration alone tells: which schemes, which hosts. */
import { type Span, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { readTarget, type TargetSyntax } from './action-target.ts';
import { supplierOf } from './check-conditions.ts';
import { knownTexts, type TextSources } from './known-texts.ts';
import { groupBeginnings } from './pattern-shape.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import { beginsWithSlash, isPathVariable } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

export interface Destination {
  readonly syntax: TargetSyntax;
  /** Lower case; absent where the request makes it. */
  readonly schemes: readonly string[] | undefined;
  /** Every `host[:port]` that the administrator wrote and that may come out, lower case. */
  readonly authorities: readonly string[];
  /** No other can come out. */
  readonly certain: boolean;
  /** What stands behind such a host without a slash between them, and may make another one of it. */
  readonly follows?: Part;
}

const NOWHERE = { schemes: undefined, authorities: [], certain: true } as const;

const known = new WeakMap<RuleConfig, { readonly maps: RewriteMaps; readonly destination: Destination }>();

/** For a rule without a URL the path. Read once for a rule and its maps: each farm asks it of all rules. */
export function destinationOf(rule: RuleConfig, maps: RewriteMaps): Destination {
  const found = known.get(rule);
  if (found?.maps === maps) return found.destination;
  const destination = readDestination(rule, maps);
  known.set(rule, { maps, destination });
  return destination;
}

function readDestination(rule: RuleConfig, maps: RewriteMaps): Destination {
  const { url, type } = rule.action;
  if (!url || (type !== 'Rewrite' && type !== 'Redirect')) return { syntax: { kind: 'path' }, ...NOWHERE };
  const syntax = readTarget(readTemplate(url.value).parts, type);
  const sources = { rule, maps };
  switch (syntax.kind) {
    case 'absolute': {
      const schemes = lowerCase(knownTexts(syntax.scheme, sources));
      return { syntax, schemes, ...hostsOf(syntax.host, sources) };
    }
    case 'open':
      return { syntax, ...opened(syntax.parts, sources) };
    default:
      return { syntax, ...NOWHERE };
  }
}

type Hosts = Pick<Destination, 'authorities' | 'certain' | 'follows'>;

function hostsOf(host: readonly Part[], sources: TextSources): Hosts {
  const { known, follows } = knownBegin(host, sources);
  // A value may bring the begin of a path along.
  const authorities = unique(known.map((text) => text.replace(/[/?#\\].*$/s, '')));
  if (!follows) return { authorities, certain: true };
  // `http://backend{C:1}`: the host is whole where what follows brings a slash, or nothing.
  if (follows !== host.at(-1) || follows === host[0]) return { authorities: [], certain: false };
  return { authorities, certain: beginsPath(follows, sources), follows };
}

/** The texts that an expression can begin with, as far as they are known, and the first part of which they are not. */
function knownBegin(
  parts: readonly Part[],
  sources: TextSources,
): { known: readonly string[]; follows: Part | undefined } {
  const at = parts.findIndex((_, index) => !knownTexts(parts.slice(0, index + 1), sources));
  const known = knownTexts(at < 0 ? parts : parts.slice(0, at), sources) ?? [];
  return { known, follows: at < 0 ? undefined : parts[at] };
}

/** The whole URL comes from a map, or begins with what does. */
function opened(parts: readonly Part[], sources: TextSources): Omit<Destination, 'syntax'> {
  const { known, follows } = knownBegin(parts, sources);
  const found = known.map((text) => /^(https?):\/\/([^/?#\\]*)(.?)/is.exec(text)).filter((match) => match !== null);
  const whole = found.every(
    ([, , , end]) => end !== '' || !follows || (follows.kind === 'variable' && beginsWithSlash(follows.name)),
  );
  return {
    schemes: unique(found.map(([, scheme = '']) => scheme)),
    authorities: unique(found.map(([, , authority = '']) => authority)),
    certain: follows === parts[0] ? isOfPath(follows) : whole,
  };
}

/** Slashes in a row in a path have become one, so no part of it can be an absolute URL. */
function isOfPath(part: Part | undefined): boolean {
  if (part?.kind === 'variable') return isPathVariable(part.name) || beginsWithSlash(part.name);
  return part?.kind === 'rule';
}

/** Whether the new URL of a rule is one of this site, whatever a request brings. */
export function staysHere(rule: RuleConfig, maps: RewriteMaps): boolean {
  const { syntax, authorities, certain } = destinationOf(rule, maps);
  return syntax.kind === 'path' || (syntax.kind === 'open' && certain && authorities.length === 0);
}

/** Whether a captured text always begins with a slash where there is any. */
function beginsPath(part: Part, { rule }: TextSources): boolean {
  if (rule.patternSyntax !== 'ECMAScript') return false;
  const pattern =
    part.kind === 'rule'
      ? !rule.match?.negate && rule.match?.url?.value
      : part.kind === 'condition' && supplierOf(rule)?.pattern?.value;
  const units = pattern
    ? groupBeginnings(pattern, part.kind === 'rule' || part.kind === 'condition' ? part.index : 0)
    : undefined;
  return units?.every(([from, to]) => from === SLASH && to === SLASH) ?? false;
}

const SLASH = 0x2f;

function lowerCase(texts: readonly string[] | undefined): readonly string[] | undefined {
  return texts && unique(texts);
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts.map((text) => text.toLowerCase()))];
}

/** The place of the host in the URL of a rule; the whole of it where nothing tells them apart. */
export function hostSpan({ action }: RuleConfig, { syntax }: Pick<Destination, 'syntax'>): Span {
  const { url, span } = action;
  if (!url) return span;
  return syntax.kind === 'absolute' ? spanWithin(url, syntax.from, syntax.to) : url.span;
}
