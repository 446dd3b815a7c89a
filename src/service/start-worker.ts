/** Loaded ahead of the first file of a worker, before any event can come: takes up its signals and the end of the supervisor. */
import cluster from 'node:cluster';
import { ignoreSignals } from './ignored-signals.ts';

ignoreSignals();
// A terminal sends Ctrl-C to the whole group: the supervisor alone decides when the workers end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

/** Without the supervisor nobody could stop or replace this worker. */
function end(): void {
  // Node waits for its threads, and one that asks the system for a name may take half a minute and cannot be interrupted; and
  // before that pino writes the rest of the access log, to a reader that may take nothing.
  process.kill(process.pid, 'SIGKILL');
}

// First of all listeners: that of node:cluster would end the process in its own way.
process.prependOnceListener('disconnect', end);
// What is said to a supervisor that has gone a moment ago, by node:cluster before the first line of ours too.
cluster.worker?.on('error', end);
