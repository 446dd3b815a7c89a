/** Tables of the six sections under `system.webServer/rewrite`, and the rules and maps made from what they read. */

import { hostPattern, leavesLetters } from './host-pattern.ts';
import type {
  ActionConfig,
  ConditionConfig,
  ConditionsConfig,
  MatchConfig,
  PatternSyntax,
  RewriteMapConfig,
  RuleConfig,
  SetVariableConfig,
} from './rewrite-model.ts';
import { boolOf, childOf, entriesOf, enumOf, holdsFault, numberOf, stringOf, textOf } from './schema.ts';
import type { AttributeSchema } from './schema-values.ts';
import type { CollectionSchema, ElementSchema, SectionNode } from './section-tables.ts';

const text: AttributeSchema = { type: 'string' };
const name: AttributeSchema = { type: 'string', required: true, isName: true };
/** What nobody refers to may be empty: the name of a rule, which IIS takes, and a key of a map. */
const label: AttributeSchema = { type: 'string', required: true };
const on: AttributeSchema = { type: 'bool', default: true };
const off: AttributeSchema = { type: 'bool', default: false };
const grouping: AttributeSchema = { type: 'enum', names: ['MatchAll', 'MatchAny'], default: 'MatchAll' };
const syntax: AttributeSchema = {
  type: 'enum',
  names: ['ECMAScript', 'Wildcard', 'ExactMatch'],
  default: 'ECMAScript',
};
const conditionKey = ['input', 'matchType', 'pattern', 'ignoreCase', 'negate'];

function condition(matchTypes: readonly string[]): ElementSchema {
  return {
    attributes: {
      input: text,
      matchType: { type: 'enum', names: matchTypes, default: 'Pattern' },
      pattern: text,
      ignoreCase: on,
      negate: off,
    },
    hints: {
      type: 'Write matchType instead of type.',
      value: 'Write pattern instead of value.',
      url: 'Write input for what is tested and pattern for what it must match.',
    },
  };
}

function conditions(matchTypes: readonly string[], keyed: boolean, trackAll: boolean): ElementSchema {
  return {
    attributes: { logicalGrouping: grouping, trackAllCaptures: { type: 'bool', default: trackAll } },
    collection: { add: { add: condition(matchTypes) }, ...(keyed ? { key: conditionKey } : {}) },
    hints: {
      clear: 'Remove it: conditions are not inherited, so there is nothing to clear.',
      remove: 'Remove it: conditions are not inherited, so there is nothing to remove.',
      condition: 'Write <add input="…" pattern="…" />.',
    },
  };
}

const serverVariables: ElementSchema = {
  collection: {
    add: { set: { attributes: { name: { ...name, trimmed: true }, value: text, replace: on } } },
    key: ['name'],
  },
  hints: { add: 'Write <set name="…" value="…" />.' },
};

function inboundAction(global: boolean): ElementSchema {
  const status: AttributeSchema = { type: 'uint', excluded: [300, 307] };
  return {
    attributes: {
      type: {
        type: 'enum',
        names: ['None', 'Rewrite', 'Redirect', 'CustomResponse', 'AbortRequest'],
        default: 'None',
      },
      url: { type: 'string', trimmed: true },
      appendQueryString: on,
      ...(global ? {} : { logRewrittenUrl: off }),
      redirectType: { type: 'enum', names: ['Permanent', 'Found', 'SeeOther', 'Temporary'], default: 'Permanent' },
      statusCode: global ? { ...status, default: 0 } : status,
      subStatusCode: { type: 'uint', range: [0, 999], default: 0 },
      statusReason: text,
      statusDescription: text,
    },
    hints: {
      statusLine: 'Write statusReason instead.',
      responseLine: 'Write statusDescription instead.',
      value: 'Write url instead of value: value belongs to outbound rules.',
      ...(global ? { logRewrittenUrl: 'Remove it: only rules outside globalRules can log the rewritten URL.' } : {}),
    },
  };
}

function inboundRule(global: boolean): ElementSchema {
  const matchTypes = global ? ['Pattern'] : ['Pattern', 'IsFile', 'IsDirectory'];
  return {
    attributes: {
      name: label,
      enabled: on,
      stopProcessing: off,
      patternSyntax: syntax,
      responseCacheDirective: {
        type: 'enum',
        names: ['Auto', 'Always', 'Never', 'NotIfRuleMatched'],
        default: 'Auto',
      },
    },
    elements: {
      match: {
        attributes: { url: { type: 'string', nonEmpty: true }, ignoreCase: on, negate: off },
        hints: { pattern: 'Write url instead of pattern: pattern belongs to outbound rules.' },
      },
      conditions: conditions(matchTypes, global, false),
      serverVariables,
      action: inboundAction(global),
    },
    hints: { condition: 'Put it into <conditions> as <add input="…" pattern="…" />.' },
  };
}

function inboundRules(global: boolean): ElementSchema {
  return {
    attributes: { useOriginalURLEncoding: on },
    collection: { add: { rule: inboundRule(global) }, remove: true, clear: true, key: ['name'] },
    hints: { add: 'Write <rule name="…">.' },
  };
}

const named: CollectionSchema = { add: { add: { attributes: { name } } }, remove: true, clear: true, key: ['name'] };

const tags: ElementSchema = {
  attributes: { name },
  collection: {
    add: {
      tag: { attributes: { name: { ...name, nonEmpty: true }, attribute: { ...name, nonEmpty: true } } },
    },
    remove: true,
    clear: true,
    key: ['name', 'attribute'],
  },
};

const preCondition: ElementSchema = {
  attributes: { name, logicalGrouping: grouping, patternSyntax: syntax },
  collection: { add: { add: condition(['Pattern']) }, key: conditionKey },
};

const tagNames = [
  ...['None', 'A', 'Area', 'Base', 'Form', 'Frame', 'Head', 'IFrame', 'Img', 'Input', 'Link', 'Script'],
  'CustomTags',
];

const outboundRule: ElementSchema = {
  attributes: { name: label, preCondition: text, enabled: on, patternSyntax: syntax, stopProcessing: off },
  elements: {
    match: {
      attributes: {
        filterByTags: { type: 'flags', names: tagNames, default: 'None' },
        customTags: text,
        serverVariable: text,
        pattern: text,
        occurrences: { type: 'int64', default: 0 },
        ignoreCase: on,
        negate: off,
      },
      hints: { url: 'Write pattern instead of url: url belongs to inbound rules.' },
    },
    conditions: conditions(['Pattern'], true, true),
    action: {
      attributes: { type: { type: 'enum', names: ['None', 'Rewrite'], default: 'None' }, value: text, replace: on },
      hints: { url: 'Write value instead of url: url belongs to inbound rules.' },
    },
  },
  hints: { serverVariables: 'Remove it: an outbound rule sets a header through match serverVariable="RESPONSE_…".' },
};

const outboundRules: ElementSchema = {
  attributes: { rewriteBeforeCache: off },
  elements: {
    customTags: { collection: { add: { tags }, remove: true, clear: true, key: ['name'] } },
    preConditions: { collection: { add: { preCondition }, remove: true, clear: true, key: ['name'] } },
  },
  collection: { add: { rule: outboundRule }, remove: true, clear: true, key: ['name'] },
};

const rewriteMap: ElementSchema = {
  attributes: { name: { ...name, trimmed: true }, defaultValue: { type: 'string', default: '' }, ignoreCase: on },
  collection: {
    add: { add: { attributes: { key: label, value: text } } },
    remove: true,
    clear: true,
    key: ['key'],
    caseSensitive: true,
  },
};

const provider: ElementSchema = {
  attributes: { name: { ...name, trimmed: true }, type: { ...name, trimmed: true } },
  elements: {
    settings: {
      collection: {
        add: { add: { attributes: { key: { ...name, nonEmpty: true }, value: text, encryptedValue: text } } },
        remove: true,
        clear: true,
        key: ['key'],
      },
    },
  },
};

/** The table of each section, by its name under `system.webServer/rewrite`. */
export const rewriteSections = {
  globalRules: inboundRules(true),
  rules: inboundRules(false),
  outboundRules,
  rewriteMaps: { collection: { add: { rewriteMap }, remove: true, clear: true, key: ['name'] } },
  providers: { collection: { add: { provider }, remove: true, clear: true, key: ['name'] } },
  allowedServerVariables: { collection: named },
} as const satisfies Record<string, ElementSchema>;

export type RewriteSectionName = keyof typeof rewriteSections;

const noText = { value: '' };

function faultOf({ faulty }: SectionNode): { readonly faulty?: true } {
  return faulty ? { faulty } : {};
}

/** What was refused in a rule or preCondition. */
export function ruleFaultsOf(node: SectionNode): Pick<RuleConfig, 'faulty' | 'refused'> {
  if (!holdsFault(node)) return {};
  return { faulty: true, ...(node.refused === undefined ? {} : { refused: node.refused }) };
}

function matchOf(node: SectionNode): MatchConfig {
  const url = textOf(node, 'url');
  return {
    span: node.span,
    ...(url === undefined ? {} : { url }),
    ignoreCase: boolOf(node, 'ignoreCase'),
    negate: boolOf(node, 'negate'),
    ...faultOf(node),
  };
}

export function conditionOf(node: SectionNode, syntax: PatternSyntax): ConditionConfig {
  const input = textOf(node, 'input');
  const written = textOf(node, 'pattern');
  const pattern = written && hostPattern(input?.value ?? '', written, syntax);
  const undecided = pattern !== undefined && leavesLetters(input?.value ?? '', pattern.value, syntax);
  return {
    span: node.span,
    ...(input === undefined ? {} : { input }),
    matchType: enumOf(node, 'matchType'),
    ...(pattern === undefined ? {} : { pattern }),
    ...(written === undefined || pattern === written ? {} : { written }),
    ...(undecided ? { undecided } : {}),
    ignoreCase: boolOf(node, 'ignoreCase'),
    negate: boolOf(node, 'negate'),
    ...faultOf(node),
  };
}

export function conditionsOf(node: SectionNode, syntax: PatternSyntax): ConditionsConfig {
  return {
    span: node.span,
    logicalGrouping: enumOf(node, 'logicalGrouping'),
    trackAllCaptures: boolOf(node, 'trackAllCaptures'),
    ...faultOf(node),
    entries: entriesOf(node).map((entry) => conditionOf(entry, syntax)),
  };
}

function variableOf(node: SectionNode): SetVariableConfig {
  const value = textOf(node, 'value');
  return {
    span: node.span,
    name: textOf(node, 'name') ?? { ...noText, span: node.nameSpan },
    ...(value === undefined ? {} : { value }),
    replace: boolOf(node, 'replace'),
  };
}

function actionOf(node: SectionNode): ActionConfig {
  const url = textOf(node, 'url');
  const statusReason = textOf(node, 'statusReason');
  const statusDescription = textOf(node, 'statusDescription');
  return {
    span: node.span,
    type: enumOf(node, 'type'),
    ...(url === undefined ? {} : { url }),
    appendQueryString: boolOf(node, 'appendQueryString'),
    logRewrittenUrl: boolOf(node, 'logRewrittenUrl'),
    redirectType: enumOf(node, 'redirectType'),
    ...(node.values.has('statusCode') ? { statusCode: numberOf(node, 'statusCode') } : {}),
    subStatusCode: numberOf(node, 'subStatusCode'),
    ...(statusReason === undefined ? {} : { statusReason }),
    ...(statusDescription === undefined ? {} : { statusDescription }),
    ...faultOf(node),
  };
}

/** Makes an inbound rule from its element; `basePath` is the URL path of the level that holds it. */
export function ruleOf(node: SectionNode, basePath: string): RuleConfig {
  const match = node.elements.get('match');
  const conditionList = node.elements.get('conditions');
  const patternSyntax = enumOf<PatternSyntax>(node, 'patternSyntax');
  return {
    span: node.span,
    ...ruleFaultsOf(node),
    name: textOf(node, 'name') ?? { ...noText, span: node.nameSpan },
    basePath,
    enabled: boolOf(node, 'enabled'),
    stopProcessing: boolOf(node, 'stopProcessing'),
    patternSyntax,
    responseCacheDirective: enumOf(node, 'responseCacheDirective'),
    ...(match === undefined ? {} : { match: matchOf(match) }),
    ...(conditionList === undefined ? {} : { conditions: conditionsOf(conditionList, patternSyntax) }),
    serverVariables: entriesOf(node.elements.get('serverVariables')).map(variableOf),
    action: { ...actionOf(childOf(node, 'action')), ...(node.elements.has('action') ? {} : { absent: true as const }) },
  };
}

export function rewriteMapOf(node: SectionNode): RewriteMapConfig {
  return {
    span: node.span,
    name: textOf(node, 'name') ?? { ...noText, span: node.nameSpan },
    defaultValue: stringOf(node, 'defaultValue'),
    ignoreCase: boolOf(node, 'ignoreCase'),
    entries: entriesOf(node).flatMap((entry) => {
      const key = textOf(entry, 'key');
      return key === undefined ? [] : [{ key, value: stringOf(entry, 'value') }];
    }),
  };
}
