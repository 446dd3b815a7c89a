/** A worker process: serves what the supervisor gives it, until it is told to stop or the supervisor is gone. */
import cluster from 'node:cluster';
import { createLog, type Logger, lastLines } from '../log.ts';
import { outliveReaders } from './closed-output.ts';
import { tellIgnoredSignals } from './ignored-signals.ts';
import type { FromWorker, ToServing, ToWorker } from './messages.ts';
import { type Serving, serve } from './serve.ts';
import { watchStalls } from './stall-watch.ts';
import { leave, tellOwnEnd } from './start-worker.ts';

let serving: Serving | undefined;
let drainSeconds = 0;
let log: Logger | undefined;
/** What the supervisor says before anybody can take it up. */
const early: ToServing[] = [];
let hear: (message: ToServing) => void = (message) => early.push(message);

function tell(message: FromWorker): void {
  process.send?.(message);
}

/** A moment in which the supervisor, where it was sent the signal as well, says `stop`. */
const STOP_FOLLOWS_MS = 1000;
let stopping = false;

/** A terminal, or systemd, sends it to all processes: only where this one alone has it, somebody meant to end it. */
function tellSignalsToOthers(to: Logger): void {
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () =>
      setTimeout(() => {
        if (!stopping)
          to.warn(`${signal} is ignored: a worker ends with its supervisor, process ${process.ppid}; signal that`);
      }, STOP_FOLLOWS_MS).unref(),
    );
  }
}

async function start({ setup, conditions }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  const { timeouts, log: logging } = setup.config.settings;
  drainSeconds = timeouts.drain;
  watchStalls({ hang: timeouts.hang, level: logging.level, worker: cluster.worker?.id });
  log = await createLog(logging.level);
  tellIgnoredSignals(log);
  tellOwnEnd(log);
  tellSignalsToOthers(log);
  try {
    serving = await serve(setup, log, tell, (heard) => {
      heard({ type: 'conditions', conditions });
      for (const message of early) heard(message);
      hear = heard;
    });
    tell({ type: 'ready' });
  } catch (error) {
    tell({ type: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

async function stop(): Promise<void> {
  stopping = true;
  const cut = (await serving?.stop(drainSeconds)) ?? 0;
  if (log) await lastLines(log);
  tell({ type: 'stopped', cut });
  leave();
}

outliveReaders(process);
process.on('message', (message: ToWorker) => {
  if (message.type === 'start' || message.type === 'stop') {
    const done = message.type === 'start' ? start(message) : stop();
    done.catch((error: unknown) => {
      throw error;
    });
  } else hear(message);
});
