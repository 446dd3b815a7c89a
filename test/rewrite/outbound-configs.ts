/** Short ways to write outbound rules in tests, and answers to run them on. */
import type { ConditionConfig, OutboundRuleConfig, RuleSetConfig, TagFilter } from '../../src/config/rewrite-model.ts';
import { compileRules } from '../../src/rewrite/compile.ts';
import { openOutbound, type RewrittenHead, rewriteHead } from '../../src/rewrite/outbound.ts';
import { rewriteWholeBody } from '../../src/rewrite/outbound-body.ts';
import { createTagRewriter } from '../../src/rewrite/outbound-tags.ts';
import { evaluateRules } from '../../src/rewrite/rule-set.ts';
import { type RequestText, type RuleText, request, ruleSet, sitesOf, span, text } from './rule-configs.ts';

export interface OutboundText {
  name?: string;
  preCondition?: string;
  enabled?: boolean;
  stop?: boolean;
  syntax?: OutboundRuleConfig['patternSyntax'];
  tags?: readonly TagFilter[];
  customTags?: string;
  variable?: string;
  /** `null` for no attribute. */
  pattern?: string | null;
  occurrences?: number;
  ignoreCase?: boolean;
  negate?: boolean;
  conditions?: readonly ConditionConfig[];
  any?: boolean;
  trackAll?: boolean;
  /** Without it the action is None. */
  value?: string;
  replace?: boolean;
}

export function outboundRule(from: OutboundText): OutboundRuleConfig {
  return {
    span,
    name: text(from.name ?? 'out'),
    ...(from.preCondition === undefined ? {} : { preCondition: text(from.preCondition) }),
    enabled: from.enabled ?? true,
    stopProcessing: from.stop ?? false,
    patternSyntax: from.syntax ?? 'ECMAScript',
    match: {
      span,
      filterByTags: from.tags ?? [],
      ...(from.customTags === undefined ? {} : { customTags: text(from.customTags) }),
      ...(from.variable === undefined ? {} : { serverVariable: text(from.variable) }),
      ...(from.pattern === null ? {} : { pattern: text(from.pattern ?? '.*') }),
      occurrences: from.occurrences ?? 0,
      ignoreCase: from.ignoreCase ?? true,
      negate: from.negate ?? false,
    },
    ...(from.conditions
      ? {
          conditions: {
            span,
            logicalGrouping: from.any ? ('MatchAny' as const) : ('MatchAll' as const),
            trackAllCaptures: from.trackAll ?? true,
            entries: from.conditions,
          },
        }
      : {}),
    action: {
      span,
      type: from.value === undefined ? 'None' : 'Rewrite',
      ...(from.value === undefined ? {} : { value: text(from.value) }),
      replace: from.replace ?? true,
    },
  };
}

export interface OutboundMore {
  preConditions?: Readonly<Record<string, readonly ConditionConfig[]>>;
  customTags?: Readonly<Record<string, readonly (readonly [tag: string, attribute: string])[]>>;
  /** Inbound rules of the site. */
  inbound?: readonly RuleText[];
  set?: Partial<RuleSetConfig>;
}

export function outboundSet(rules: readonly OutboundText[], more: OutboundMore = {}): RuleSetConfig {
  return ruleSet(more.inbound ?? [], {
    ...more.set,
    outbound: {
      rules: rules.map(outboundRule),
      preConditions: Object.entries(more.preConditions ?? {}).map(([name, entries]) => ({
        span,
        name: text(name),
        patternSyntax: 'ECMAScript',
        conditions: { span, logicalGrouping: 'MatchAll', trackAllCaptures: false, entries },
      })),
      customTags: Object.entries(more.customTags ?? {}).map(([name, tags]) => ({
        name: text(name),
        tags: tags.map(([tag, attribute]) => ({ name: tag, attribute })),
      })),
    },
  });
}

export interface AnswerText extends OutboundMore {
  target?: string;
  request?: RequestText;
  status?: number;
  headers?: readonly string[];
}

/** Runs the rules over the head of an answer; nothing where none is in force. */
export function runHead(rules: readonly OutboundText[], answer: AnswerText = {}): RewrittenHead | undefined {
  const site = compileRules(sitesOf({ site: outboundSet(rules, answer) })).get('site')!;
  const asked = request(answer.target ?? '/', answer.request);
  const outbound = openOutbound(site, asked, evaluateRules(site, asked));
  return outbound && rewriteHead(outbound, answer.status ?? 200, answer.headers ?? []);
}

/** The headers that the rules make of others. */
export function headersAfter(rules: readonly OutboundText[], answer: AnswerText = {}): readonly string[] {
  return runHead(rules, answer)?.headers ?? answer.headers ?? [];
}

/** What tag rules make of a body that comes in pieces; `latin1` in and out. */
export function tagsAfter(
  rules: readonly OutboundText[],
  pieces: readonly string[] | string,
  answer: AnswerText & { contentType?: string } = {},
): string {
  const body = runHead(rules, answer)?.body;
  const rewriter = body && createTagRewriter(body, answer.contentType ?? 'text/html');
  if (!rewriter) return [pieces].flat().join('');
  const out = [pieces].flat().map((piece) => Buffer.from(rewriter.write(Buffer.from(piece, 'latin1'))));
  return Buffer.concat([...out, rewriter.end()]).toString('latin1');
}

/** What whole-body rules make of a body. */
export async function bodyAfter(
  rules: readonly OutboundText[],
  bytes: string | Buffer,
  answer: AnswerText & { contentType?: string; limit?: number } = {},
): Promise<Buffer> {
  const given = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes;
  const body = runHead(rules, answer)?.body;
  if (!body) return given;
  const { contentType = 'text/html', limit = 1024 * 1024 } = answer;
  return await rewriteWholeBody(body, { bytes: given, contentType, limit });
}
