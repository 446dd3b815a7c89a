/** The workers: starts as many as there are to be, replaces those that die, and carries messages to and from them. */
import cluster, { type Worker } from 'node:cluster';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StartError } from '../errors.ts';
import type { ServerCondition } from '../farm/server-state.ts';
import type { Logger } from '../log.ts';
import { BEAT_MS, createHeartbeats, type Heartbeats } from './heartbeats.ts';
import { isIgnored } from './ignored-signals.ts';
import type { FromServing, FromWorker, ToServing, ToWorker, WorkerSetup } from './messages.ts';

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/** While nobody serves, no client has anything of a longer pause. */
const LONGEST_ALONE_MS = 1000;
/**
 * V8 begins with a space for new objects of less than 1 MiB, and keeps to it where nearly all of them die young, as those of a
 * request do: under load it would then be emptied a hundred times a second, by all its threads.
 */
const YOUNG_SPACE = '--min-semi-space-size=4';
/** SIGUSR1 opens none, not even before the first line of ours runs: it never comes to a worker. */
const NO_INSPECTOR = '--disable-sigusr1';
/** What Node says of its FFI, by which a worker ends with the supervisor. */
const QUIET = '--disable-warning=ExperimentalWarning';
/** Environment variable with the process id of the supervisor. */
const SUPERVISOR = 'LYCHGATE_SUPERVISOR';
/** A worker that lived this long has not died of its start. */
const STEADY_MS = 60_000;
/** Why a worker was killed that has hung. */
const HUNG = 'it did not answer';

export interface Team {
  /** @throws StartError where a worker cannot start */
  start(): Promise<void>;
  /** Lets requests under way finish for at most this long. */
  stop(seconds: number): Promise<void>;
  kill(): void;
  ready(): boolean;
  /** Says something to every worker that serves. Gives their numbers. */
  tell(message: ToServing): readonly number[];
}

export interface TeamOptions {
  readonly setup: WorkerSetup;
  readonly count: number;
  /** Seconds after which a worker that does not answer is killed and replaced. */
  readonly hang: number;
  /** What a new worker has to know of the servers. */
  readonly conditions: () => readonly ServerCondition[];
  readonly heard: (worker: number, message: FromServing, answer: (message: ToServing) => void) => void;
  /** A worker has ended, and says nothing more. */
  readonly lost: (worker: number) => void;
  readonly log: Logger;
}

export function createTeam({ setup, count, hang, conditions, heard, lost, log }: TeamOptions): Team {
  const fileOf = (name: string) => fileURLToPath(new URL(`./${name}${extname(import.meta.url)}`, import.meta.url));
  cluster.setupPrimary({
    exec: fileOf('worker'),
    args: [],
    // The first line of a module runs when a fault of its channel has already ended the worker; this is loaded before.
    execArgv: [YOUNG_SPACE, NO_INSPECTOR, QUIET, '--require', fileOf('start-worker')],
    serialization: 'advanced',
  });
  const workers = new Set<Worker>();
  /** Those that serve; the others have not been told yet what is so, or have ended. */
  const serving = new Set<Worker>();
  const ready = new Set<Worker>();
  let stopping = false;
  /** Why one was killed: told with its end, where that is what ended it. */
  const killed = new Map<Worker, string>();
  const send = (worker: Worker, message: ToWorker) => {
    worker.send(message, (error) => {
      if (error === null) return;
      // Where the channel is closed already, the worker has ended, or ends itself and says why.
      killed.set(worker, `a message to it failed: ${error.message}`);
      worker.process.kill('SIGKILL');
    });
  };
  const heartbeats = tellSilence(
    hang,
    () => stopping,
    (worker) => {
      killed.set(worker, HUNG);
      worker.process.kill('SIGKILL');
    },
    log,
  );
  let beat: NodeJS.Timeout | undefined;

  const launch = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = fork();
      const born = performance.now();
      workers.add(worker);
      heartbeats.expect(worker);
      worker.once('online', () => {
        send(worker, { type: 'start', setup, conditions: conditions() });
        // Messages keep their order: whatever changes from now on comes behind the start.
        serving.add(worker);
      });
      worker.on('message', (message: FromWorker) => {
        heartbeats.heard(worker);
        switch (message.type) {
          case 'ready':
            ready.add(worker);
            heartbeats.serves(worker);
            resolve();
            break;
          case 'failed':
            reject(new StartError(message.message));
            worker.process.kill('SIGKILL');
            break;
          case 'stopped':
            if (message.cut > 0) {
              log.warn(
                { worker: worker.id, connections: message.cut, setting: 'timeouts.drain' },
                'connections were cut at the drain deadline',
              );
            }
            break;
          default:
            // What a worker said last may come behind its exit, where nobody counts it any more.
            if (serving.has(worker)) heard(worker.id, message, (answer) => send(worker, answer));
        }
      });
      worker.on('error', (error) => {
        log.error({ worker: worker.id }, `a worker: ${error.message}`);
        if (worker.process.pid !== undefined) return;
        // There is no process, and no `exit` follows.
        workers.delete(worker);
        heartbeats.forget(worker);
        delete cluster.workers?.[worker.id];
        reject(new StartError(`a worker cannot be started: ${error.message}`));
      });
      worker.once('exit', (code, signal) => {
        workers.delete(worker);
        serving.delete(worker);
        heartbeats.forget(worker);
        lost(worker.id);
        const wasReady = ready.delete(worker);
        const why = signal === 'SIGKILL' ? killed.get(worker) : undefined;
        killed.delete(worker);
        const how = `${signal ?? `exit code ${code}`}${why === undefined ? '' : `, after ${why}`}`;
        if (stopping) {
          // That one has hung is told already.
          if (why !== undefined && why !== HUNG)
            log.error({ worker: worker.id }, `a worker died (${how}) while the service stops`);
          return;
        }
        // Nothing of ours ran there yet that could have ignored it.
        if (!wasReady && isIgnored(signal ?? '')) launch().then(resolve, reject);
        else if (!wasReady) reject(new StartError(`a worker ended before it was ready (${how})`));
        else replace(worker, { lived: performance.now() - born, hung: why === HUNG, how });
      });
    });

  let delay = FIRST_RESTART_MS;
  const restarts = new Set<NodeJS.Timeout>();
  const pause = () => (ready.size === 0 ? Math.min(delay, LONGEST_ALONE_MS) : delay);
  const later = (milliseconds: number) => {
    const timer = setTimeout(() => {
      restarts.delete(timer);
      again();
    }, milliseconds);
    restarts.add(timer);
  };
  const replace = (worker: Worker, { lived, hung, how }: Death) => {
    // Whoever hangs has been missed for `timeouts.hang` already: that is pause enough, and says nothing of how one starts.
    if (!hung) delay = lived >= STEADY_MS ? FIRST_RESTART_MS : Math.min(delay * 2, LONGEST_RESTART_MS);
    const restartInMs = hung ? FIRST_RESTART_MS : pause();
    log.error(
      { worker: worker.id, restartInMs },
      `a worker died (${how}); its connections are lost, another takes its place`,
    );
    later(restartInMs);
  };
  const again = () => {
    if (stopping) return;
    launch().then(
      () => log.info('a worker took its place'),
      (error: unknown) => {
        log.error(`a worker could not be replaced: ${error instanceof Error ? error.message : String(error)}`);
        delay = Math.min(delay * 2, LONGEST_RESTART_MS);
        later(pause());
      },
    );
  };
  /** A restart still to come would keep the process alive. */
  const end = () => {
    stopping = true;
    for (const timer of restarts) clearTimeout(timer);
  };
  const kill = () => {
    end();
    for (const worker of workers) worker.process.kill('SIGKILL');
  };
  return {
    // The kernel goes on giving a silent one its share of the clients, and nobody answers those.
    ready: () => !stopping && ready.size > 0 && ![...ready].some(heartbeats.isSilent),
    tell(message) {
      for (const worker of serving) send(worker, message);
      return [...serving].map(({ id }) => id);
    },
    async start() {
      beat = setInterval(heartbeats.beat, BEAT_MS).unref();
      await Promise.all(Array.from({ length: count }, launch));
    },
    async stop(seconds) {
      end();
      heartbeats.hurry();
      const gone = Promise.all([...workers].map((worker) => new Promise((done) => worker.once('exit', done))));
      for (const worker of workers) send(worker, { type: 'stop' });
      // A worker that hangs does not keep the service from ending.
      const last = setTimeout(
        () => {
          log.error('a worker did not end by itself and was killed');
          kill();
        },
        (seconds + 5) * 1000,
      );
      await gone;
      clearInterval(beat);
      clearTimeout(last);
    },
    kill,
  };
}

/** @throws StartError where the system has no room for another process: some faults are told by an event, others thrown */
function fork(): Worker {
  try {
    return cluster.fork({ [SUPERVISOR]: `${process.pid}` });
  } catch (error) {
    throw new StartError(`a worker cannot be started: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** How a worker came to its end. */
interface Death {
  /** Milliseconds. */
  readonly lived: number;
  /** It served, and was given up. */
  readonly hung: boolean;
  readonly how: string;
}

function tellSilence(
  hang: number,
  stopping: () => boolean,
  kill: (worker: Worker) => void,
  log: Logger,
): Heartbeats<Worker> {
  const facts = (worker: Worker) => ({ worker: worker.id, workerPid: worker.process.pid });
  return createHeartbeats<Worker>({
    hang,
    silent: (worker, seconds) =>
      log.error(
        facts(worker),
        `a worker has not answered for ${seconds} s, and its clients wait: after timeouts.hang (${hang} s) it is killed`,
      ),
    answers: (worker, seconds) => log.warn(facts(worker), `a worker answers again, after ${seconds} s`),
    givenUp(worker, seconds) {
      const why = stopping() ? 'and the service stops' : `and timeouts.hang is ${hang} s`;
      log.error(facts(worker), `a worker has not answered for ${seconds} s, ${why}: it is killed`);
      kill(worker);
    },
  });
}
