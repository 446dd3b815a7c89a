/** Variables that rules set and nobody reads: headers that are named wrongly, or that come too early or too late. */
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type {
  OutboundRuleConfig,
  OutboundRulesConfig,
  PreConditionConfig,
  RuleConfig,
  RuleSetConfig,
} from '../config/rewrite-model.ts';
import type { Text } from '../config/text.ts';
import { headerOfVariable, isNamedVariable, isResponseStatus, responseHeaderOfVariable } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

/** Gives the names of the variables that an inbound rule sets without effect. */
export function checkUnreadVariables(config: Config, report: Report): ReadonlySet<Text> {
  const withoutEffect = new Set<Text>();
  const sets = [config.globalRules, ...config.sites.flatMap(({ scopes }) => scopes.map(({ ruleSet }) => ruleSet))];
  const read = namesIn(sets.flatMap(textsOf));
  const allKnown = !config.withoutHost && sets.every(({ unread = [] }) => unread.length === 0);
  for (const { loadBalancing } of config.webFarms) read.add(loadBalancing.hashServerVariable.value.toUpperCase());
  for (const { rules, outbound } of sets) {
    for (const rule of rules)
      if (rule.enabled && !rule.faulty) checkInbound(rule, { read, allKnown, withoutEffect }, report);
    if (outbound) checkOutboundRules(outbound, report);
  }
  return withoutEffect;
}

/** Names that mean something to IIS or ARR by themselves. */
const OF_IIS = /^(ARR_\w+|SKIP_MANAGED_MODULES|APP_WARMING_UP|WARMUP_REQUEST)$/i;

interface Readers {
  readonly read: ReadonlySet<string>;
  /** Else what a rule sets under a name of its own may be read in a file that is not there. */
  readonly allKnown: boolean;
  /** Filled here. */
  readonly withoutEffect: Set<Text>;
}

function checkInbound(rule: RuleConfig, { read, allKnown, withoutEffect }: Readers, report: Report): void {
  for (const { name } of rule.serverVariables) {
    const { value } = name;
    if (value === '' || headerOfVariable(value) !== undefined || OF_IIS.test(value) || read.has(value.toUpperCase()))
      continue;
    const ofAnswer = responseHeaderOfVariable(value) !== undefined || isResponseStatus(value);
    if (!ofAnswer && !allKnown && !isNamedVariable(value) && !/^X_|[-{]|^Host$/i.test(value)) continue;
    withoutEffect.add(name);
    report('LG2247', name.span, {
      subject: value.toUpperCase(),
      message: ofAnswer
        ? `"${value}" is of the answer, which is not there yet: setting it in an inbound rule has no effect.`
        : `No rule reads "${value}", and servers are sent headers only: setting it has no effect.`,
      advice: ofAnswer ? cureForAnswer(value) : cureForRequest(value),
    });
  }
}

function checkOutboundRules({ rules, preConditions }: OutboundRulesConfig, report: Report): void {
  const readers = new Map<string, number>();
  const own = rules.map((rule) => namesIn(textsOfOutboundRule(rule)));
  for (const names of [...own, namesIn(preConditions.flatMap(textsOfPreCondition))]) {
    for (const name of names) readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  for (const [index, rule] of rules.entries()) {
    const name = rule.match?.serverVariable?.value.toUpperCase() ?? '';
    const others = (readers.get(name) ?? 0) - (own[index]?.has(name) ? 1 : 0);
    if (rule.enabled && !rule.faulty && others === 0) checkOutbound(rule, report);
  }
}

/** @param rule whose variable no other one reads */
function checkOutbound(rule: OutboundRuleConfig, report: Report): void {
  const variable = rule.match?.serverVariable;
  const name = variable?.value ?? '';
  if (!variable || name === '' || isResponseStatus(name) || responseHeaderOfVariable(name) !== undefined) return;
  // Microsoft's own sample gives the header back for the compression of IIS itself.
  if (/^HTTP_ACCEPT_ENCODING$/i.test(name) || rule.action.type === 'None') return;
  const header = headerOfVariable(name);
  report('LG2247', variable.span, {
    subject: name.toUpperCase(),
    message:
      header === undefined
        ? `No other outbound rule reads "${name}", and it is no header of the answer: the rule has no effect.`
        : `"${name}" is a header of the request, which has been sent by then: the rule has no effect.`,
    advice: `For a header of the answer write RESPONSE_${bareName(name)}${header === undefined ? '' : '; one of the request is set by serverVariables of an inbound rule'}.`,
  });
}

function cureForAnswer(name: string): string {
  return isResponseStatus(name)
    ? 'Answer with type="CustomResponse", which has a status.'
    : `Make an outbound rule with <match serverVariable="${name}" pattern=".*" />.`;
}

function cureForRequest(name: string): string {
  return isNamedVariable(name)
    ? 'Remove it; what a server is to know is told in a header, such as HTTP_X_FORWARDED_PROTO.'
    : `For a header of the request write HTTP_${bareName(name)}; else remove it.`;
}

function bareName(name: string): string {
  return name
    .toUpperCase()
    .replace(/^[{$%\s]+|[}%\s]+$/g, '')
    .replace(/^(HTTP|REQUEST|RESPONSE)[-_\s]/, '')
    .replace(/[-\s]+/g, '_');
}

function textsOf({ rules, outbound }: RuleSetConfig): (Text | undefined)[] {
  return [
    ...rules.flatMap(({ conditions, serverVariables, action }) => [
      ...(conditions?.entries ?? []).map(({ input }) => input),
      ...serverVariables.map(({ value }) => value),
      ...[action.url, action.statusReason, action.statusDescription],
    ]),
    ...(outbound?.preConditions ?? []).flatMap(textsOfPreCondition),
    ...(outbound?.rules ?? []).flatMap(textsOfOutboundRule),
  ];
}

function textsOfPreCondition({ conditions }: PreConditionConfig): (Text | undefined)[] {
  return conditions.entries.map(({ input }) => input);
}

function textsOfOutboundRule({ conditions, action }: OutboundRuleConfig): (Text | undefined)[] {
  return [...(conditions?.entries ?? []).map(({ input }) => input), action.value];
}

function namesIn(texts: readonly (Text | undefined)[]): Set<string> {
  const names = new Set<string>();
  const take = (parts: readonly Part[]) => {
    for (const part of parts) {
      if (part.kind === 'variable') names.add(part.name.toUpperCase());
      if (part.kind === 'call') take(part.argument);
    }
  };
  for (const text of texts) if (text?.value.includes('{')) take(readTemplate(text.value).parts);
  return names;
}
