/** Answers of our own: what a rule says, and the page for a failure, with the headers that outbound rules make of them. */

import type { Respond } from '../decide/decide.ts';
import type { ExchangeError } from '../errors.ts';
import { reasonPhrase } from '../reason-phrase.ts';
import { type OutboundPass, rewriteHead } from '../rewrite/outbound.ts';
import type { OwnAnswer } from './client-side.ts';
import { errorPage } from './error-response.ts';
import { SERVER_NAME } from './response-headers.ts';

/** @throws ExchangeError when an outbound rule fails */
export function ruleAnswer(decision: Respond, outbound: OutboundPass | undefined): OwnAnswer {
  const { status, headers, body } = decision;
  const reason = decision.reason === '' ? reasonPhrase(status) : decision.reason;
  return rewritten(withLength({ status, reason, headers: ['Server', SERVER_NAME, ...headers], body }), outbound);
}

/** Seconds; what is full now may not be so then. */
const RETRY_AFTER = '5';

/** @param reference the id of the exchange in the logs */
export function failurePage(
  { status, subStatus }: ExchangeError,
  reference: string,
  outbound: OutboundPass | undefined,
): OwnAnswer {
  const headers = ['Server', SERVER_NAME, 'Content-Type', 'text/html; charset=utf-8', 'Cache-Control', 'no-store'];
  if (status === 503) headers.push('Retry-After', RETRY_AFTER);
  const page = withLength({
    status,
    reason: reasonPhrase(status),
    headers,
    body: errorPage(status, subStatus, reference),
  });
  try {
    return rewritten(page, outbound);
  } catch {
    return page; // Of two failures the first is told.
  }
}

/** Outbound rules see what we answer ourselves too; they change its headers only. */
function rewritten(own: OwnAnswer, outbound: OutboundPass | undefined): OwnAnswer {
  return outbound ? { ...own, headers: rewriteHead(outbound, own.status, own.headers).headers } : own;
}

/** Before outbound rules look, as the answer of a server has its length, too. */
function withLength(own: OwnAnswer): OwnAnswer {
  return { ...own, headers: [...own.headers, 'Content-Length', String(Buffer.byteLength(own.body))] };
}
