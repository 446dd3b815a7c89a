/** Loaded ahead of the first file of a worker, before any event can come: takes up its signals and the end of the supervisor. */
import cluster from 'node:cluster';
import { constants } from 'node:os';
import type { Logger } from '../log.ts';
import { ignoreSignals } from './ignored-signals.ts';

ignoreSignals();
// A terminal sends Ctrl-C to the whole group: the supervisor alone decides when the workers end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

/** Of Linux: `prctl` with it names the signal that a process gets when its parent ends, whatever state it is in. */
const PR_SET_PDEATHSIG = 1;

/** One that is stopped (SIGSTOP, a debugger) hears of nothing, and would keep the ports. A Node without FFI ends when it goes on. */
function dieWithSupervisor(): void {
  try {
    const word = 'uint64';
    const { functions } = process
      .getBuiltinModule('node:ffi')
      .dlopen(null, { prctl: { arguments: ['int32', word, word, word, word], return: 'int32' } });
    functions.prctl(PR_SET_PDEATHSIG, BigInt(constants.signals.SIGKILL), 0n, 0n, 0n);
  } catch {
    // Not this Node, or not this system.
  }
  // It may have ended before the system was asked.
  const { LYCHGATE_SUPERVISOR: supervisor } = process.env;
  if (supervisor !== undefined && Number(supervisor) !== process.ppid) end('the supervisor is gone');
}

/** Before there is a log, the supervisor says that a worker ended before it was ready. */
let tell = (_message: string): void => undefined;

/** From now on the service log says why this worker ends itself. */
export function tellOwnEnd(log: Pick<Logger, 'error'>): void {
  tell = (message) => log.error(message);
}

/** All is done that the supervisor has asked for. */
export function leave(): void {
  tell = () => undefined;
  process.disconnect?.();
}

/** Without the supervisor nobody could stop or replace this worker. */
function end(why: string): void {
  tell(`this worker ends itself: ${why}`);
  // Node waits for its threads, and one that asks the system for a name may take half a minute and cannot be interrupted; and
  // before that pino writes the rest of the access log, to a reader that may take nothing.
  process.kill(process.pid, 'SIGKILL');
}

dieWithSupervisor();
// First of all listeners: that of node:cluster would end the process in its own way.
process.prependOnceListener('disconnect', () => end('the supervisor is gone, or has closed the channel to it'));
// What is said to a supervisor that has gone a moment ago, by node:cluster before the first line of ours too.
cluster.worker?.on('error', ({ message }) => end(`the channel to the supervisor has failed: ${message}`));
