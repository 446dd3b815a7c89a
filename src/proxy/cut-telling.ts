/**
 * The service log of what ends a connection from our side where no failed exchange tells of it: with the setting that did it,
 * where there is one. Any client can bring that about, so that the same thing is told so many times and no more.
 */
import type { Runtime } from './runtime.ts';

export interface Cut {
  /** As in settings.json (`timeouts.idle`); without it, what else counts as the same. */
  readonly setting?: string;
  readonly kind?: string;
  /** What happened. */
  readonly reason: string;
  readonly client: string | undefined;
  readonly listener: string;
}

export function tellCut(
  { limitedLog }: Pick<Runtime, 'limitedLog'>,
  { setting, kind, reason, client, listener }: Cut,
): void {
  const message = setting === undefined ? reason : `${reason} (${setting})`;
  limitedLog.tell('info', JSON.stringify(['cut', setting, kind, listener]), { setting, client, listener }, message);
}
