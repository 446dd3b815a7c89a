/** What one worker does: opens the listeners, and hands their connections to the lanes. Knows nothing of processes. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { type PlannedListener, planListeners } from '../decide/listener-plan.ts';
import { plainAddress } from '../ip-address.ts';
import { type ClientCount, createClientCount } from '../listener/client-count.ts';
import { type Listener, type ListenerOptions, openListener } from '../listener/listener.ts';
import type { Logger } from '../log.ts';
import { within } from '../patience.ts';
import { openAccessLog } from '../proxy/access-log.ts';
import { tellCut } from '../proxy/cut-telling.ts';
import { createHttp1Lane } from '../proxy/http1-lane.ts';
import { createHttp2Lane } from '../proxy/http2-lane.ts';
import type { Lane } from '../proxy/lane.ts';
import type { ClientConnection } from '../proxy/request-head.ts';
import type { Runtime } from '../proxy/runtime.ts';
import { createSendQueues } from '../proxy/send-queues.ts';
import { type CertificateStore, createCertificateStore } from '../tls/certificate-store.ts';
import { judgeClient } from '../tls/client-certificate.ts';
import { asksClients, tlsServerOptions } from '../tls/tls-options.ts';
import { buildRuntime, networkTest } from './build-runtime.ts';
import { tellClientCounts } from './client-counts.ts';
import { configuredRoutes } from './configured-routes.ts';
import { openFarmLink } from './farm-link.ts';
import type { FromServing, ToServing, WorkerSetup } from './messages.ts';

export interface Serving {
  readonly listeners: readonly Listener[];
  /**
   * Closes the listeners, lets requests under way finish for at most this long, then ends what is left.
   * @returns how many connections were cut
   */
  stop(seconds: number): Promise<number>;
  /** What the supervisor says of the servers. */
  heard(message: ToServing): void;
}

/**
 * @param tell says something to the supervisor
 * @param hear is given what takes the messages of the supervisor, before the first request comes
 * @throws StartError where a listener cannot be opened; nothing is left open then
 */
export async function serve(
  setup: WorkerSetup,
  log: Logger,
  tell: (message: FromServing) => void,
  hear: (heard: Serving['heard']) => void = () => undefined,
): Promise<Serving> {
  const { settings } = setup.config;
  const accessLog = openAccessLog(settings.log.access, log);
  const routes = configuredRoutes(setup.config, log);
  const runtime = buildRuntime({ ...setup, routes, states: new Map(), tell, accessLog, log });
  const link = openFarmLink(runtime.farms, tell);
  let draining = false;
  const lanes = await createLanes(
    setup,
    () => runtime,
    () => draining,
  );
  const listeners: Listener[] = [];
  const { limits, trustedProxies } = settings;
  const isProxy = networkTest(trustedProxies);
  const clients = createClientCount(limits.connectionsPerAddress, (address) => !isProxy(plainAddress(address)));
  const { workers } = setup;
  const stopCounting =
    workers > 1 ? tellClientCounts(clients, { limit: limits.connectionsPerAddress, workers }, tell) : () => undefined;
  const heard = (message: ToServing) => {
    if (message.type === 'clientsElsewhere') clients.elsewhere(message.counts);
    else link.heard(message);
  };
  hear(heard);
  const closeServers = () => {
    stopCounting();
    link.stop();
    for (const farm of runtime.farms.values()) farm.close();
    runtime.connections.destroy();
    routes.close();
  };
  const stopListening = () => Promise.all(listeners.map((listener) => listener.stop()));
  try {
    for (const plan of planListeners(setup.config))
      listeners.push(await open(plan, setup, { runtime, lanes, clients, log }));
  } catch (error) {
    // Not awaited: `close` of a listener waits for its connections, and there is nothing to finish.
    void stopListening();
    for (const lane of Object.values(lanes)) lane.destroy();
    closeServers();
    throw error;
  }
  return {
    listeners,
    heard,
    async stop(seconds) {
      draining = true;
      const cut = await drain(Object.values(lanes), stopListening(), seconds);
      closeServers();
      runtime.limitedLog.end();
      await accessLog.close();
      return cut;
    },
  };
}

/** @param stopped settles when the last connection is gone, those in a TLS handshake too, which no lane knows yet */
async function drain(lanes: readonly Lane[], stopped: Promise<unknown>, seconds: number): Promise<number> {
  const drained = Promise.all(lanes.map((lane) => lane.drain()));
  const ended = Promise.all([drained, stopped]).then(() => 0);
  const cut = await within(seconds * 1000, ended, () => lanes.reduce((sum, lane) => sum + lane.destroy(), 0));
  await drained;
  return cut;
}

interface Served {
  readonly runtime: Runtime;
  readonly lanes: Lanes;
  readonly clients: ClientCount;
  readonly log: Logger;
}

function open(
  plan: PlannedListener,
  { config, certificates, clientCa, ticketKeys, workers }: WorkerSetup,
  { runtime, lanes, clients, log }: Served,
): Promise<Listener> {
  const { settings } = config;
  const asks = asksClients(settings.tls, plan.key);
  const asked = asks && { clientCa };
  const store = plan.tls
    ? createCertificateStore(certificates, {
        listener: plan.key,
        defaultCertificate: settings.defaultCertificate,
        hosts: plan.bindings.map(({ host }) => host),
        tls: settings.tls,
        ...asked,
      })
    : undefined;
  const trusts = networkTest(settings.trustedProxies);
  const describe = (socket: Socket) => describeConnection(socket, plan, { store, asks, runtime, trusts });
  const keys = Buffer.from(ticketKeys);
  const options: ListenerOptions = {
    tls: store && tlsServerOptions(settings, { listener: plan.key, store: () => store, ticketKeys: keys, ...asked }),
    reusePort: workers > 1,
    connections: settings.limits.connections,
    clients,
    tellCut: (cut) => tellCut(runtime, cut),
    log,
    limitedLog: runtime.limitedLog,
  };
  const described = {
    http1: (socket: Socket) => lanes.http1.take(socket, describe(socket)),
    http2: (socket: TLSSocket) => lanes.http2.take(socket, describe(socket)),
  };
  return openListener(plan, described, options);
}

interface Lanes {
  readonly http1: Lane;
  readonly http2: Lane;
}

async function createLanes(
  { config: { settings } }: WorkerSetup,
  runtime: () => Runtime,
  draining: () => boolean,
): Promise<Lanes> {
  const { limits, timeouts } = settings;
  const sendQueues = createSendQueues();
  return {
    http1: createHttp1Lane({ runtime, draining, limits, timeouts, sendQueues }),
    http2: await createHttp2Lane({
      runtime,
      headerBytes: limits.headerBytes,
      headerCount: limits.headerCount,
      targetBytes: limits.targetBytes,
      idleTimeout: timeouts.idle,
      bodyTimeout: timeouts.body,
      sendQueues,
    }),
  };
}

interface Surroundings {
  readonly store: CertificateStore | undefined;
  readonly asks: ReturnType<typeof asksClients>;
  readonly runtime: Runtime;
  readonly trusts: (address: string) => boolean;
}

function describeConnection(
  socket: Socket,
  plan: PlannedListener,
  { store, asks, runtime, trusts }: Surroundings,
): ClientConnection {
  const remoteAddress = plainAddress(socket.remoteAddress ?? '');
  const connection = {
    listener: plan.name,
    remoteAddress,
    remotePort: socket.remotePort ?? 0,
    // What the IIS files and old logs know: rules that ask for the address go on as they are.
    localAddress: plan.standsFor ?? plainAddress(socket.localAddress ?? ''),
    localPort: socket.localPort ?? plan.port,
    trusted: trusts(remoteAddress),
    pins: runtime.pins.forClient(),
    passed: undefined,
  };
  if (!(socket instanceof TLSSocket) || store === undefined) return connection;
  const { servername } = socket as TLSSocket & { readonly servername?: string | false };
  return {
    ...connection,
    tls: {
      version: socket.getProtocol() ?? '',
      cipherBits: cipherBits(socket.getCipher().standardName),
      certificate: store.certificateFor(servername || undefined),
    },
    ...(asks && { clientCertificate: judgeClient(socket, asks) }),
  };
}

/** Bits of the cipher by its name, as Schannel tells them: 128 or 256, 168 for 3DES. */
function cipherBits(name = ''): number {
  const [, bits] = /_(128|256)_/.exec(name) ?? [];
  if (bits !== undefined) return Number(bits);
  if (name.includes('CHACHA20')) return 256;
  return name.includes('3DES') ? 168 : 0;
}
