/** What the checks ask the decider: a URL, as a client would ask for it. */
import type { AskedRequest } from '../decide/asked-request.ts';
import type { Fate } from '../decide/decide.ts';
import { imaginedRequest } from '../decide/imagined-request.ts';

export interface AskedUrl {
  readonly scheme: 'http' | 'https';
  /** As in the Host header. */
  readonly host: string;
  /** Of the proxy, that the client connects to; one that no binding has where it is left out. */
  readonly address?: string;
  /** Path and query. */
  readonly target: string;
}

/** Gives nothing where a check has asked long enough. */
export type AskUrl = (url: AskedUrl) => Fate['outcome'] | undefined;

export function requestOf({ scheme, host, target, address }: AskedUrl): AskedRequest {
  const connection = address === undefined ? {} : { localAddress: address };
  return imaginedRequest({ scheme, authority: host, target, connection });
}
