/** Outbound rules for bodies, and requests that let the server compress them: IIS answers 500.52 then, and so does Lychgate. */
import type { Report } from '../config/diagnostic.ts';
import type { Config, ScopeConfig, SiteConfig } from '../config/model.ts';
import type {
  ConditionConfig,
  OutboundRuleConfig,
  OutboundRulesConfig,
  RuleConfig,
  RuleSetConfig,
} from '../config/rewrite-model.ts';
import { staysHere } from './destination.ts';
import { ruleAcceptsHost } from './published-hosts.ts';
import { readMaps } from './rewrite-map.ts';
import { readTemplate } from './template.ts';

export function checkEncodedBody({ globalRules, sites }: Config, report: Report): void {
  for (const site of sites) {
    for (const scope of site.scopes) checkScope(scope, site, globalRules, report);
  }
}

function checkScope({ ruleSet }: ScopeConfig, site: SiteConfig, global: RuleSetConfig, report: Report): void {
  const outbound = ruleSet.outbound?.rules.find((rule) => ruleSet.outbound && wantsBody(rule, ruleSet.outbound));
  if (!outbound) return;
  const senders = new Set([...sendersOf(global), ...sendersOf(ruleSet)]);
  const own = ruleSet.rules.some((rule) => senders.has(rule));
  // Those of the server are for other sites as well, and for this one where it has none of its own.
  const isForSite = (rule: RuleConfig, at: number) => at >= global.rules.length || (!own && reaches(rule, site));
  let emptied = false;
  for (const [at, rule] of [...global.rules, ...ruleSet.rules].entries()) {
    const sending = senders.has(rule);
    const empty = empties(rule);
    if (sending && !emptied && !empty && isForSite(rule, at)) reportSender(rule, outbound, report);
    emptied ||= empty && !(sending && rule.stopProcessing);
  }
}

function sendersOf(set: RuleSetConfig): readonly RuleConfig[] {
  const maps = readMaps(set);
  return set.rules.filter((rule) => {
    const { enabled, faulty, action } = rule;
    const broken = readTemplate(action.url?.value ?? '').unclosed.length > 0;
    return enabled && !faulty && action.type === 'Rewrite' && !broken && !staysHere(rule, maps);
  });
}

/** Not where a preCondition asks how the body is encoded; conditions are asked once it is being changed. */
function wantsBody(rule: OutboundRuleConfig, { preConditions }: OutboundRulesConfig): boolean {
  const { enabled, faulty, match, preCondition } = rule;
  if (!enabled || faulty || !match?.pattern || (match.serverVariable?.value ?? '') !== '') return false;
  if (match.filterByTags.length === 0 && (match.negate || rule.patternSyntax === 'Wildcard')) return false;
  const wanted = preCondition?.value.toLowerCase() ?? '';
  const first = preConditions.find(({ name }) => name.value.toLowerCase() === wanted);
  if (wanted !== '' && !first) return false;
  return !first?.conditions.entries.some(looksAtEncoding);
}

function looksAtEncoding({ input }: ConditionConfig): boolean {
  return /\{RESPONSE_CONTENT[_-]ENCODING\}|\{HTTP_ACCEPT_ENCODING\}/i.test(input?.value ?? '');
}

function reaches(rule: RuleConfig, { bindings }: SiteConfig): boolean {
  const named = bindings.map(({ host }) => host).filter((host) => host !== '' && !host.startsWith('*'));
  return named.length < bindings.length || named.length === 0 || named.some((host) => ruleAcceptsHost(rule, host));
}

/** With whatever does not ask for an encoding by its name. */
function empties({ enabled, serverVariables }: RuleConfig): boolean {
  const isEncoding = (name: string) => /^HTTP_ACCEPT[_-]ENCODING$/i.test(name);
  return (
    enabled &&
    serverVariables.some(
      ({ name, value }) =>
        isEncoding(name.value) && !/gzip|deflate|\bbr\b|zstd|HTTP_ACCEPT_ENCODING/i.test(value?.value ?? ''),
    )
  );
}

function reportSender(sender: RuleConfig, outbound: OutboundRuleConfig, report: Report): void {
  report('LG2246', sender.name.span, {
    subject: outbound.name.value,
    message: `Rule "${sender.name.value}" lets the server compress its answers, and outbound rule "${outbound.name.value}" changes their bodies: such an answer becomes 500.52.`,
    advice:
      'Add <serverVariables><set name="HTTP_ACCEPT_ENCODING" value="" /></serverVariables> to the rule, and the name to allowedServerVariables.',
    iis: {
      status: '500.52',
      text: 'Outbound rewrite rules cannot be applied when the content of the HTTP response is encoded ("gzip").',
    },
    related: { span: outbound.name.span, message: 'changes bodies' },
  });
}
