/** Outbound rules on their way to the client: the headers of every answer, and the body of a server's. */
import { PassThrough, pipeline, type Readable, Transform } from 'node:stream';
import { ExchangeError } from '../errors.ts';
import type { TagScanner } from '../rewrite/html-scanner.ts';
import { type BodyRules, type OutboundPass, rewriteHead } from '../rewrite/outbound.ts';
import { refuseFailing, rewriteWholeBody, wantsWholeBody } from '../rewrite/outbound-body.ts';
import { createTagRewriter } from '../rewrite/outbound-tags.ts';
import type { Answer } from './exchange.ts';
import { type HeaderList, headerOf } from './request-head.ts';
import { serverFailure } from './server-failure.ts';

export interface OutboundOptions {
  readonly outbound: OutboundPass;
  readonly method: string;
  /** `responseBufferLimit`, in KB. */
  readonly bufferLimit: number;
  /** Takes note of a body that is too large for its rules. */
  tooLarge(limit: number): void;
}

/**
 * The headers, and the body where a rule is for it.
 * @throws ExchangeError when a rule fails, or what reading the body throws; the body is then still to be destroyed
 */
export async function applyOutbound(answer: Answer, options: OutboundOptions): Promise<Answer> {
  const { headers, body: rules } = rewriteHead(options.outbound, answer.status, answer.headers);
  if (rules === undefined || !hasBody(answer, options.method)) return { ...answer, headers };
  refuseEncoded(answer.headers);
  refuseFailing(rules);
  return await rewriteBody({ ...answer, headers }, rules, answer.headers, options);
}

/** A part of a body (206) stays as it is too: its place in the whole would be wrong. */
function hasBody({ status, headers }: Answer, method: string): boolean {
  if (method === 'HEAD' || status === 204 || status === 206 || status === 304) return false;
  return headerOf(headers, 'content-length') !== '0';
}

/** IIS's words. However long the list of encodings is, it is not looked into. */
function refuseEncoded(headers: HeaderList): void {
  const encodings = headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'content-encoding');
  const encoding = encodings.join(', ');
  if (/^[\s,]*(?:identity[\s,]*)*$/i.test(encoding)) return;
  const shown = encoding.length > 100 ? `${encoding.slice(0, 100)}…` : encoding;
  throw new ExchangeError(
    'outboundRuleFailed',
    `Outbound rewrite rules cannot be applied when the content of the HTTP response is encoded ("${shown}").`,
  );
}

async function rewriteBody(
  answer: Answer,
  rules: BodyRules,
  received: HeaderList,
  { bufferLimit, tooLarge }: OutboundOptions,
): Promise<Answer> {
  const contentType = headerOf(received, 'content-type') ?? '';
  const limit = bufferLimit * 1024;
  const tags = createTagRewriter(rules, contentType);
  const whole = wantsWholeBody(rules);
  const fits = !(Number(headerOf(received, 'content-length')) > limit);
  if (whole && !fits) tooLarge(limit);
  if (tags === undefined && !fits) return answer;
  const headers = withoutLength(answer.headers);
  const streamed = tags === undefined ? answer.body : through(answer.body, tagTransform(tags));
  if (!whole || !fits) return { ...answer, headers, body: streamed };

  const source = tags === undefined ? through(answer.body, new PassThrough()) : streamed;
  const bytes = await readUpTo(source, limit);
  if (bytes === undefined) {
    tooLarge(limit);
    return { ...answer, headers, body: source };
  }
  const rewritten = await rewriteWholeBody(rules, { bytes, contentType, limit: GROWTH * Math.max(limit, 1024) });
  const body = new PassThrough();
  body.end(rewritten);
  return { ...answer, headers: [...headers, 'Content-Length', String(rewritten.length)], body };
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

function tagTransform(tags: TagScanner): Transform {
  const pass = (work: () => Buffer, done: (error: Error | null, bytes?: Buffer) => void) => {
    let bytes: Buffer;
    try {
      bytes = work();
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    done(null, bytes);
  };
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => pass(() => tags.write(chunk), done),
    flush: (done) => pass(tags.end, done),
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
