/** What can be wrong with rules: everything that can be told from the configuration alone. */

import { type Code, type Report, spanWithin } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type { ConditionConfig, PatternSyntax, RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { comparedName } from '../host-name.ts';
import { didYouMean } from '../nearest.ts';
import { sendsAway } from './action-target.ts';
import { checkAction } from './check-action.ts';
import { type ConditionGroups, checkConditions, conditionGroups } from './check-conditions.ts';
import { doubledQueries } from './check-doubled-query.ts';
import { checkEncodedBody } from './check-encoded-body.ts';
import { checkInternational } from './check-international.ts';
import { checkLeftToFile } from './check-left-to-file.ts';
import { checkNever } from './check-never.ts';
import { checkOpenRedirect } from './check-open-redirect.ts';
import { checkOutbound, variablesOfOutbound } from './check-outbound.ts';
import { checkPattern } from './check-pattern.ts';
import { checkStar } from './check-star.ts';
import { checkMapTexts, checkTemplate, type TemplateSurroundings } from './check-template.ts';
import { checkUnreadVariables } from './check-unread-variable.ts';
import { createLoopAnalyser, type LoopAnalyser } from './explosive-loops.ts';
import { couldBeWildcard } from './expression-meant.ts';
import { createFarmMeant, type FarmMeant } from './farm-meant.ts';
import { oneFinding } from './one-finding.ts';
import { compilePattern, isFault } from './pattern.ts';
import { compileMaps } from './rewrite-map.ts';
import { headerOfVariable, isForbiddenHeader } from './server-variables.ts';
import type { TargetSurroundings } from './target-surroundings.ts';
import { withUrlMeant } from './url-meant.ts';
import { hasNoUrl } from './url-pattern.ts';

/** What the checks of single rules have come to know, for those of the whole publication. */
export interface KnownOfRules {
  /** Variables that some rule sets, in upper case. */
  readonly setSomewhere: ReadonlySet<string>;
  readonly farmMeant: FarmMeant;
  /** What has been found so far; grows with what is reported through `report`. */
  readonly told: ReadonlySet<Code>;
  /** Leaves out what is told already in another way. */
  readonly report: Report;
}

/** Reports what one rule or one list of rules can tell; of a rule that several scopes inherit it finds the same again. */
export function checkRules(config: Config, report: Report): KnownOfRules {
  const sets = [config.globalRules, ...config.sites.flatMap((site) => site.scopes.map((scope) => scope.ruleSet))];
  const { misread } = config;
  const known = {
    farms: new Set(config.webFarms.map((farm) => comparedName(farm.name.value))),
    farmMeant: createFarmMeant(config),
    ownHosts: new Set(config.sites.flatMap(({ bindings }) => bindings.map(({ host }) => host))),
    farmsMisread: misread?.has('farms') ?? false,
    allowMisread: config.settings.misread?.has('upstream') ?? false,
    proxyEnabled: config.proxy.enabled,
    allow: new Set(config.settings.upstream.allow),
    setSomewhere: new Set(sets.flatMap((set) => [...set.rules.flatMap(namesSet), ...variablesOfOutbound(set)])),
    loopsOf: createLoopAnalyser(),
    withoutHost: config.withoutHost ?? false,
  };
  const told = new Set<Code>();
  const withMeant = withUrlMeant(sets, report);
  const noting: Report = (code, span, finding) => {
    told.add(code);
    withMeant(code, span, finding);
  };
  const withoutEffect = checkUnreadVariables(config, noting);
  const shared = { ...known, withoutEffect };
  for (const set of sets) {
    checkRuleSet(set, set === config.globalRules, shared, noting);
    checkOutbound(set, shared.setSomewhere, noting);
    checkMapTexts(set.rewriteMaps, noting);
    checkInternational(set, known, noting);
  }
  const { setSomewhere, farmMeant } = known;
  checkLeftToFile(config, setSomewhere, noting);
  checkEncodedBody(config, noting);
  return { setSomewhere, farmMeant, told, report: noting };
}

interface Shared
  extends Pick<
    TargetSurroundings,
    'farms' | 'farmMeant' | 'ownHosts' | 'farmsMisread' | 'allowMisread' | 'proxyEnabled' | 'allow'
  > {
  readonly setSomewhere: ReadonlySet<string>;
  readonly loopsOf: LoopAnalyser;
  readonly withoutHost: boolean;
  readonly withoutEffect: ReadonlySet<Text>;
}

function namesSet(rule: RuleConfig): string[] {
  return rule.serverVariables.map((variable) => variable.name.value.toUpperCase());
}

function checkRuleSet(set: RuleSetConfig, global: boolean, shared: Shared, report: Report): void {
  let sentAway = false;
  for (const [index, rule] of set.rules.entries()) {
    if (!rule.enabled) {
      checkPatterns(rule, shared.loopsOf, report);
      continue;
    }
    const groups = checkPatterns(rule, shared.loopsOf, report);
    const once = oneFinding(report);
    checkExpressions(rule, groups, { ruleSet: set, setSomewhere: shared.setSomewhere }, once.ofExpressions);
    checkVariables(
      rule,
      global || set.unread?.includes('allowedServerVariables') ? undefined : { ...shared, ...set },
      report,
    );
    if (!rule.faulty) checkOpenRedirect(rule, report);
    const isLast = index === set.rules.length - 1;
    const { useOriginalURLEncoding, rewriteMaps, unread } = set;
    const maps = { maps: compileMaps(rewriteMaps), mapsMisread: unread?.includes('rewriteMaps') ?? false };
    checkAction(
      rule,
      { ...shared, useOriginalURLEncoding, isLast, isEnd: !global && !sentAway, ...maps },
      once.ofTarget,
    );
    once.close();
    if (!rule.refused?.has('patternSyntax')) checkNever(rule, { sentAway, setSomewhere: shared.setSomewhere }, report);
    sentAway ||= !rule.stopProcessing && sendsAway(rule.action);
  }
}

interface Groups {
  readonly rule: number | undefined;
  readonly conditions: ConditionGroups;
}

function checkPatterns(rule: RuleConfig, loopsOf: LoopAnalyser, report: Report): Groups {
  const { match } = rule;
  const syntax = rule.refused?.has('patternSyntax') ? undefined : rule.patternSyntax;
  const disabled = !rule.enabled;
  const url = match?.url;
  const isOpen = hasNoUrl(rule);
  if (isOpen && !disabled) reportNoUrl(rule, report);
  const captured = resultsOf(rule).some(({ value }) => /\{C:\d/i.test(value));
  const wildcards = patternsOf(rule).every(couldBeWildcard);
  const conditions = checkConditions(rule.conditions, { syntax, disabled, loopsOf, captured, wildcards }, report);
  if (!disabled && url) checkStar(url, syntax, report);
  // That it captures nothing has been told.
  if (!match || !url) return { rule: undefined, conditions };
  const { ignoreCase } = match;
  const groups = checkPattern({ text: url, syntax, ignoreCase, disabled, loopsOf, wildcards }, report);
  return { rule: match.negate ? -1 : groups, conditions };
}

function patternsOf({ match, conditions }: RuleConfig): readonly string[] {
  const texts = [match?.url, ...(conditions?.entries ?? []).map(({ pattern }) => pattern)];
  return texts.flatMap((text) => (text ? [text.value] : []));
}

/** The file that Azure App Service writes for Node.js has rules without a match and works by them. */
function reportNoUrl(rule: RuleConfig, report: Report): void {
  const { name, match, span, conditions } = rule;
  const every = `every URL${conditions?.entries.length ? ' for which its conditions hold' : ''}`;
  const lacks = `Rule "${name.value}" has no ${match ? 'url in its match' : 'match'}`;
  const inputs = (conditions?.entries ?? []).map(({ input }) => input?.value ?? '');
  const wanted = [...inputs, ...resultsOf(rule).map(({ value }) => value)].join(' ').match(/\{R:[1-9]\d*\}/i)?.[0];
  const advice = wanted
    ? 'Write <match url="(.*)" />, which captures the whole URL as {R:1}, or {R:0} in its place.'
    : 'Write <match url=".*" /> if that is meant, else the pattern.';
  const effect = !match
    ? `so it applies to ${every}`
    : match.negate
      ? 'and negates it: it is taken to apply to none. IIS may see it otherwise'
      : `so it is taken to apply to ${every}. IIS may see it otherwise`;
  const empty = wanted ? `; ${wanted} is always empty` : '';
  report('LG2220', match?.span ?? span, { message: `${lacks}, ${effect}${empty}.`, advice, ui: true });
}

function checkExpressions(
  rule: RuleConfig,
  groups: Groups,
  surroundings: Pick<TemplateSurroundings, 'ruleSet' | 'setSomewhere'>,
  report: Report,
): void {
  const trackAll = rule.conditions?.trackAllCaptures ?? false;
  const unknown = rule.conditions?.faulty || rule.refused?.has('conditions');
  const at = (count: number): Omit<TemplateSurroundings, 'use'> => ({
    ...surroundings,
    ruleGroups: groups.rule,
    conditionGroups: unknown ? undefined : conditionGroups(groups.conditions, count, trackAll),
  });
  for (const [index, condition] of (rule.conditions?.entries ?? []).entries()) {
    const use = condition.matchType === 'Pattern' ? 'input' : 'file';
    const whenEmpty = heldWhenEmpty(condition, rule.patternSyntax);
    if (condition.input) checkTemplate(condition.input, { ...at(index), use, whenEmpty }, report);
  }
  const used = resultsOf(rule);
  const after = at(groups.conditions.length);
  const use = rule.action.type === 'CustomResponse' ? 'words' : 'value';
  const doublesQuery = (url: string) => doubledQueries(url, rule).length > 0;
  for (const text of used) {
    checkTemplate(text, { ...after, use, ...(text === rule.action.url ? { doublesQuery } : {}) }, report);
  }
  if (rule.conditions?.entries.at(-1)?.negate && !trackAll && (after.conditionGroups ?? 0) >= 0) {
    for (const text of used) {
      const found = /\{C:[1-9]\d*\}/i.exec(text.value);
      if (!found) continue;
      report('LG2216', spanWithin(text, found.index, found.index + found[0].length), {
        message: `The last condition is negated; ${found[0]} is taken from the last one that is not, IIS may give nothing.`,
        advice: 'Put negated conditions first, or set trackAllCaptures="true".',
      });
    }
  }
}

function heldWhenEmpty(
  { pattern, ignoreCase, negate }: ConditionConfig,
  syntax: PatternSyntax,
): TemplateSurroundings['whenEmpty'] {
  const compiled = pattern && compilePattern(syntax, pattern.value, ignoreCase);
  if (!compiled || isFault(compiled)) return undefined;
  return (compiled.match('') !== undefined) === negate ? 'never holds' : 'always holds';
}

/** The texts that a rule is for: what it sets, and its new URL or answer. */
function resultsOf({ serverVariables, action }: RuleConfig): readonly Text[] {
  return [
    ...serverVariables.map((variable) => variable.value),
    ...(action.type === 'Rewrite' || action.type === 'Redirect' ? [action.url] : []),
    ...(action.type === 'CustomResponse' ? [action.statusReason, action.statusDescription] : []),
  ].filter((text) => text !== undefined);
}

interface Allowed {
  readonly allowedServerVariables: readonly string[];
  /** What else is allowed is not known. */
  readonly withoutHost: boolean;
  /** Names of variables whose setting is told to have no effect: to allow them is no cure. */
  readonly withoutEffect: ReadonlySet<Text>;
}

/** RFC 9110 5.1, in lower case and without `_`, which stands for a hyphen. */
const HEADER_NAME = /^[a-z0-9!#$%&'*+.^`|~-]+$/;

function checkVariables(rule: RuleConfig, allowed: Allowed | undefined, report: Report): void {
  const names = allowed && new Set(allowed.allowedServerVariables.map((name) => name.toUpperCase()));
  for (const { name } of rule.serverVariables) {
    const header = headerOfVariable(name.value);
    if (header !== undefined && (isForbiddenHeader(header) || !HEADER_NAME.test(header))) {
      const isName = HEADER_NAME.test(header);
      report('LG2227', name.span, {
        message: isName
          ? `"${name.value}" is the header "${header}", which a rule cannot set here.`
          : `"${name.value}" would be the header "${header}", which is no name of a header.`,
        advice: isName
          ? 'Remove it; the proxy frames the message and keeps the connection itself.'
          : 'Write HTTP_ and letters, digits and _ for each hyphen, such as HTTP_X_FORWARDED_PROTO.',
      });
    } else if (
      allowed &&
      !allowed.withoutEffect.has(name) &&
      name.value !== '' &&
      !names?.has(name.value.toUpperCase())
    ) {
      reportNotAllowed(name, allowed, report);
    }
  }
}

function reportNotAllowed(name: Text, { allowedServerVariables, withoutHost }: Allowed, report: Report): void {
  report('LG2226', name.span, {
    subject: name.value.toUpperCase(),
    message: withoutHost
      ? `The server variable "${name.value}" must be in allowedServerVariables of applicationHost.config, which was not read; else a request that matches the rule is answered with 500.50.`
      : `The server variable "${name.value}" is not in allowedServerVariables; a request that matches the rule is answered with 500.50.`,
    advice: `${didYouMean(name.value, allowedServerVariables)}Add it to allowedServerVariables in applicationHost.config.`,
    iis: {
      status: '500.50',
      text: `The server variable "${name.value}" is not allowed to be set. Add the server variable name to the allowed server variable list.`,
    },
  });
}
