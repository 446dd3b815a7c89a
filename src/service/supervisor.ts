/** The first process: makes sure of the ports, opens the admin listener and starts the workers. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { type Admin, startAdmin } from '../admin/admin-app.ts';
import type { Control } from '../admin/control.ts';
import type { Config } from '../config/model.ts';
import { type PlannedListener, planListeners } from '../decide/listener-plan.ts';
import { StartError } from '../errors.ts';
import { stateKey } from '../farm/server-state.ts';
import { writeFault } from '../file-fault.ts';
import { listenFault } from '../listener/listener.ts';
import type { Logger } from '../log.ts';
import { openLogFile } from '../proxy/access-log.ts';
import type { Startable } from './check-config.ts';
import { createClientCounts } from './client-counts.ts';
import { createFarmControl } from './farm-control.ts';
import type { WorkerSetup } from './messages.ts';
import { cannotKeep, openStateFile, type StateFile } from './state-file.ts';
import { createTeam, type Team } from './team.ts';

export interface Service {
  readonly listeners: readonly PlannedListener[];
  /** Stops once: closes the listeners and lets requests under way finish until the deadline. */
  stop(): Promise<void>;
  /** Ends everything at once. */
  kill(): void;
}

/** @throws StartError where a port cannot be had or a worker cannot start; nothing is left running then */
export async function startService(checked: Startable, log: Logger): Promise<Service> {
  const { settings } = checked.config;
  const listeners = planListeners(checked.config);
  // Workers share their ports, so that none of them would notice a stranger on one. Asked here, alone.
  await probeAll(listeners);
  holdLogFile(settings.log.access);
  const stateFile = await openStates(checked, log);
  const count = settings.workers === 'auto' ? availableParallelism() : settings.workers;
  const setup: WorkerSetup = {
    config: checked.config,
    certificates: checked.certificates,
    ca: checked.ca,
    shown: checked.shown,
    clientCa: checked.clientCa,
    ticketKeys: randomBytes(48),
    affinitySecret: checked.affinitySecret,
    workers: count,
  };
  const clients = createClientCounts();
  const team: Team = createTeam({
    setup,
    count,
    hang: settings.timeouts.hang,
    conditions: () => farms.conditions(),
    heard: (worker, message, answer) => {
      if (message.type === 'clients') answer(clients.heard(worker, message.counts));
      else farms.heard(worker, message, answer);
    },
    lost: (worker) => {
      clients.lost(worker);
      farms.lost(worker);
    },
    log,
  });
  // Not before the team: what is kept from before the start is told as any other change.
  const farms = createFarmControl({
    setup,
    tell: team.tell,
    ...(stateFile && { stateFile }),
    log,
  });
  const control: Control = {
    ready: team.ready,
    farms: farms.farms,
    notices: () => [stateFile?.trouble(), farms.trouble()].filter((each) => each !== undefined),
    act: farms.act,
    test: farms.test,
  };
  let admin: Admin | undefined;
  try {
    if (settings.admin) admin = await startAdmin({ ...settings.admin, token: checked.adminToken, control, log });
    await team.start();
  } catch (error) {
    team.kill();
    farms.stop();
    await admin?.close();
    throw error;
  }
  return {
    listeners,
    async stop() {
      const seconds = settings.timeouts.drain;
      await team.stop(seconds);
      farms.stop();
      await admin?.close();
      await stateFile?.close();
    },
    kill() {
      team.kill();
      farms.stop();
      void admin?.close();
    },
  };
}

async function openStates({ config, sources }: Startable, log: Logger): Promise<StateFile | undefined> {
  const { stateFile: path } = config.settings;
  if (path === undefined) return undefined;
  if (sources.has(path)) throw cannotKeep(path, 'it is a file of the configuration');
  const servers = new Set(
    config.webFarms.flatMap(({ name, servers: its }) => its.map(({ address }) => stateKey(name.value, address.value))),
  );
  return openStateFile({ path, exists: (farm, server) => servers.has(stateKey(farm, server)), log });
}

/** Tells every listener that cannot be had, and of an address that this machine has not only the first. */
async function probeAll(listeners: readonly PlannedListener[]): Promise<void> {
  const faults = new Map<string, string>();
  for (const plan of listeners) {
    const error = await probe(plan);
    const part = error?.code === 'EADDRNOTAVAIL' ? plan.address : plan.name;
    if (error && !faults.has(part)) faults.set(part, listenFault(plan, error));
  }
  if (faults.size > 0) throw new StartError([...faults.values()].join('\n'));
}

function probe(plan: PlannedListener): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', resolve);
    server.listen({ port: plan.port, ...(plan.address === '*' ? {} : { host: plan.address }), exclusive: true }, () =>
      server.close(() => resolve(undefined)),
    );
  });
}

/**
 * The workers open the file themselves, when a wrong name could no longer stop the start. It stays open as long as this process:
 * whoever reads a pipe with a name would take a time without a worker for the end.
 */
function holdLogFile({ format, file }: Config['settings']['log']['access']): void {
  if (format === 'off' || file === undefined) return;
  try {
    openLogFile(file);
  } catch (error) {
    throw new StartError(
      `cannot open the access log ${file}: ${writeFault(error)}. Change "log": { "access": { "file": … } } in settings.json, which is relative to that file.`,
    );
  }
}
