/** What can be wrong with the action of a rule: where it sends the request, and what it answers. */

import { type Report, spanWithin } from '../config/diagnostic.ts';
import type { ActionConfig, RewriteMapConfig, RuleConfig } from '../config/rewrite-model.ts';
import { literalAuthority, splitAuthority } from './action.ts';
import { checkQuery } from './check-doubled-query.ts';
import type { FarmMeant } from './farm-meant.ts';
import { comesFromFittingMap } from './map-hosts.ts';
import { isRaw } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

export interface ActionSurroundings {
  /** Farm names, lower case. */
  readonly farms: ReadonlySet<string>;
  readonly farmMeant: FarmMeant;
  /** Hosts of bindings: whether a rule may lead there is looked at with all of them together. */
  readonly ownHosts: ReadonlySet<string>;
  /** Farms, or the hosts that settings allow, may be missing here: something of them could not be read. */
  readonly farmsMisread: boolean;
  readonly allowMisread: boolean;
  /** `system.webServer/proxy` is on. */
  readonly proxyEnabled: boolean;
  /** `upstream.allow`, lower case. */
  readonly allow: ReadonlySet<string>;
  readonly useOriginalURLEncoding: boolean;
  /** No rule follows in the list. */
  readonly isLast: boolean;
  /** Nothing where not all of them are known. */
  readonly maps: readonly RewriteMapConfig[] | undefined;
}

export function checkAction(rule: RuleConfig, surroundings: ActionSurroundings, report: Report): void {
  const { action } = rule;
  if (action.absent && !rule.refused?.has('action')) checkAbsence(rule, report);
  if (action.type === 'CustomResponse') checkStatus(action, report);
  if (action.type !== 'Rewrite' && action.type !== 'Redirect') return;
  if (!action.url) {
    if (action.faulty) return;
    report('LG2223', action.span, {
      message: `The ${action.type} of rule "${rule.name.value}" has no url; the rule does nothing with the request.`,
      advice: 'Add the url, or set the type to None.',
      ui: true,
    });
    return;
  }
  checkQuery(rule, report);
  if (action.type === 'Rewrite') checkTarget(rule, surroundings, report);
}

/** A rule that sets a variable has done its work: so are those of ARR's own page of cache rules. */
function checkAbsence(rule: RuleConfig, report: Report): void {
  if (rule.serverVariables.length > 0) return;
  report('LG2228', rule.name.span, {
    message: `Rule "${rule.name.value}" has no action, so it ${rule.stopProcessing ? 'only ends the list' : 'does nothing'}.`,
    advice: 'Add <action type="…" />; type="None" says that nothing is to be done.',
    ui: true,
  });
}

function checkStatus({ statusCode, span, faulty }: ActionConfig, report: Report): void {
  if (statusCode === undefined ? faulty : statusCode >= 200 && statusCode <= 999) return;
  report('LG2224', span, {
    message:
      statusCode === undefined
        ? 'The custom response has no statusCode.'
        : `${statusCode} is not a status that an answer can have.`,
    advice: 'Set statusCode to 200–299 or 308–999. As it is, the request is answered with 500.50.',
    // IIS Manager takes what begins with 1.
    ...(statusCode === undefined || statusCode < 100 || statusCode > 999 ? { ui: true as const } : {}),
  });
}

function checkTarget(rule: RuleConfig, surroundings: ActionSurroundings, report: Report): void {
  const { url } = rule.action;
  if (!url) return;
  const { parts } = readTemplate(url.value);
  const scheme = /^(?:([A-Za-z][A-Za-z0-9+.-]*):[/\\]|\\\\)/.exec(url.value);
  if (!scheme) return;
  if (!/^https?$/i.test(scheme[1] ?? '') || !/^https?:\/\//i.test(url.value)) {
    report('LG2235', spanWithin(url, 0, scheme[0].length), {
      message: `"${url.value}" is no URL that a Rewrite can go to; physical paths and other schemes are not supported.`,
      advice: 'Write a path of the site, or http:// or https:// with a farm or host.',
    });
    return;
  }
  const host = literalAuthority(parts);
  const hostAt = url.value.indexOf('//') + 2;
  if (host === undefined) checkComputedHost(rule, surroundings, report);
  else checkLiteralHost(rule, host, hostAt, surroundings, report);
  checkEscapes(rule, parts, surroundings, report);
  if (!rule.stopProcessing && !rule.refused?.has('stopProcessing') && !surroundings.isLast) {
    report('LG2232', rule.action.span, {
      message: `Rule "${rule.name.value}" sends the request away but does not stop processing: later rules see the new URL and the last one wins.`,
      advice: 'Set stopProcessing="true".',
    });
  }
}

function checkComputedHost(rule: RuleConfig, surroundings: ActionSurroundings, report: Report): void {
  const { url } = rule.action;
  const { maps, allowMisread } = surroundings;
  if (!url || rule.faulty || allowMisread || maps === undefined) return;
  if (comesFromFittingMap(rule, { ...surroundings, maps })) return;
  const { size } = surroundings.allow;
  const allowed = size === 0 ? '' : ` and the ${size === 1 ? 'host' : `${size} hosts`} of upstream.allow`;
  report('LG2231', url.span, {
    message: `The host of "${url.value}" is computed from the request; only farms${allowed} can be reached so, all others are answered with 403.`,
    advice: 'Name the farm or host in the rule, or list the hosts in upstream.allow of settings.json.',
  });
}

function checkLiteralHost(
  rule: RuleConfig,
  authority: string,
  at: number,
  { farms, farmMeant, farmsMisread, ownHosts, proxyEnabled }: ActionSurroundings,
  report: Report,
): void {
  const { url } = rule.action;
  if (!url) return;
  const span = spanWithin(url, at, at + authority.length);
  const split = splitAuthority(authority, true);
  if (!split) {
    report('LG2235', span, {
      message: `"${authority}" is no host with an optional port.`,
      advice: 'Write the name of a farm or host, and :port if it is needed.',
    });
    return;
  }
  if (farms.has(split.host) || farmsMisread) return;
  const meant = farmMeant(rule, split.host);
  if (!proxyEnabled) {
    const others = 'Name a farm of webFarms, or set enabled="true" on system.webServer/proxy.';
    report('LG2230', span, {
      subject: split.host,
      message: `"${split.host}" is not the name of a web farm, and system.webServer/proxy is not enabled: IIS would answer 404.`,
      advice: meant === undefined ? others : `Did you mean the farm "${meant}"? ${others}`,
    });
  } else if (meant !== undefined && !ownHosts.has(split.host)) {
    report('LG2237', span, {
      subject: split.host,
      message: `"${split.host}" is not the name of a web farm, so requests go straight to a host of that name; there is a farm "${meant}".`,
      advice: `Did you mean the farm "${meant}"? If the host is meant, give its address in "hosts" of settings.json.`,
    });
  }
}

function checkEscapes(
  rule: RuleConfig,
  parts: readonly Part[],
  { useOriginalURLEncoding }: ActionSurroundings,
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
