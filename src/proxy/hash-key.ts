/** What RequestHash goes by: the URL that the server gets, a server variable, or parts of the query (arr.md section 2.4). */
import type { HashInput } from '../farm/web-farm.ts';
import type { RewriteRequest } from '../rewrite/rule-set.ts';
import { variableReader } from '../rewrite/server-variables.ts';

export interface HashedRequest {
  readonly request: RewriteRequest;
  /** Path and query for the server. */
  readonly target: string;
  /** What rules have set, by upper-case name. */
  readonly set: ReadonlyMap<string, string> | undefined;
}

/** The values of the named parts in the order of the names; those that are not there count as empty. */
export function hashKey(input: HashInput, { request, target, set }: HashedRequest): string {
  const { by } = input;
  if (by === 'url') return target;
  if (by === 'variable') {
    const { path, query, hasQuery } = request.target;
    return variableReader(input.name)({ request, set, url: { path, query, hasQuery, rewritten: false } });
  }
  const mark = target.indexOf('?');
  const parts = new Map<string, string>();
  for (const part of mark < 0 ? [] : target.slice(mark + 1).split('&')) {
    const sign = part.indexOf('=');
    const name = (sign < 0 ? part : part.slice(0, sign)).toLowerCase();
    if (!parts.has(name)) parts.set(name, sign < 0 ? '' : part.slice(sign + 1));
  }
  return input.names.map((name) => parts.get(name.toLowerCase()) ?? '').join('\n');
}
