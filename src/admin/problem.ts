/** What the admin listener says where it does not do what was asked: RFC 9457, with a sentence that a person understands. */

/** By the last part of `type`: status and title. */
const KINDS = {
  badRequest: [400, 'The request makes no sense'],
  tokenWanted: [401, 'A token is wanted'],
  hostRefused: [403, 'The Host is not that of the admin listener'],
  crossSite: [403, 'The request comes from another site'],
  localOnly: [403, 'Without a token, only programs of this machine are answered'],
  notFound: [404, 'There is nothing at this path'],
  unknownFarm: [404, 'There is no such web farm'],
  unknownServer: [404, 'There is no such server'],
  methodRefused: [405, 'The method does not fit the path'],
  tooSlow: [408, 'The request did not come in time'],
  switchedOff: [409, 'The server is switched off'],
  noTest: [409, 'There is no test'],
  bodyTooLarge: [413, 'The body is too large'],
  notJson: [415, 'The body is not JSON'],
  headTooLarge: [431, 'The head is too large'],
  internal: [500, 'Lychgate has failed'],
} as const satisfies Record<string, readonly [number, string]>;

export type ProblemKind = keyof typeof KINDS;

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Names that could have been meant. */
  readonly known?: readonly string[];
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function problem(kind: ProblemKind, detail: string, known?: readonly string[]): Problem {
  const [status, title] = KINDS[kind];
  return { type: `urn:problem-type:lychgate:${kind}`, title, status, detail, ...(known && { known }) };
}
