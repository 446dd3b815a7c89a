/** The first file of a worker: takes up its signals, then loads the rest. */
import { ignoreSignals } from './ignored-signals.ts';

ignoreSignals();
// A terminal sends Ctrl-C to the whole group: the supervisor alone decides when the workers end.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
await import('./worker.ts');
