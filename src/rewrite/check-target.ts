/** What can be wrong with where a rule sends the request: scheme, host, escapes. */
import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { doubtAbout, isInternational } from '../host-name.ts';
import { splitAuthority } from './action.ts';
import { type AbsoluteSyntax, textOf } from './action-target.ts';
import { type Destination, destinationOf, hostSpan } from './destination.ts';
import type { FarmMeant } from './farm-meant.ts';
import { compilePattern, isFault } from './pattern.ts';
import type { RewriteMaps } from './rewrite-map.ts';
import { isRaw } from './server-variables.ts';
import type { Part } from './template.ts';

export interface TargetSurroundings {
  /** Farm names, lower case. */
  readonly farms: ReadonlySet<string>;
  readonly farmMeant: FarmMeant;
  /** Hosts of bindings: whether a rule may lead there is looked at with all of them together. */
  readonly ownHosts: ReadonlySet<string>;
  /** Farms, the hosts that settings allow, or maps may be missing here: something of them could not be read. */
  readonly farmsMisread: boolean;
  readonly allowMisread: boolean;
  readonly mapsMisread: boolean;
  /** `system.webServer/proxy` is on. */
  readonly proxyEnabled: boolean;
  /** `upstream.allow`, lower case. */
  readonly allow: ReadonlySet<string>;
  readonly useOriginalURLEncoding: boolean;
  /** No rule follows in the list. */
  readonly isLast: boolean;
  readonly maps: RewriteMaps;
}

export function checkTarget(rule: RuleConfig, surroundings: TargetSurroundings, report: Report): void {
  const { url, type } = rule.action;
  if (!url) return;
  const destination = destinationOf(rule, surroundings.maps);
  const { syntax } = destination;
  if (syntax.kind === 'absolute' && !surroundings.mapsMisread) checkScheme(rule, syntax, destination, report);
  if (type === 'Redirect') {
    checkLocation(rule, destination, report);
    return;
  }
  if (syntax.kind === 'other') {
    report('LG2235', spanWithin(url, syntax.from, syntax.to), {
      message: `"${url.value}" is no URL that a Rewrite can go to; physical paths and other schemes are not supported.`,
      advice: 'Write a path of the site, or http:// or https:// with a farm or host.',
    });
    return;
  }
  if (syntax.kind === 'absolute' || destination.authorities.length > 0)
    checkHost(rule, destination, surroundings, report);
  if (syntax.kind !== 'absolute') return;
  checkEscapes(rule, syntax.rest, surroundings, report);
  if (!rule.stopProcessing && !rule.refused?.has('stopProcessing') && !surroundings.isLast) {
    report('LG2232', rule.action.span, {
      message: `Rule "${rule.name.value}" sends the request away but does not stop processing: later rules see the new URL and the last one wins.`,
      advice: 'Set stopProcessing="true".',
    });
  }
}

/** A Location may lead anywhere, but it needs a host. */
function checkLocation(rule: RuleConfig, destination: Destination, report: Report): void {
  const { authorities } = destination;
  const wrong = authorities.find((each) => each !== '' && !splitAuthority(each, false));
  if (wrong !== undefined) reportNoHost(rule, wrong, destination, report);
  for (const authority of authorities) reportDoubt(rule, authority, destination, report);
}

function reportNoHost(rule: RuleConfig, authority: string, destination: Destination, report: Report): void {
  report('LG2235', hostSpan(rule, destination), {
    message: `"${authority}" is no host with an optional port.`,
    advice: 'Write the name of a farm or host, and :port if it is needed.',
  });
}

function reportDoubt(rule: RuleConfig, authority: string, destination: Destination, report: Report): void {
  const doubt = doubtAbout(authority.replace(/:\d*$/, ''));
  if (doubt) report('LG1030', hostSpan(rule, destination), doubt);
}

function checkScheme(rule: RuleConfig, syntax: AbsoluteSyntax, { schemes }: Destination, report: Report): void {
  const { url } = rule.action;
  if (!url || textOf(syntax.scheme) !== undefined || rule.faulty) return;
  const span = spanWithin(url, syntax.scheme[0]?.from ?? 0, syntax.scheme.at(-1)?.to ?? 0);
  const wrong = schemes?.filter((scheme) => scheme !== 'http' && scheme !== 'https');
  if (wrong?.length === 0) return;
  const advice = 'Take it from {CACHE_URL} with the pattern "^(https?)://", or write it into the rule.';
  if (schemes && wrong?.length === schemes.length) {
    report('LG2235', span, {
      message: `What stands before "://" comes out as ${listed(wrong)}, which is no scheme: each request is answered with 500.50.`,
      advice,
    });
    return;
  }
  report('LG2238', span, {
    message: `What stands before "://" ${wrong ? `can come out as ${listed(wrong)}` : 'comes from the request'}; where it is neither http nor https, the request is answered with 500.50.`,
    advice,
  });
}

function listed(texts: readonly string[]): string {
  const shown = texts.slice(0, 3).map((text) => `"${text}"`);
  return texts.length > shown.length
    ? `${shown.join(', ')} and ${texts.length - shown.length} more`
    : shown.join(' or ');
}

function checkHost(rule: RuleConfig, destination: Destination, surroundings: TargetSurroundings, report: Report): void {
  const { authorities, certain } = destination;
  for (const authority of authorities) {
    if (authority !== '') checkWrittenHost(rule, authority, destination, surroundings, report);
  }
  if (rule.faulty || surroundings.mapsMisread) return;
  if (!certain) checkComputedHost(rule, destination, surroundings, report);
  else if (authorities.includes('')) checkEmptyHost(rule, destination, report);
}

function checkComputedHost(
  rule: RuleConfig,
  destination: Destination,
  { allow, allowMisread }: TargetSurroundings,
  report: Report,
): void {
  const { url } = rule.action;
  if (!url || allowMisread) return;
  const { authorities, follows } = destination;
  if (follows) {
    const behind = url.value.slice(follows.from, follows.to);
    report('LG2231', hostSpan(rule, destination), {
      message: `The host is ${listed(authorities)} only where ${behind} begins with a slash or is empty; all else that comes out is answered with 403, unless it is a farm${allow.size === 0 ? '' : ' or in upstream.allow'}.`,
      advice: `Write the slash into the rule, "${url.value.slice(0, follows.from)}/${behind}", or begin the group of the pattern with it.`,
    });
    return;
  }
  const { size } = allow;
  const allowed = size === 0 ? '' : ` and the ${size === 1 ? 'host' : `${size} hosts`} of upstream.allow`;
  report('LG2231', url.span, {
    message: `The host of "${url.value}" is computed from the request; only farms${allowed} can be reached so, all others are answered with 403.`,
    advice:
      'Name the farm or host in the rule, take it from a rewrite map, or list the hosts in upstream.allow of settings.json.',
  });
}

/** A key that a map has not gives its default, and that is empty most often. */
function checkEmptyHost(rule: RuleConfig, destination: Destination, report: Report): void {
  const { url } = rule.action;
  const { syntax } = destination;
  if (!url || syntax.kind !== 'absolute') return;
  const host = url.value.slice(syntax.from, syntax.to);
  if (host === '' || isGuarded(rule, host)) return;
  report('LG2239', hostSpan(rule, destination), {
    message: `${host} can come out empty, for a key that the map does not have: such a request has no host to go to, and is answered with 400.`,
    advice: `Add the condition input="${host}" pattern="(.+)", or give the map a defaultValue.`,
  });
}

/** A condition that holds only where the same expression is not empty. */
function isGuarded({ conditions, patternSyntax }: RuleConfig, host: string): boolean {
  if (conditions?.logicalGrouping === 'MatchAny' && conditions.entries.length > 1) return false;
  return (conditions?.entries ?? []).some(({ input, pattern, ignoreCase, negate }) => {
    if (!pattern || input?.value.toLowerCase() !== host.toLowerCase()) return false;
    const compiled = compilePattern(patternSyntax, pattern.value, ignoreCase);
    return !isFault(compiled) && (compiled.match('') === undefined) === !negate;
  });
}

function checkWrittenHost(
  rule: RuleConfig,
  authority: string,
  destination: Destination,
  { farms, farmMeant, farmsMisread, ownHosts, proxyEnabled }: TargetSurroundings,
  report: Report,
): void {
  const span = hostSpan(rule, destination);
  const split = splitAuthority(authority, true);
  if (!split) {
    reportNoHost(rule, authority, destination, report);
    return;
  }
  if (farms.has(split.host) || farmsMisread) return;
  if (isInternational(split.host)) {
    reportNoHost(rule, authority, destination, report);
    return;
  }
  reportDoubt(rule, authority, destination, report);
  const meant = farmMeant(rule, split.host);
  const written = asWritten(split.host, rule);
  if (!proxyEnabled) {
    const others = 'Name a farm of webFarms, or set enabled="true" on system.webServer/proxy.';
    report('LG2230', span, {
      subject: split.host,
      message: `"${written}" is not the name of a web farm, and system.webServer/proxy is not enabled: IIS would answer 404.`,
      advice: meant === undefined ? others : `Did you mean the farm "${meant}"? ${others}`,
    });
  } else if (meant !== undefined && !ownHosts.has(split.host)) {
    report('LG2237', span, {
      subject: split.host,
      message: `"${written}" is not the name of a web farm, so requests go straight to a host of that name; there is a farm "${meant}".`,
      advice: `Did you mean the farm "${meant}"? If the host is meant, give its address in "hosts" of settings.json.`,
    });
  }
}

/** In the letters of the file, where the rule itself has it. */
function asWritten(host: string, { action: { url } }: RuleConfig): string {
  const text = url?.value ?? '';
  const at = text.toLowerCase().indexOf(host);
  return at < 0 || text.toLowerCase().length !== text.length ? host : text.slice(at, at + host.length);
}

function checkEscapes(
  rule: RuleConfig,
  parts: readonly Part[],
  { useOriginalURLEncoding }: TargetSurroundings,
  report: Report,
): void {
  const { url } = rule.action;
  if (!url || !useOriginalURLEncoding) return;
  for (const part of parts) {
    if (part.kind === 'text' && part.text.includes('?')) return;
    const escapes =
      part.kind === 'variable'
        ? isRaw(part.name)
        : part.kind === 'call'
          ? /^urlencode$/i.test(part.name)
          : part.kind === 'text' && /%[0-9A-Fa-f]{2}/.test(part.text);
    if (!escapes) continue;
    report('LG2234', spanWithin(url, part.from, part.to), {
      message: 'The path that this gives holds escapes already, and they are encoded again: %20 becomes %2520.',
      advice: 'Set useOriginalURLEncoding="false" on the section, or use {R:0} or {URL}.',
    });
  }
}
