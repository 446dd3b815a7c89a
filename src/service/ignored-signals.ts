/**
 * Signals that a service tells and ignores: those that others take for a reload, which there is not yet, and the one that opens
 * Node's inspector. Loaded before anything else, so it imports nothing.
 */
import type { Logger } from '../log.ts';

const MEANINGS = {
  SIGHUP: 'there is no reload; a restart takes up what has changed',
  SIGUSR1: 'the inspector of Node stays closed',
  SIGUSR2: 'there is no reload; a restart takes up what has changed',
};

/** Those that came before there was a log. */
const early = new Set<string>();
let tell = (signal: string, _meaning: string): void => {
  early.add(signal);
};

/** From now on in this process. */
export function ignoreSignals(): void {
  for (const [signal, meaning] of Object.entries(MEANINGS)) process.on(signal, () => tell(signal, meaning));
}

export function isIgnored(signal: string): boolean {
  return signal in MEANINGS;
}

/** Those that came before are told now. */
export function tellIgnoredSignals(log: Pick<Logger, 'warn'>): void {
  tell = (signal, meaning) => log.warn(`${signal} is ignored: ${meaning}`);
  for (const [signal, meaning] of Object.entries(MEANINGS)) if (early.delete(signal)) tell(signal, meaning);
}
