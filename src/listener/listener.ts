/** Opens, stops and closes one listening socket, and hands each connection to the lane that ALPN settled on. */
import { createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type TlsOptions } from 'node:tls';
import type { PlannedListener } from '../decide/listener-plan.ts';
import { StartError } from '../errors.ts';
import { lacksInterface, plainAddress } from '../ip-address.ts';
import type { Logger } from '../log.ts';
import type { LimitedLog } from '../telling-limit.ts';
import type { ClientCount } from './client-count.ts';
import { describeMachine, likelyAddress } from './machine-addresses.ts';

/** Where connections go. Given in by the service: listeners know no lane. */
export interface Lanes {
  http1(socket: Socket | TLSSocket, listener: PlannedListener): void;
  http2(socket: TLSSocket, listener: PlannedListener): void;
}

export interface ListenerOptions {
  /** Present for https. */
  readonly tls: TlsOptions | undefined;
  /** True where several processes listen on the same port. */
  readonly reusePort: boolean;
  readonly connections: number;
  /** Of all listeners. */
  readonly clients: ClientCount;
  /** Says that a connection was ended, or not taken. */
  tellCut(cut: ListenerCut & { readonly client: string; readonly listener: string }): void;
  readonly log: Logger;
  readonly limitedLog: LimitedLog;
}

/** What ended a connection before a lane had it. */
export interface ListenerCut {
  /** As in settings.json; without it, what else counts as the same. */
  readonly setting?: string;
  readonly kind?: string;
  readonly reason: string;
}

export interface Listener {
  readonly plan: PlannedListener;
  /** The port in use; differs from the planned one where that is 0. */
  readonly port: number;
  /** Takes no more connections; those that are open go on. */
  stop(): Promise<void>;
}

/** @throws StartError where the port cannot be had */
export function openListener(plan: PlannedListener, lanes: Lanes, options: ListenerOptions): Promise<Listener> {
  const tell = ({ remoteAddress = '' }: { readonly remoteAddress?: string | undefined }, cut: ListenerCut) =>
    options.tellCut({ ...cut, client: plainAddress(remoteAddress), listener: plan.name });
  const server = options.tls
    ? createTlsServer(options.tls, (socket) => hand(socket, plan, lanes))
    : createTcpServer({ noDelay: true }, (socket) => lanes.http1(socket, plan));
  server.maxConnections = options.connections;
  server.prependListener('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    // A client that resets before it is served is no event worth more than this.
    socket.on('error', (error) => options.log.trace({ listener: plan.name }, error.message));
    if (options.clients.admit(socket)) return;
    tell(socket, { setting: 'limits.connectionsPerAddress', reason: 'one client has as many connections as it may' });
    socket.destroy();
  });
  // Node has closed it already.
  server.on('drop', (client) =>
    tell(client ?? {}, { setting: 'limits.connections', reason: 'there are as many connections as there may be' }),
  );
  server.on('tlsClientError', (error, socket: TLSSocket) => {
    const fault = handshakeFault(error, options.tls);
    if (fault) tell(socket, fault);
    else options.log.debug({ listener: plan.name, client: socket.remoteAddress }, `TLS handshake: ${error.message}`);
    socket.destroy();
  });
  return listen(server, plan, options);
}

/** Why we ended a TLS handshake, with the setting that is the cause where one is; nothing where the client did. */
function handshakeFault(error: NodeJS.ErrnoException, options: TlsOptions | undefined): ListenerCut | undefined {
  const { code = '', message } = error;
  if (!code.startsWith('ERR_') || code.includes('_ALERT_')) return undefined;
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') {
    const seconds = (options?.handshakeTimeout ?? 0) / 1000;
    return { setting: 'timeouts.handshake', reason: `a TLS handshake was not done within ${seconds} s` };
  }
  const setting = HANDSHAKE_SETTINGS[code];
  return { ...(setting === undefined ? {} : { setting }), kind: code, reason: `TLS handshake: ${message}` };
}

const HANDSHAKE_SETTINGS: Readonly<Record<string, string>> = {
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'tls.minVersion',
  ERR_SSL_VERSION_TOO_LOW: 'tls.minVersion',
  ERR_SSL_NO_SHARED_CIPHER: 'tls.ciphers',
  ERR_SSL_NO_APPLICATION_PROTOCOL: 'http2',
};

function hand(socket: TLSSocket, plan: PlannedListener, lanes: Lanes): void {
  if (socket.alpnProtocol === 'h2') lanes.http2(socket, plan);
  else lanes.http1(socket, plan);
}

function listen(server: Server, plan: PlannedListener, options: ListenerOptions): Promise<Listener> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(new StartError(listenFault(plan, error))));
    server.listen(
      {
        port: plan.port,
        ...(plan.address === '*' ? {} : { host: plan.address }),
        reusePort: options.reusePort || plan.shared,
        exclusive: true,
        backlog: 4096,
      },
      () => {
        server.removeAllListeners('error');
        server.on('error', ({ message }) =>
          options.limitedLog.tell('error', `accept ${plan.name}`, { listener: plan.name }, `accept: ${message}`),
        );
        const bound = server.address();
        resolve({
          plan,
          port: typeof bound === 'object' && bound ? bound.port : plan.port,
          stop: () => new Promise((stopped) => server.close(() => stopped())),
        });
      },
    );
  });
}

/** What to tell when a socket cannot be opened: the port, why, and the cure. */
export function listenFault(
  plan: Pick<PlannedListener, 'name' | 'address' | 'standsFor' | 'port'>,
  error: NodeJS.ErrnoException,
): string {
  const { name, port } = plan;
  switch (error.code) {
    case 'EADDRINUSE':
      return `cannot listen on ${name}: another program uses port ${port}. Stop it ("ss -ltnp sport = :${port}" shows which), or change the binding.`;
    case 'EACCES':
      return `cannot listen on ${name}: this account may not open port ${port}. Run as a container, give node the capability cap_net_bind_service, or bind a port from 1024 on.`;
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
      return `cannot listen on ${name}: ${absentAddress(plan)}`;
    default:
      if (lacksInterface(plan.address)) return `cannot listen on ${name}: ${ofSomeLink(plan)}`;
      return `cannot listen on ${name}: ${error.message}`;
  }
}

function ofSomeLink({ address, standsFor = address }: Pick<PlannedListener, 'address' | 'standsFor'>): string {
  return `${address} counts on one link, and does not say on which. Write the address with its interface into settings.json, as in "addresses": { "${standsFor}": "${address}%eth0" }.`;
}

function absentAddress({ address, standsFor }: Pick<PlannedListener, 'address' | 'standsFor'>): string {
  const has = `It has ${describeMachine()}`;
  if (standsFor !== undefined) {
    return `this machine does not have the address ${address}, which stands for ${standsFor} by "addresses" in settings.json. ${has}.`;
  }
  const entry = `"addresses": { "${address}": "${likelyAddress(address)}" }`;
  return `this machine does not have the address. ${has}: say in settings.json which of them stands for it, as in ${entry}.`;
}
