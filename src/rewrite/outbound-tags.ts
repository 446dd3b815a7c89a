/** Rewrites attributes of tags in a body as it streams: outbound rules with a tag filter. */
import { beginsAsUtf8, bytesOfText, declaredUtf8, metaSaysUtf8, textOfBody } from './body-text.ts';
import { type Attribute, readAttributes } from './html-attributes.ts';
import { createTagScanner, type TagScanner } from './html-scanner.ts';
import type { BodyRules } from './outbound.ts';
import { threadMs } from './outbound-body.ts';
import { failed, type OutboundRule, rewriteText } from './outbound-rule.ts';
import { MATCH_TOO_COMPLEX } from './outcome.ts';
import type { Pattern } from './pattern.ts';

interface TagRule {
  readonly rule: OutboundRule;
  readonly pattern: Pattern;
  /** How often it may still match in this body. */
  left: number;
}

/** The rules for each attribute of each tag, in their order. */
type TagIndex = ReadonlyMap<string, ReadonlyMap<string, readonly TagRule[]>>;

interface TagPass {
  readonly index: TagIndex;
  readonly evaluation: BodyRules['evaluation'];
  utf8: boolean;
  /** When the patterns must have done with the chunk at hand, and what this thread had used when it came. */
  deadline: number;
  usedBefore: number;
}

/** A chunk that takes longer ends the answer: no body can hold a worker. */
const CHUNK_MS = 50;

/** Nothing where none of the rules looks at tags. Its `write` throws an ExchangeError when a rule fails. */
export function createTagRewriter({ rules, evaluation }: BodyRules, contentType: string): TagScanner | undefined {
  const index = indexOf(rules);
  if (index.size === 0) return undefined;
  const declared = declaredUtf8(contentType);
  const pass: TagPass = { index, evaluation, utf8: declared ?? false, deadline: 0, usedBefore: 0 };
  const scanner = createTagScanner({
    wants: (name) => index.has(name) || (name === 'meta' && declared === undefined),
    rewrite: (name, tag) => {
      if (name === 'meta' && declared === undefined) pass.utf8 ||= metaSaysUtf8(tag.toString('latin1'));
      return rewriteTag(name, tag, pass);
    },
  });
  let start = '';
  return {
    write(chunk) {
      if (start.length < 3 && declared === undefined) {
        start += chunk.toString('latin1', 0, 3);
        pass.utf8 ||= beginsAsUtf8(start);
      }
      pass.deadline = performance.now() + CHUNK_MS;
      pass.usedBefore = threadMs();
      return scanner.write(chunk);
    },
    end: scanner.end,
  };
}

function indexOf(rules: readonly OutboundRule[]): TagIndex {
  const index = new Map<string, Map<string, TagRule[]>>();
  for (const rule of rules) {
    if (rule.place.kind !== 'tags') continue;
    const { attributes, pattern } = rule.place;
    const entry: TagRule = {
      rule,
      pattern,
      left: rule.occurrences === 0 ? Number.POSITIVE_INFINITY : rule.occurrences,
    };
    for (const [tag, names] of attributes) {
      const byName = index.get(tag) ?? new Map<string, TagRule[]>();
      index.set(tag, byName);
      for (const name of names) byName.set(name, [...(byName.get(name) ?? []), entry]);
    }
  }
  return index;
}

function rewriteTag(name: string, tag: Buffer, pass: TagPass): Buffer | undefined {
  const byName = pass.index.get(name);
  if (byName === undefined) return undefined;
  const pieces: Buffer[] = [];
  let passed = 0;
  for (const attribute of readAttributes(tag.toString('latin1'))) {
    const rules = byName.get(attribute.name);
    const value = rules && rewriteAttribute(rules, tag.subarray(attribute.from, attribute.to), attribute.quote, pass);
    if (value === undefined) continue;
    pieces.push(tag.subarray(passed, attribute.from), value);
    passed = attribute.to;
  }
  return pieces.length === 0 ? undefined : Buffer.concat([...pieces, tag.subarray(passed)]);
}

function rewriteAttribute(
  rules: readonly TagRule[],
  bytes: Buffer,
  quote: Attribute['quote'],
  pass: TagPass,
): Buffer | undefined {
  const original = textOfBody(bytes, pass.utf8);
  let { text } = original;
  for (const entry of rules) {
    if (entry.left === 0) continue;
    if (performance.now() > pass.deadline && isUsedUp(pass)) throw failed(entry.rule, MATCH_TOO_COMPLEX);
    const rewritten = rewriteText(entry.rule, entry.pattern, text, pass.evaluation);
    if (rewritten === undefined) continue;
    entry.left--;
    text = rewritten.value ?? text;
    if (entry.rule.stopProcessing) break;
  }
  if (text === original.text) return undefined;
  // Where the bytes are ASCII either way, what is new follows the body.
  const utf8 = original.utf8 || (pass.utf8 && !/[^\x00-\x7f]/.test(original.text));
  return bytesOfText(quoted(text, quote), utf8);
}

/** On a busy machine this thread has had less of the time than has passed. */
function isUsedUp(pass: TagPass): boolean {
  const left = CHUNK_MS - (threadMs() - pass.usedBefore);
  pass.deadline = performance.now() + left;
  return left <= 0;
}

/** A value must not end its attribute, whatever the request brought into it; one without quotes gets them. */
function quoted(text: string, quote: Attribute['quote']): string {
  if (quote === "'") return text.replaceAll("'", '&#39;');
  const escaped = text.replaceAll('"', '&quot;');
  return quote === '"' ? escaped : `"${escaped}"`;
}
