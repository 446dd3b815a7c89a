/** The first process: checks the configuration, opens the admin listener, starts the workers and replaces those that die. */
import cluster, { type Worker } from 'node:cluster';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAdmin } from '../admin/admin-app.ts';
import type { Config } from '../config/model.ts';
import { StartError } from '../errors.ts';
import { listenFault } from '../listener/listener.ts';
import { type PlannedListener, planListeners } from '../listener/listener-plan.ts';
import type { Logger } from '../log.ts';
import type { CheckedConfig } from './check-config.ts';
import type { FromWorker, ToWorker, WorkerSetup } from './messages.ts';

export interface Service {
  readonly listeners: readonly PlannedListener[];
  /** Stops once: closes the listeners and lets requests under way finish until the deadline. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
}

const FIRST_RESTART_MS = 500;
const LONGEST_RESTART_MS = 30_000;
/**
 * V8 begins with a space for new objects of less than 1 MiB, and keeps to it where nearly all of them die young, as those of a
 * request do: under load it would then be emptied a hundred times a second, by all its threads.
 */
const YOUNG_SPACE = ['--min-semi-space-size=4'];
/** A worker that lived this long has not died of its start. */
const STEADY_MS = 60_000;

/** @throws StartError where a port cannot be had or a worker cannot start; nothing is left running then */
export async function startService(checked: CheckedConfig & { config: Config }, log: Logger): Promise<Service> {
  const { settings, sites } = checked.config;
  const listeners = planListeners(sites);
  // Workers share their ports, so that none of them would notice a stranger on one. Asked here, alone.
  for (const plan of listeners) await probe(plan);
  probeLogFile(settings.log.access);
  const count = settings.workers === 'auto' ? availableParallelism() : settings.workers;
  const setup: WorkerSetup = {
    config: checked.config,
    certificates: checked.certificates,
    ca: checked.ca,
    shown: checked.shown,
    clientCa: checked.clientCa,
    ticketKeys: randomBytes(48),
    reusePort: count > 1,
  };
  const team = createTeam(setup, count, log);
  const admin = settings.admin === false ? undefined : await startAdmin(settings.admin, { ready: team.ready }, log);
  try {
    await team.start();
  } catch (error) {
    team.kill();
    await admin?.close();
    throw error;
  }
  return {
    listeners,
    async stop() {
      const seconds = settings.timeouts.drain;
      await team.stop(seconds);
      await admin?.close();
    },
    kill() {
      team.kill();
      void admin?.close();
    },
  };
}

function probe(plan: PlannedListener): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => reject(new StartError(listenFault(plan, error))));
    server.listen({ port: plan.port, ...(plan.address === '*' ? {} : { host: plan.address }), exclusive: true }, () =>
      server.close(() => resolve()),
    );
  });
}

/** The log is opened in the background later, where a wrong name could no longer stop the start. */
function probeLogFile({ format, file }: Config['settings']['log']['access']): void {
  if (format === 'off' || file === undefined) return;
  try {
    closeSync(openSync(file, 'a'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = LOG_FAULTS[code ?? ''] ?? message;
    throw new StartError(
      `cannot open the access log ${file}: ${why}. Change "log": { "access": { "file": … } } in settings.json, which is relative to that file.`,
    );
  }
}

const LOG_FAULTS: Readonly<Record<string, string>> = {
  ENOENT: 'its folder does not exist',
  EACCES: 'this account may not write it',
  EISDIR: 'it is a folder',
  ENOTDIR: 'a part of its path is no folder',
  EROFS: 'the disk is read-only',
};

interface Team {
  start(): Promise<void>;
  stop(seconds: number): Promise<void>;
  kill(): void;
  ready(): boolean;
}

function createTeam(setup: WorkerSetup, count: number, log: Logger): Team {
  const exec = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url));
  cluster.setupPrimary({ exec, args: [], execArgv: YOUNG_SPACE, serialization: 'advanced' });
  const workers = new Set<Worker>();
  let stopping = false;
  let serving = 0;

  const launch = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const worker = cluster.fork();
      const born = Date.now();
      let wasReady = false;
      workers.add(worker);
      worker.once('online', () => send(worker, { type: 'start', setup }));
      worker.on('message', (message: FromWorker) => {
        if (message.type === 'ready') {
          wasReady = true;
          serving++;
          resolve();
        } else if (message.type === 'failed') {
          reject(new StartError(message.message));
          worker.process.kill('SIGKILL');
        } else if (message.cut > 0) {
          log.warn({ worker: worker.id, connections: message.cut }, 'connections were cut at the drain deadline');
        }
      });
      worker.once('exit', (code, signal) => {
        workers.delete(worker);
        if (wasReady) serving--;
        if (stopping) return;
        if (!wasReady) reject(new StartError(`a worker ended before it was ready (${signal ?? `exit code ${code}`})`));
        else replace(worker, Date.now() - born, signal ?? `exit code ${code}`);
      });
    });

  let delay = FIRST_RESTART_MS;
  const restarts = new Set<NodeJS.Timeout>();
  const later = () => {
    const timer = setTimeout(() => {
      restarts.delete(timer);
      again();
    }, delay);
    restarts.add(timer);
  };
  const replace = (worker: Worker, lived: number, how: string) => {
    delay = lived >= STEADY_MS ? FIRST_RESTART_MS : Math.min(delay * 2, LONGEST_RESTART_MS);
    log.error(
      { worker: worker.id, restartInMs: delay },
      `a worker died (${how}); its connections are lost, another takes its place`,
    );
    later();
  };
  const again = () => {
    if (stopping) return;
    launch().then(
      () => log.info('a worker took its place'),
      (error: unknown) => {
        log.error(`a worker could not be replaced: ${error instanceof Error ? error.message : String(error)}`);
        delay = Math.min(delay * 2, LONGEST_RESTART_MS);
        later();
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
    ready: () => !stopping && serving > 0,
    async start() {
      await Promise.all(Array.from({ length: count }, launch));
    },
    async stop(seconds) {
      end();
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
      clearTimeout(last);
    },
    kill,
  };
}

function send(worker: Worker, message: ToWorker): void {
  worker.send(message, (error) => {
    // The channel is closed: the worker's exit, which follows, tells the rest.
    if (error) worker.process.kill('SIGKILL');
  });
}
