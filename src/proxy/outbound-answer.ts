/** Outbound rules over the body of a server's answer on its way to the client. */
import { PassThrough, pipeline, Readable, Transform } from 'node:stream';
import { ExchangeError } from '../errors.ts';
import { type HeaderList, headerOf } from '../header-list.ts';
import { inNextShare, shareIsUsed } from '../loop-share.ts';
import type { TagScanner } from '../rewrite/html-scanner.ts';
import type { BodyRules } from '../rewrite/outbound.ts';
import { refuseFailing, rewriteWholeBody, wantsWholeBody } from '../rewrite/outbound-body.ts';
import { createTagRewriter } from '../rewrite/outbound-tags.ts';
import type { AnswerHead } from './client-side.ts';
import { serverFailure } from './server-failure.ts';

export interface BodyRewrite {
  readonly rules: BodyRules;
  /** The headers as they were before the rules. */
  readonly received: HeaderList;
  /** `responseBufferLimit`, in KB. */
  readonly bufferLimit: number;
  /** Takes note of a body that is too large for its rules. */
  tooLarge(limit: number): void;
}

export interface RewrittenAnswer {
  readonly head: AnswerHead;
  readonly body: Readable;
}

/** A part of a body (206) stays as it is too: its place in the whole would be wrong. */
export function bodyRulesApply({ status, headers, body }: AnswerHead, method: string): boolean {
  if (body === 'none' || body === 0 || method === 'HEAD' || status === 206) return false;
  return headerOf(headers, 'content-length') !== '0';
}

/** IIS's words, and the cure. However long the list of encodings is, it is not looked into. */
function refuseEncoded(headers: HeaderList, { rules, evaluation }: BodyRules): void {
  const encodings = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'content-encoding');
  const encoding = encodings.join(', ');
  if (/^[\s,]*(?:identity[\s,]*)*$/i.test(encoding)) return;
  const shown = encoding.length > 100 ? `${encoding.slice(0, 100)}…` : encoding;
  throw new ExchangeError(
    'outboundRuleFailed',
    `Outbound rewrite rules cannot be applied when the content of the HTTP response is encoded ("${shown}"). ${encodedCure(rules[0]?.name ?? '', evaluation.set)}`,
  );
}

function encodedCure(rule: string, set: ReadonlyMap<string, string> | undefined): string {
  const wants = `Outbound rule ${JSON.stringify(rule)} changes the body`;
  return set?.get('HTTP_ACCEPT_ENCODING') === ''
    ? `${wants}, and the server compresses it although it was sent no Accept-Encoding: switch its compression off.`
    : `${wants}: set HTTP_ACCEPT_ENCODING to "" among the serverVariables of the inbound rule.`;
}

/**
 * The head and body as the rules make them.
 * @param source the body as the server sends it
 * @throws ExchangeError when a rule fails, or what reading the body throws
 */
export async function rewriteBody(
  answer: AnswerHead,
  source: Readable,
  { rules, received, bufferLimit, tooLarge }: BodyRewrite,
): Promise<RewrittenAnswer> {
  refuseEncoded(received, rules);
  refuseFailing(rules);
  const contentType = headerOf(received, 'content-type') ?? '';
  const limit = bufferLimit * 1024;
  const tags = createTagRewriter(rules, contentType);
  const whole = wantsWholeBody(rules);
  const fits = !(Number(headerOf(received, 'content-length')) > limit);
  if (whole && !fits) tooLarge(limit);
  if (tags === undefined && !fits) return { head: answer, body: source };
  const head: AnswerHead = { ...answer, headers: withoutLength(answer.headers), body: 'chunked' };
  const streamed = tags === undefined ? source : through(source, tagTransform(tags));
  if (!whole || !fits) return { head, body: streamed };

  const whether = tags === undefined ? through(source, new PassThrough()) : streamed;
  const bytes = await readUpTo(whether, limit);
  if (bytes === undefined) {
    tooLarge(limit);
    return { head, body: whether };
  }
  const rewritten = await rewriteWholeBody(rules, { bytes, contentType, limit: GROWTH * Math.max(limit, 1024) });
  const headers = [...head.headers, 'Content-Length', String(rewritten.length)];
  return { head: { ...head, headers, body: rewritten.length }, body: inPieces(rewritten) };
}

/** How many times larger than the buffer a rewritten body may be. */
const GROWTH = 8;

/** What tells the length or a hash of the body as it was. */
const ABOUT_BYTES: ReadonlySet<string> = new Set([
  'content-length',
  'content-md5',
  'digest',
  'content-digest',
  'repr-digest',
]);

function withoutLength(headers: HeaderList): HeaderList {
  return headers.filter((_, i) => !ABOUT_BYTES.has((headers[i - (i % 2)] ?? '').toLowerCase()));
}

/** Joins the two so that each ends with the other, and an error of the first is that of the second. */
function through(body: Readable, next: Transform): Transform {
  pipeline(body, next, ignore);
  // Whoever reads it is told of an error then, too.
  return next.on('error', ignore);
}

function ignore(): void {}

/** Tags are looked at in so many bytes at once: whoever else has something to do waits no longer than for these. */
const TAG_BYTES = 1024;

function tagTransform(tags: TagScanner): Transform {
  const pass = (chunk: Buffer, from: number, done: (error: Error | null, bytes?: Buffer) => void) => {
    const passed: Buffer[] = [];
    let at = from;
    try {
      while (at < chunk.length && !shareIsUsed()) {
        passed.push(tags.write(chunk.subarray(at, at + TAG_BYTES)));
        at += TAG_BYTES;
      }
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    const bytes = Buffer.concat(passed);
    if (at >= chunk.length) {
      done(null, bytes);
      return;
    }
    if (bytes.length > 0) transform.push(bytes);
    inNextShare(() => {
      if (!transform.destroyed) pass(chunk, at, done);
    });
  };
  const transform = new Transform({
    transform: (chunk: Buffer, _encoding, done) => pass(chunk, 0, done),
    flush: (done) => done(null, tags.end()),
  });
  return transform;
}

/** No more of it at once than whoever reads it takes. */
const PIECE_BYTES = 64 * 1024;

function inPieces(bytes: Buffer): Readable {
  let at = 0;
  return new Readable({
    read() {
      this.push(at < bytes.length ? bytes.subarray(at, at + PIECE_BYTES) : null);
      at += PIECE_BYTES;
    },
  });
}

/** The whole body; nothing where it is larger than `limit`, and `source` then still gives all of it. */
async function readUpTo(source: Readable, limit: number): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of source.iterator({ destroyOnReturn: false })) {
      chunks.push(chunk);
      length += chunk.length;
      if (length > limit) break;
    }
  } catch (error) {
    throw serverFailure(error, 'the answer broke off');
  }
  if (length <= limit) return Buffer.concat(chunks);
  source.unshift(Buffer.concat(chunks));
  return undefined;
}
