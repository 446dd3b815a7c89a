/** What the checks ask the decider: a URL, as a client would ask for it. */
import type { Fate } from '../decide/decide.ts';

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
