/** Hosts that the request may choose: what comes of them, and how the rule is written so that it cannot. */
import type { Report } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { supplierOf } from './check-conditions.ts';
import { type Destination, hostSpan } from './destination.ts';
import { isFunction, type Part, readTemplate } from './template.ts';

export interface Allowed {
  /** `upstream.allow`, lower case. */
  readonly allow: ReadonlySet<string>;
  /** Something of it could not be read. */
  readonly allowMisread: boolean;
}

export function checkComputedHost(rule: RuleConfig, destination: Destination, allowed: Allowed, report: Report): void {
  const { url } = rule.action;
  if (!url || allowed.allowMisread) return;
  const { follows } = destination;
  const port = portOf(destination);
  if (follows)
    report('LG2231', hostSpan(rule, destination), ofFollowed(rule, follows, url.value, destination, allowed));
  else if (port) report('LG2231', hostSpan(rule, destination), ofPort(port, url.value, allowed));
  else report('LG2231', url.span, ofChosen(url.value, allowed));
}

interface Words {
  readonly message: string;
  readonly advice: string;
}

function ofFollowed(
  rule: RuleConfig,
  follows: Part,
  url: string,
  { authorities }: Destination,
  { allow }: Allowed,
): Words {
  const hosts = authorities.filter((each) => each !== '');
  const others = hosts.every((each) => /:\d+$/.test(each))
    ? '400, or with 403 where digits make another port of it'
    : '403, or with 400 where no host comes out';
  return {
    message: `The host is ${listed(hosts)} only where ${url.slice(follows.from, follows.to)} begins with a slash or is empty; all else is answered with ${others}, unless it is a farm${allow.size === 0 ? '' : ' or in upstream.allow'}.`,
    advice: cureFor(rule, follows, url),
  };
}

function ofPort(port: Part, url: string, { allow }: Allowed): Words {
  const cure =
    port.kind === 'variable' ? 'or {SERVER_PORT} if it is meant' : 'or let the group accept nothing but digits: (\\d+)';
  return {
    message: `The port is ${url.slice(port.from, port.to)}, which may hold more than digits: the host is taken for the request's choice then, and what is no farm${allow.size === 0 ? '' : ' and not in upstream.allow'} is answered with 403, or with 400 where no port comes out.`,
    advice: `Write the port into the rule, ${cure}.`,
  };
}

function ofChosen(url: string, { allow: { size } }: Allowed): Words {
  const allowed = size === 0 ? '' : ` and the ${size === 1 ? 'host' : `${size} hosts`} of upstream.allow`;
  const isMap = (part: Part) => part.kind === 'call' && !isFunction(part.name);
  const map = readTemplate(url).parts.some(isMap) ? 'let the map alone give it' : 'take it from a rewrite map';
  return {
    message: `The host of "${url}" is computed from the request; only farms${allowed} can be reached so, all others are answered with 403.`,
    advice: `Name the farm or host in the rule, ${map}, or list the hosts in upstream.allow of settings.json.`,
  };
}

/** What is computed behind the colon of a host that is text. */
function portOf({ syntax }: Destination): Part | undefined {
  if (syntax.kind !== 'absolute') return undefined;
  const [host, port] = syntax.host;
  return host?.kind === 'text' && /^[^:]+:$/.test(host.text) && port?.kind !== 'text' ? port : undefined;
}

export function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).map((text) => `"${text}"`);
  return texts.length > shown.length
    ? `${shown.join(', ')} and ${texts.length - shown.length} more`
    : shown.join(' or ');
}

/** A slash in the URL, unless the pattern leaves it to the group: there it would be the second one. */
function cureFor(rule: RuleConfig, follows: Part, url: string): string {
  const mark = follows.kind === 'variable' && /^QUERY_STRING$/i.test(follows.name) ? '/?' : '/';
  const inUrl = `"${url.slice(0, follows.from)}${mark}${url.slice(follows.from)}"`;
  const pattern = patternOf(follows, rule);
  const group = pattern === undefined ? undefined : groupIn(pattern, follows, rule);
  if (pattern === undefined || !group || isBehindSlash(pattern.slice(0, group.from))) {
    return `Write the slash into the URL: ${inUrl}.`;
  }
  const [before, behind] = [pattern.slice(0, group.from), pattern.slice(group.to)];
  const written = pattern.slice(group.from, group.to);
  if (rule.patternSyntax === 'Wildcard') {
    return `Write the slash into the pattern, "${before}/*${behind}", and into the URL: ${inUrl}.`;
  }
  const simple = /^\((\.[*+]\??)\)$/.exec(written)?.[1];
  if (simple === undefined) return `Begin the group ${written} of the pattern with the slash, or with nothing.`;
  const optional = simple.startsWith('.*') || behind.startsWith('?');
  const rest = behind.replace(/^\?/, '');
  return `Let the group begin with the slash: pattern "${before}(/${simple})${optional ? '?' : ''}${rest}".`;
}

function patternOf(part: Part, rule: RuleConfig): string | undefined {
  if (part.kind === 'rule') return rule.match?.url?.value;
  return part.kind === 'condition' ? supplierOf(rule)?.pattern?.value : undefined;
}

/** Where nothing is taken before the group, or a slash that may be there. */
function isBehindSlash(before: string): boolean {
  return /^\^?(?:\((?:\?:)?)*$|\/[?*+]?$/.test(before);
}

interface Place {
  readonly from: number;
  readonly to: number;
}

/** Where a group, or the star of a wildcard, stands in its pattern. */
function groupIn(pattern: string, part: Part, { patternSyntax }: RuleConfig): Place | undefined {
  const index = part.kind === 'rule' || part.kind === 'condition' ? part.index : 0;
  if (index === 0 || patternSyntax === 'ExactMatch') return undefined;
  const signs = patternSyntax === 'Wildcard' ? /\*/g : /\\.|\[(?:\\.|[^\]\\])*\]|\((\?)?|\)/gs;
  const open: { readonly from: number; readonly number: number }[] = [];
  let groups = 0;
  for (const { 0: sign, 1: special, index: from } of pattern.matchAll(signs)) {
    if (sign === '*' && ++groups === index) return { from, to: from + 1 };
    if (sign.startsWith('(')) open.push({ from, number: special === undefined ? ++groups : 0 });
    const closed = sign === ')' ? open.pop() : undefined;
    if (closed?.number === index) return { from: closed.from, to: from + 1 };
  }
  return undefined;
}
