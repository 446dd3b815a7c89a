/** Where a rule may send requests, as far as the configuration alone tells: which schemes, which hosts. */
import { type Span, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { readTarget, type TargetSyntax } from './action-target.ts';
import { type KnownBegin, knownBegin, knownTexts, type TextSources } from './known-texts.ts';
import { endHost, isNumber } from './part-shape.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import { isPathVariable } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

export interface Destination {
  readonly syntax: TargetSyntax;
  /** Lower case; absent where the request makes it. */
  readonly schemes: readonly string[] | undefined;
  /** Every `host[:port]` that the administrator wrote and that may come out, lower case. */
  readonly authorities: readonly string[];
  /** Each of them is followed by a colon and a number, which the request gives: a port. */
  readonly anyPort: boolean;
  /** No other can come out. */
  readonly certain: boolean;
  /** What stands behind such a host without a slash between them, and may make another one of it. */
  readonly follows?: Part;
  /** Set where something computed in the host, or before it, may come out empty, and no host is there then. */
  readonly lacking?: Lacking;
}

interface Lacking {
  readonly parts: readonly Part[];
  /** What stands in the place of the host then; none where the URL is a path. */
  readonly authorities: readonly string[];
}

const NOWHERE = { schemes: undefined, authorities: [], anyPort: false, certain: true } as const;

const read = new WeakMap<RewriteMaps, WeakMap<RuleConfig, Destination>>();

/** For a rule without a URL the path. Read once for a rule and its maps: each farm asks it of all rules. */
export function destinationOf(rule: RuleConfig, maps: RewriteMaps): Destination {
  const ofMaps = read.get(maps) ?? new WeakMap<RuleConfig, Destination>();
  read.set(maps, ofMaps);
  const found = ofMaps.get(rule) ?? readDestination(rule, maps);
  ofMaps.set(rule, found);
  return found;
}

function readDestination(rule: RuleConfig, maps: RewriteMaps): Destination {
  const { url, type } = rule.action;
  if (!url || (type !== 'Rewrite' && type !== 'Redirect')) return { syntax: { kind: 'path' }, ...NOWHERE };
  const syntax = readTarget(readTemplate(url.value).parts, type);
  const sources = { rule, maps };
  switch (syntax.kind) {
    case 'absolute': {
      const schemes = lowerCase(knownTexts(syntax.scheme, sources));
      const hosts = hostsOf(knownBegin(syntax.host, sources), rule);
      return { syntax, schemes, ...hosts, ...lackingIn(syntax.host, hosts, sources) };
    }
    case 'open':
      return { syntax, ...opened(syntax.parts, sources) };
    default:
      return { syntax, ...NOWHERE };
  }
}

type Hosts = Pick<Destination, 'authorities' | 'anyPort' | 'certain' | 'follows'>;

/** What stands behind a scheme, up to the path or beyond. */
function hostsOf({ texts, rest }: KnownBegin, rule: TextSources['rule']): Hosts {
  const begins = texts.map(hostBegin);
  const digits = rest.findIndex((part) => !isNumber(part, rule));
  const behindNumber = digits < 0 ? [] : rest.slice(digits);
  const isPort = behindNumber.length < rest.length && begins.every(({ ended, text }) => !ended && /:\d*$/.test(text));
  if (isPort && endHost(behindNumber, rule)) {
    const authorities = unique(begins.map(({ text }) => text.replace(/:\d*$/, '')));
    return { authorities, anyPort: true, certain: true };
  }
  if (endHost(rest, rule))
    return { authorities: unique(begins.map(({ text }) => text)), anyPort: false, certain: true };
  // `http://backend{C:1}`: the host is whole where what follows brings a slash, or nothing.
  const mayBeWhole = endHost(rest.slice(1), rule);
  const isWhole = ({ text, ended }: HostBegin) => ended || (mayBeWhole && /[^:.-]$/.test(text));
  const authorities = unique(begins.filter(isWhole).map(({ text }) => text));
  const [follows] = rest;
  const certain = begins.every(({ ended }) => ended);
  return {
    authorities,
    anyPort: false,
    certain,
    ...(follows && begins.some((each) => !each.ended && isWhole(each)) ? { follows } : {}),
  };
}

interface HostBegin {
  readonly text: string;
  /** A value brings the begin of a path along. */
  readonly ended: boolean;
}

function hostBegin(known: string): HostBegin {
  const text = known.replace(/[/?#\\].*$/s, '');
  return { text, ended: text.length < known.length };
}

/** Names that lack a label, or all of it. */
const LACKS = /^$|^[.:]|\.\./;

function lackingIn(host: readonly Part[], { authorities }: Hosts, sources: TextSources): Pick<Destination, 'lacking'> {
  if (!authorities.some((each) => LACKS.test(each))) return {};
  const filled = hostsOf(knownBegin(host, sources, true), sources.rule);
  const lacking = authorities.filter((each) => LACKS.test(each) && !filled.authorities.includes(each));
  return lacking.length > 0 ? { lacking: { parts: mayBeEmpty(host, sources), authorities: lacking } } : {};
}

function mayBeEmpty(parts: readonly Part[], sources: TextSources): readonly Part[] {
  return parts.filter((part) => part.kind !== 'text' && knownTexts([part], sources)?.includes(''));
}

/** The whole URL comes from a map, or begins with what does. */
function opened(parts: readonly Part[], sources: TextSources): Omit<Destination, 'syntax'> {
  const { texts, rest } = knownBegin(parts, sources);
  const { rule } = sources;
  if (rest.length === parts.length) return { ...NOWHERE, certain: isOfPath(rest, rule) };
  const found = texts.map((text) => /^(https?):\/\/(.*)$/is.exec(text));
  const urls = found.filter((match) => match !== null);
  const hosts = hostsOf({ texts: urls.map(([, , behind = '']) => behind), rest }, rule);
  const isPath = (text: string) => (text === '' ? isOfPath(rest, rule) : rest.length === 0 || !mayBecomeUrl(text));
  const parted = texts.filter((_, at) => found[at] === null).every(isPath);
  const empty = urls.length > 0 ? mayBeEmpty(parts.slice(0, 1), sources) : [];
  return {
    schemes: unique(urls.map(([, scheme = '']) => scheme)),
    ...hosts,
    certain: hosts.certain && parted,
    ...(empty.length > 0 ? { lacking: { parts: empty, authorities: [] } } : {}),
  };
}

/** Whether what is computed behind a text can make a URL with a host of it. */
function mayBecomeUrl(text: string): boolean {
  return ['http://', 'https://'].some((begin) => begin.startsWith(text.toLowerCase()));
}

/** Slashes in a row in a path have become one, so no part of it can be an absolute URL; nor can what begins with a slash. */
function isOfPath(parts: readonly Part[], rule: TextSources['rule']): boolean {
  const [first] = parts;
  return first?.kind === 'rule' || (first?.kind === 'variable' && isPathVariable(first.name)) || endHost(parts, rule);
}

/** Whether the new URL of a rule is one of this site, whatever a request brings. */
export function staysHere(rule: RuleConfig, maps: RewriteMaps): boolean {
  const { syntax, authorities, certain } = destinationOf(rule, maps);
  return syntax.kind === 'path' || (syntax.kind === 'open' && certain && authorities.length === 0);
}

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
