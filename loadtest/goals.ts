/** What Lychgate is meant to reach, and what it must reach at least, as ratios within one run. */

export interface Goal {
  readonly scenario: string;
  /** The competitor that Lychgate's figure is divided by; or another scenario of Lychgate's own. */
  readonly against: { readonly competitor: string } | { readonly scenario: string };
  readonly goal: number;
  /** Beyond this `--check` fails; absent where nothing is demanded. */
  readonly least?: number;
}

export const GOALS: readonly Goal[] = [
  { scenario: 'small', against: { competitor: 'relay' }, goal: 1.4, least: 1.6 },
  { scenario: 'mixed', against: { competitor: 'relay' }, goal: 1.4, least: 1.6 },
  { scenario: 'rate', against: { competitor: 'relay' }, goal: 1.3, least: 1.5 },
  { scenario: 'rate', against: { competitor: 'caddy' }, goal: 0.7 },
  { scenario: 'handshake', against: { competitor: 'pooled' }, goal: 1.2, least: 1.35 },
  { scenario: '1m', against: { competitor: 'nginx' }, goal: 0.9, least: 1 },
  { scenario: 'upload', against: { competitor: 'nginx' }, goal: 0.9, least: 1 },
  { scenario: 'rules', against: { scenario: 'small' }, goal: 1.1, least: 1.1 },
  { scenario: 'h2-small', against: { competitor: 'nginx' }, goal: 1.4, least: 2 },
  { scenario: 'h2-small', against: { competitor: 'caddy' }, goal: 0.3 },
  { scenario: 'idle', against: { competitor: 'bare-tls' }, goal: 1.1, least: 1.1 },
  { scenario: 'polls', against: { competitor: 'relay' }, goal: 1.1, least: 1.1 },
];
