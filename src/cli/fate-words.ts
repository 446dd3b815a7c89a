/** The fate of a request in a few words: to count by, and whole, to compare by. */
import type { Config } from '../config/model.ts';
import type { Fate } from '../decide/decide.ts';
import { comparedName } from '../host-name.ts';
import { iisStatus, proxiedUrl } from '../rewrite/trace-json.ts';

export type Action = Fate['outcome']['kind'];

export interface FateWords {
  readonly action: Action;
  /** The farm, or the host of direct proxying. */
  readonly farm: string | undefined;
  readonly direct: string | undefined;
  /** Of these there are few: `farm meet`, `redirect 301`, `404, no rule`. */
  readonly kind: string;
  /** Where exactly: the URL after rewriting, the Location, the message. */
  readonly detail: string;
  /** What rules set, since a server may answer by it. */
  readonly variables: string;
}

type DescribeFate = (fate: Fate) => FateWords;

export function fateDescriber({ webFarms }: Config): DescribeFate {
  const farms = new Map(webFarms.map(({ name: { value } }) => [comparedName(value), value]));
  return ({ outcome }) => {
    const words = (kind: string, detail: string, more: Partial<FateWords> = {}): FateWords => ({
      action: outcome.kind,
      farm: undefined,
      direct: undefined,
      variables: '',
      ...more,
      kind,
      detail,
    });
    switch (outcome.kind) {
      case 'proxy': {
        const { host, port, scheme, setVariables } = outcome;
        const farm = farms.get(host);
        const direct = farm === undefined ? `${scheme}://${host}${port === undefined ? '' : `:${port}`}` : undefined;
        const kind = farm === undefined ? `directly to ${direct}` : `farm ${farm}`;
        return words(kind, proxiedUrl(outcome), { farm, direct, variables: variablesOf(setVariables) });
      }
      case 'redirect':
        return words(`redirect ${outcome.status}`, `${outcome.status} to ${outcome.location}`);
      case 'respond': {
        const status = `${outcome.status}.${outcome.subStatus}`;
        return words(`answer ${status}`, `${status} ${outcome.reason} ${outcome.body}`.trimEnd());
      }
      case 'abort':
        return words('abort', 'connection dropped');
      case 'none':
        // Whatever the URL has become: the answer is the same.
        return words('404, no rule', 'no rule took it: 404');
      case 'error':
        return words(`${iisStatus(outcome)}, a rule failed`, `${iisStatus(outcome)} ${outcome.message}`);
      case 'refused':
        return words(`refused ${outcome.status}`, `${outcome.status} ${outcome.message}`);
    }
  };
}

function variablesOf(set: ReadonlyMap<string, string> | undefined): string {
  return set && set.size > 0 ? [...set].map(([name, value]) => `${name}=${value}`).join('\n') : '';
}
