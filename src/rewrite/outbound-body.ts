/** Rewrites a whole body: outbound rules without a tag filter, each match of each pattern in turn. */
import { inNextShare, shareIsUsed } from '../loop-share.ts';
import { beginsAsUtf8, bytesOfText, declaredUtf8, metaSaysUtf8, textOfBody } from './body-text.ts';
import type { BodyRules } from './outbound.ts';
import { failed, type OutboundRule, rewriteMatch } from './outbound-rule.ts';
import { failure, MATCH_TOO_COMPLEX } from './outcome.ts';
import { type Search, TOO_COMPLEX } from './pattern.ts';
import type { Evaluation } from './template.ts';

export function wantsWholeBody({ rules }: BodyRules): boolean {
  return rules.some(({ place }) => place.kind === 'body');
}

/** @throws ExchangeError where a rule cannot be run at all */
export function refuseFailing({ rules }: BodyRules): void {
  for (const rule of rules) if (rule.failure) throw failed(rule, rule.failure);
}

/**
 * Patterns run this long in all for one body: time of this thread, not of a clock, since on a busy machine a body is as good as
 * on a quiet one.
 */
const BODY_MS = 2000;
/** How far into the body a `<meta>` is looked for, as browsers do. */
const META_BYTES = 1024;

export interface WholeBody {
  readonly bytes: Buffer;
  readonly contentType: string;
  /** Bytes that it may grow to. */
  readonly limit: number;
}

/**
 * @returns the same buffer where nothing was changed
 * @throws ExchangeError when a rule fails
 */
export async function rewriteWholeBody({ rules, evaluation }: BodyRules, body: WholeBody): Promise<Buffer> {
  const { bytes, contentType, limit } = body;
  const start = bytes.toString('latin1', 0, META_BYTES);
  const utf8 = declaredUtf8(contentType) ?? (beginsAsUtf8(start) || metaSaysUtf8(start));
  const original = textOfBody(bytes, utf8);
  const clock: Clock = { spent: 0, usedBefore: threadMs() };
  let { text } = original;
  for (const rule of rules) {
    if (rule.place.kind !== 'body') continue;
    const replaced = await replaceAll(rule, rule.place.search, text, { evaluation, limit, clock });
    if (replaced === undefined) continue;
    text = replaced;
    if (rule.stopProcessing) break;
  }
  if (text === original.text) return bytes;
  return bytesOfText(text, original.utf8 || (utf8 && !/[^\x00-\x7f]/.test(original.text)));
}

interface Clock {
  spent: number;
  /** What this thread had used when it began, or went on. */
  usedBefore: number;
}

/** Milliseconds of a processor that this thread has had. */
export function threadMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

interface Surroundings {
  readonly evaluation: Evaluation;
  readonly limit: number;
  readonly clock: Clock;
}

/** Nothing where the rule did not hold anywhere. */
async function replaceAll(
  rule: OutboundRule,
  search: Search,
  text: string,
  { evaluation, limit, clock }: Surroundings,
): Promise<string | undefined> {
  let replaced = '';
  let passed = 0;
  let matches = 0;
  for (let from = 0; from <= text.length; ) {
    if (shareIsUsed()) await letOthersRun(rule, clock);
    const found = search(text, from);
    if (found === TOO_COMPLEX) throw failed(rule, MATCH_TOO_COMPLEX);
    if (found === undefined) break;
    // A match of nothing must not be found again, nor divide a pair.
    from = found.end > found.at ? found.end : found.end + ((text.codePointAt(found.end) ?? 0) > 0xffff ? 2 : 1);
    const rewritten = rewriteMatch(rule, found.captures, evaluation);
    if (rewritten === undefined) continue;
    if (rewritten.value !== undefined) {
      replaced += text.slice(passed, found.at) + rewritten.value;
      passed = found.end;
      if (replaced.length > limit) throw failed(rule, failure(`the body grows beyond ${limit} bytes`));
    }
    if (++matches === rule.occurrences) break;
  }
  return matches === 0 ? undefined : replaced + text.slice(passed);
}

async function letOthersRun(rule: OutboundRule, clock: Clock): Promise<void> {
  clock.spent += threadMs() - clock.usedBefore;
  if (clock.spent > BODY_MS) throw failed(rule, MATCH_TOO_COMPLEX);
  await new Promise<void>(inNextShare);
  clock.usedBefore = threadMs();
}
