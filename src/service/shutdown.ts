/** Signals to an orderly end: the first one drains, a second one ends at once. */
import type { Logger } from '../log.ts';
import type { Service } from './supervisor.ts';

/**
 * While the service starts, a signal ends it at once: nothing is served yet. Without this, process number 1 of a container
 * would ignore it.
 * @returns ends this, to be called when `untilStopped` listens
 */
export function endOnSignal(): () => void {
  const end = () => process.exit(0);
  process.on('SIGINT', end).on('SIGTERM', end);
  return () => void process.off('SIGINT', end).off('SIGTERM', end);
}

/**
 * Resolves with the exit code when the service has ended.
 * @param drain false: the first signal already ends everything at once, as the demo wants it
 */
export function untilStopped(service: Service, log: Logger, drain: boolean): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const end = (signal: NodeJS.Signals) => {
      if (stopping || !drain) {
        service.kill();
        if (drain) log.warn('ended without waiting for requests under way');
        done(drain ? 1 : 0);
        return;
      }
      stopping = true;
      log.info(`${signal}: no new connections; requests under way may finish. Again to end at once.`);
      service.stop().then(
        () => {
          log.info('stopped');
          done(0);
        },
        (error: unknown) => {
          log.error(`stopping failed: ${String(error)}`);
          service.kill();
          done(1);
        },
      );
    };
    const done = (code: number) => {
      process.off('SIGTERM', end);
      process.off('SIGINT', end);
      resolve(code);
    };
    process.on('SIGTERM', end);
    process.on('SIGINT', end);
  });
}
