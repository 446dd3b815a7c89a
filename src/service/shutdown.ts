/** Signals to an orderly end: the first one drains, a second one ends at once. */
import { type Logger, lastLines } from '../log.ts';
import type { Service } from './supervisor.ts';

/** What asks a service to end. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM'];

/**
 * All that would end a process and can be heard, for one that must not leave anything behind. Without those of a fault of the
 * machine's (SIGSEGV and its like), behind which nothing can be relied on, and without SIGPIPE and SIGXFSZ, which Node ignores.
 */
export const FATAL_SIGNALS: readonly NodeJS.Signals[] = [
  ...ENDING,
  ...(['SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGABRT', 'SIGALRM', 'SIGVTALRM', 'SIGPROF'] as const),
  ...(['SIGXCPU', 'SIGIO', 'SIGPWR', 'SIGSTKFLT', 'SIGSYS', 'SIGTRAP'] as const),
];

/**
 * A signal ends the process at once, with code 0: nothing is served yet, or nothing that is to be waited for. Without this,
 * process number 1 of a container would ignore it.
 * @returns ends this, to be called when something else listens
 */
export function endOnSignal(signals = ENDING): () => void {
  const end = () => process.exit(0);
  for (const signal of signals) process.on(signal, end);
  return () => {
    for (const signal of signals) process.off(signal, end);
  };
}

/** Resolves with the exit code when the service has ended. */
export function untilStopped(service: Service, log: Logger): Promise<number> {
  return new Promise((resolve) => {
    let stopping = false;
    const end = (signal: NodeJS.Signals) => {
      if (stopping) {
        service.kill();
        log.warn('ended without waiting for requests under way');
        void done(1);
        return;
      }
      stopping = true;
      log.info(`${signal}: no new connections; requests under way may finish. Again to end at once.`);
      service.stop().then(
        () => {
          log.info('stopped');
          void done(0);
        },
        (error: unknown) => {
          log.error(`stopping failed: ${String(error)}`);
          service.kill();
          void done(1);
        },
      );
    };
    const done = async (code: number) => {
      for (const signal of ENDING) process.off(signal, end);
      // What still waits for a reader would keep the process for as long as that one likes.
      if (!(await lastLines(log))) process.exit(code);
      resolve(code);
    };
    for (const signal of ENDING) process.on(signal, end);
  });
}
