/** What the sections `rewrite` said: rules, maps, outbound rules. Plain data only, as `model.ts` has it. */
import type { Span } from './diagnostic.ts';
import type { Text } from './text.ts';

export type PatternSyntax = 'ECMAScript' | 'Wildcard' | 'ExactMatch';

export interface MatchConfig {
  readonly span: Span;
  readonly url?: Text;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
  /** An attribute of the element was refused: what is missing may have been meant by it. */
  readonly faulty?: true;
}

export interface ConditionConfig {
  readonly span: Span;
  readonly input?: Text;
  readonly matchType: 'Pattern' | 'IsFile' | 'IsDirectory';
  /** As it is compared: international names of hosts in ASCII. */
  readonly pattern?: Text;
  /** Where that differs from it, the pattern as it stands in the file. */
  readonly written?: Text;
  /** A name of which not all is text, so that its ASCII form is not known: no host matches its letters. */
  readonly undecided?: true;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
  /** An attribute of the element was refused: what is missing may have been meant by it. */
  readonly faulty?: true;
}

export interface ConditionsConfig {
  readonly span: Span;
  readonly logicalGrouping: 'MatchAll' | 'MatchAny';
  readonly trackAllCaptures: boolean;
  /** An attribute or a condition was refused. */
  readonly faulty?: true;
  readonly entries: readonly ConditionConfig[];
}

export interface SetVariableConfig {
  readonly span: Span;
  readonly name: Text;
  readonly value?: Text;
  readonly replace: boolean;
}

export interface ActionConfig {
  readonly span: Span;
  readonly type: 'None' | 'Rewrite' | 'Redirect' | 'CustomResponse' | 'AbortRequest';
  readonly url?: Text;
  readonly appendQueryString: boolean;
  readonly logRewrittenUrl: boolean;
  readonly redirectType: 'Permanent' | 'Found' | 'SeeOther' | 'Temporary';
  readonly statusCode?: number;
  readonly subStatusCode: number;
  readonly statusReason?: Text;
  readonly statusDescription?: Text;
  /** An attribute of the element was refused: what is missing may have been meant by it. */
  readonly faulty?: true;
  /** No `<action>` stands in the rule. */
  readonly absent?: true;
}

export interface RuleConfig {
  readonly span: Span;
  /** Something in the rule was refused: what it does is not what is written. */
  readonly faulty?: true;
  /** Attributes and elements of the rule itself that were refused: what stands in their place here is not meant. */
  readonly refused?: ReadonlySet<string>;
  readonly name: Text;
  /** URL path of the level that holds the rule; its input is relative to it. `/` for global rules and the site root. */
  readonly basePath: string;
  readonly enabled: boolean;
  readonly stopProcessing: boolean;
  readonly patternSyntax: PatternSyntax;
  readonly responseCacheDirective: 'Auto' | 'Always' | 'Never' | 'NotIfRuleMatched';
  readonly match?: MatchConfig;
  readonly conditions?: ConditionsConfig;
  readonly serverVariables: readonly SetVariableConfig[];
  readonly action: ActionConfig;
}

export interface RewriteMapConfig {
  readonly span: Span;
  readonly name: Text;
  readonly defaultValue: string;
  readonly ignoreCase: boolean;
  readonly entries: readonly { readonly key: Text; readonly value: string }[];
}

/** A flag of `filterByTags`, without `None`. */
export type TagFilter =
  | 'A'
  | 'Area'
  | 'Base'
  | 'Form'
  | 'Frame'
  | 'Head'
  | 'IFrame'
  | 'Img'
  | 'Input'
  | 'Link'
  | 'Script'
  | 'CustomTags';

export interface OutboundMatchConfig {
  readonly span: Span;
  readonly faulty?: true;
  /** Empty for `None`. */
  readonly filterByTags: readonly TagFilter[];
  readonly customTags?: Text;
  readonly serverVariable?: Text;
  readonly pattern?: Text;
  /** 0 for no limit. */
  readonly occurrences: number;
  readonly ignoreCase: boolean;
  readonly negate: boolean;
}

export interface OutboundActionConfig {
  readonly span: Span;
  readonly type: 'None' | 'Rewrite';
  readonly value?: Text;
  readonly replace: boolean;
}

export interface OutboundRuleConfig {
  readonly span: Span;
  /** As in an inbound rule. */
  readonly faulty?: true;
  readonly refused?: ReadonlySet<string>;
  readonly name: Text;
  readonly preCondition?: Text;
  readonly enabled: boolean;
  readonly stopProcessing: boolean;
  readonly patternSyntax: PatternSyntax;
  readonly match?: OutboundMatchConfig;
  readonly conditions?: ConditionsConfig;
  readonly action: OutboundActionConfig;
}

export interface PreConditionConfig {
  readonly span: Span;
  readonly refused?: ReadonlySet<string>;
  readonly name: Text;
  readonly patternSyntax: PatternSyntax;
  /** Its captures are not available to rules. */
  readonly conditions: ConditionsConfig;
}

export interface CustomTagsConfig {
  readonly name: Text;
  readonly tags: readonly { readonly name: string; readonly attribute: string }[];
}

/** The outbound rules of one scope with what they refer to by name. */
export interface OutboundRulesConfig {
  readonly rules: readonly OutboundRuleConfig[];
  readonly preConditions: readonly PreConditionConfig[];
  readonly customTags: readonly CustomTagsConfig[];
}

/** The rules of one scope with everything they refer to, after inheritance. */
export interface RuleSetConfig {
  readonly rules: readonly RuleConfig[];
  readonly rewriteMaps: readonly RewriteMapConfig[];
  /** Names that distributed rules may set; global rules may set any. */
  readonly allowedServerVariables: readonly string[];
  /** Names of the `providers` section: known, but no rule may use one. */
  readonly providers: readonly string[];
  readonly useOriginalURLEncoding: boolean;
  /** Absent where there are none; `globalRules` never have any. */
  readonly outbound?: OutboundRulesConfig;
  /** Sections that were refused as a whole or could not be read: what they define is not known. */
  readonly unread?: readonly string[];
}
