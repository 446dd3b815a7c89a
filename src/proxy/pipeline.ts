/** A decided request, made ready for the farm that is to take it. No server is chosen here. */

import type { Scheme } from '../connect/endpoint.ts';
import type { Fate, Forward } from '../decide/decide.ts';
import type { WebFarm } from '../farm/web-farm.ts';
import { headerOfVariable } from '../rewrite/server-variables.ts';
import { hashKey } from './hash-key.ts';
import type { RequestHead } from './request-head.ts';
import type { Runtime } from './runtime.ts';

export interface Forwarding {
  readonly action: 'forward';
  readonly farm: WebFarm;
  readonly scheme: Scheme;
  /** Path and query for the request line, as latin1. */
  readonly target: string;
  /** What RequestHash goes by; `''` where the farm does not ask for it. */
  readonly hashKey: string;
  /** Headers that rules set, by lower-case name. */
  readonly setHeaders: ReadonlyMap<string, string> | undefined;
}

export type Decision = Exclude<Fate, { action: 'forward' }> | (Forwarding & Pick<Fate, 'site' | 'rule' | 'outbound'>);

export function decide(runtime: Runtime, head: RequestHead): Decision {
  const fate = runtime.decide(head);
  return fate.action === 'forward' ? readied(runtime, fate) : fate;
}

function readied(
  { farms, direct }: Runtime,
  { outcome, request, site, rule, outbound }: Extract<Fate, Forward>,
): Extract<Decision, Forwarding> {
  const { scheme, host, port, literalHost, target, setVariables } = outcome;
  const farm = farms.get(host) ?? direct(host, port, literalHost);
  return {
    action: 'forward',
    farm,
    scheme,
    target,
    hashKey: farm.hashInput ? hashKey(farm.hashInput, { request, target, set: setVariables }) : '',
    setHeaders: headersOf(setVariables),
    site,
    rule,
    outbound,
  };
}

/** Variables that stand for request headers; the others are for the rules alone. */
function headersOf(variables: ReadonlyMap<string, string> | undefined): ReadonlyMap<string, string> | undefined {
  if (variables === undefined || variables.size === 0) return undefined;
  const headers = new Map<string, string>();
  for (const [name, value] of variables) {
    const header = headerOfVariable(name);
    if (header !== undefined) headers.set(header, value);
  }
  return headers;
}
