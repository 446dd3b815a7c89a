/** What the rules decided about one request. */

/** What is left for outbound rules, whoever answers. */
export interface LeftByRules {
  /** By upper-case name; values are latin1 without control characters. */
  readonly setVariables: ReadonlyMap<string, string> | undefined;
  /** A rule has changed the URL: `{IIS_WasUrlRewritten}`. */
  readonly urlRewritten: boolean;
}

export type RewriteOutcome = Verdict & LeftByRules;

export type Verdict =
  | {
      /** Nothing is left but a file, of which there are none here. */
      readonly kind: 'none';
      /** The path and query after local rewrites, fit for a request line. */
      readonly target: string;
      /** The rule that left it so: by a URL of the site, or by ending the list; `''` where no rule took the request. */
      readonly rule: string;
    }
  | {
      readonly kind: 'proxy';
      readonly scheme: 'http' | 'https';
      /** Lower case, without the port; an IPv6 address keeps its brackets. */
      readonly host: string;
      readonly port: number | undefined;
      /** The host stands in the rule as text. If not, only farms and `upstream.allow` may be reached. */
      readonly literalHost: boolean;
      readonly target: string;
      readonly rule: string;
      /** The target differs from what the client asked for. */
      readonly rewritten: boolean;
    }
  | { readonly kind: 'redirect'; readonly status: number; readonly location: string; readonly rule: string }
  | {
      readonly kind: 'respond';
      readonly status: number;
      readonly subStatus: number;
      readonly reason: string;
      readonly body: string;
      readonly rule: string;
    }
  | { readonly kind: 'abort'; readonly rule: string }
  | {
      readonly kind: 'error';
      /** A global rule failed: 500.51, else 500.50. */
      readonly global: boolean;
      /** The request is at fault (what it brought would break a header or leave the root): 400 instead. */
      readonly badRequest: boolean;
      readonly message: string;
      readonly rule: string;
    };

/** Why a rule could not be carried out. */
export interface RuleFailure {
  readonly failed: string;
  readonly badRequest: boolean;
}

export function failure(failed: string, badRequest = false): RuleFailure {
  return { failed, badRequest };
}

/** IIS's text for an expression that names something unknown. */
export function cannotExpand(expression: string): RuleFailure {
  return failure(`The expression "${expression}" cannot be expanded.`);
}

export const MATCH_TOO_COMPLEX = failure('match too complex');

/** Rules that double what an earlier one made would fill the memory within some dozen of them. */
export const MAX_LENGTH = 65_536;

export const TOO_LONG = failure(`what the rule makes is longer than ${MAX_LENGTH} characters`);

/** What the service answers although, or before, rules had their say: `message` tells a person why. */
export interface Refusal {
  readonly kind: 'refused';
  readonly status: number;
  /** IIS does not answer so: it has no such limit to where a rule may lead. */
  readonly ours?: true;
  readonly message: string;
  /** The rule that led there; `''` for none. */
  readonly rule: string;
}
