/** Merges the outbound rules of all levels, with the preConditions and custom tags that they refer to by name. */
import { didYouMean } from '../nearest.ts';
import type { Report } from './diagnostic.ts';
import type { LoadSession } from './load-session.ts';
import { ruleContext, type SectionLevel } from './read-sections.ts';
import type {
  CustomTagsConfig,
  OutboundMatchConfig,
  OutboundRuleConfig,
  OutboundRulesConfig,
  PatternSyntax,
  PreConditionConfig,
  TagFilter,
} from './rewrite-model.ts';
import { conditionOf, conditionsOf, rewriteSections, ruleFaultsOf } from './rewrite-section.ts';
import { boolOf, childOf, entriesOf, enumOf, mergeEntries, numberOf, stringOf, textOf } from './schema.ts';
import type { CollectionSchema, Entry, SectionNode } from './section-tables.ts';
import type { Text } from './text.ts';

/** What is in force; nothing where no level has an outbound rule. Reports references to what is missing. */
export function outboundOf(
  levels: readonly SectionLevel[],
  session: LoadSession,
): { readonly outbound?: OutboundRulesConfig } {
  const sections = levels.flatMap((level) => level.sections.get('outboundRules') ?? []);
  const schema = rewriteSections.outboundRules;
  const merged = (collection: CollectionSchema | undefined, entriesIn: (section: SectionNode) => readonly Entry[]) =>
    mergeEntries(sections.map(entriesIn), collection, ruleContext(session, 'outboundRules')).map(({ node }) => node);
  const child = (name: 'preConditions' | 'customTags') =>
    merged(schema.elements?.[name]?.collection, (section) => section.elements.get(name)?.entries ?? []);
  const outbound = {
    preConditions: child('preConditions').map(preConditionOf),
    customTags: child('customTags').map(customTagsOf),
    rules: merged(schema.collection, (section) => section.entries).map(outboundRuleOf),
  };
  if (outbound.rules.length === 0) return {};
  // What a rule refers to may be what was refused.
  const misread = (name: 'preConditions' | 'customTags') =>
    sections.some(({ refused, elements }) => {
      const list = elements.get(name);
      return refused?.has(name) || list?.faulty || list?.entries.some(({ node }) => node.refused?.has('name'));
    });
  const known = {
    preConditions: misread('preConditions') ? undefined : outbound.preConditions,
    customTags: misread('customTags') ? undefined : outbound.customTags,
  };
  for (const rule of outbound.rules) checkReferences(rule, known, session.report);
  return { outbound };
}

/** What may be referred to; nothing where not all of it is known. */
type Known = { readonly [Name in 'preConditions' | 'customTags']: OutboundRulesConfig[Name] | undefined };

function checkReferences(rule: OutboundRuleConfig, outbound: Known, report: Report): void {
  const { preCondition, match } = rule;
  checkReference(preCondition, outbound.preConditions, 'preCondition', 'the rule is never run', report);
  checkReference(match?.customTags, outbound.customTags, 'customTags group', 'it adds no tags', report);
}

function checkReference(
  text: Text | undefined,
  known: readonly { readonly name: Text }[] | undefined,
  what: string,
  effect: string,
  report: Report,
): void {
  // An empty name stands for none, as a sample of the vendor has it.
  if (known === undefined || text === undefined || text.value === '') return;
  const wanted = text.value.toLowerCase();
  if (known.some(({ name }) => name.value.toLowerCase() === wanted)) return;
  report('LG2009', text.span, {
    subject: `${what} ${wanted}`,
    message: `There is no ${what} "${text.value}"; ${effect}.`,
    advice: `${didYouMean(
      text.value,
      known.map(({ name }) => name.value),
    )}Define it, or name one that exists.`,
    ui: true,
  });
}

function outboundRuleOf(node: SectionNode): OutboundRuleConfig {
  const match = node.elements.get('match');
  const conditions = node.elements.get('conditions');
  const action = childOf(node, 'action');
  const patternSyntax = enumOf<PatternSyntax>(node, 'patternSyntax');
  return {
    span: node.span,
    ...ruleFaultsOf(node),
    name: nameOf(node),
    ...optional('preCondition', textOf(node, 'preCondition')),
    enabled: boolOf(node, 'enabled'),
    stopProcessing: boolOf(node, 'stopProcessing'),
    patternSyntax,
    ...(match === undefined ? {} : { match: matchOf(match) }),
    ...(conditions === undefined ? {} : { conditions: conditionsOf(conditions, patternSyntax) }),
    action: {
      span: action.span,
      type: enumOf(action, 'type'),
      ...optional('value', textOf(action, 'value')),
      replace: boolOf(action, 'replace'),
    },
  };
}

function matchOf(node: SectionNode): OutboundMatchConfig {
  const tags = stringOf(node, 'filterByTags').split(',');
  return {
    span: node.span,
    ...(node.faulty ? { faulty: true } : {}),
    filterByTags: tags.filter((tag): tag is TagFilter => tag !== '' && tag !== 'None'),
    ...optional('customTags', textOf(node, 'customTags')),
    ...optional('serverVariable', textOf(node, 'serverVariable')),
    ...optional('pattern', textOf(node, 'pattern')),
    occurrences: numberOf(node, 'occurrences'),
    ignoreCase: boolOf(node, 'ignoreCase'),
    negate: boolOf(node, 'negate'),
  };
}

function preConditionOf(node: SectionNode): PreConditionConfig {
  const patternSyntax = enumOf<PatternSyntax>(node, 'patternSyntax');
  return {
    span: node.span,
    ...ruleFaultsOf(node),
    name: nameOf(node),
    patternSyntax,
    conditions: {
      span: node.span,
      logicalGrouping: enumOf(node, 'logicalGrouping'),
      trackAllCaptures: false,
      entries: entriesOf(node).map((entry) => conditionOf(entry, patternSyntax)),
    },
  };
}

function customTagsOf(node: SectionNode): CustomTagsConfig {
  return {
    name: nameOf(node),
    tags: entriesOf(node).map((tag) => ({ name: stringOf(tag, 'name'), attribute: stringOf(tag, 'attribute') })),
  };
}

function nameOf(node: SectionNode): Text {
  return textOf(node, 'name') ?? { value: '', span: node.nameSpan };
}

function optional<Name extends string>(name: Name, text: Text | undefined): { readonly [key in Name]?: Text } {
  return text === undefined ? {} : ({ [name]: text } as { readonly [key in Name]: Text });
}
