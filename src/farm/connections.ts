/**
 * Connections to servers: one pool per server and scheme, and connections of their own for authenticated clients.
 * The key of a pool holds everything that decides what its connections may be used for: address, port, scheme, SNI,
 * accepted names, pins and authorities. Two farms that differ in any of these never share a connection.
 */
import { connect as connectTcp, type LookupFunction, type Socket } from 'node:net';
import { connect as connectTls, getCACertificates, type TLSSocket } from 'node:tls';
import { type buildConnector, Client, Pool } from 'undici';
import { ExchangeError } from '../errors.ts';
import { pinFault, type ServerTls, trustOptions } from './server-tls.ts';

/** Where a connection goes and under which conditions it may be used. Times in seconds. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Absent for plain HTTP. */
  readonly tls: ServerTls | undefined;
  readonly localAddress: string | undefined;
  readonly connectTimeout: number;
  readonly timeout: number;
  readonly maxResponseHeaderSize: number;
}

/** Shorter than the 120 s after which IIS closes an idle connection, so that we are the first to let go. */
const POOL_IDLE_MS = 60_000;
/** A pinned connection is the login of its client: it is kept as long as IIS keeps it. */
const PINNED_IDLE_MS = 115_000;

export interface Connections {
  /** The shared pool of an endpoint: anonymous traffic only. */
  poolFor(endpoint: Endpoint): Pool;
  /** A single connection that belongs to one client connection; the caller destroys it with that. */
  openPinned(endpoint: Endpoint): Client;
  destroy(): Promise<void>;
}

export function createConnections(lookup: LookupFunction): Connections {
  const pools = new Map<string, Pool>();
  // Spares the making of the key for an endpoint that was seen before.
  const known = new WeakMap<Endpoint, Pool>();
  const find = (endpoint: Endpoint): Pool => {
    const key = JSON.stringify(endpoint);
    let pool = pools.get(key);
    if (pool === undefined) {
      pool = new Pool(origin(endpoint), { ...clientOptions(endpoint, lookup), keepAliveTimeout: POOL_IDLE_MS });
      pools.set(key, pool);
    }
    known.set(endpoint, pool);
    return pool;
  };
  return {
    poolFor: (endpoint) => known.get(endpoint) ?? find(endpoint),
    openPinned(endpoint) {
      return new Client(origin(endpoint), {
        ...clientOptions(endpoint, lookup),
        keepAliveTimeout: PINNED_IDLE_MS,
      });
    },
    async destroy() {
      const all = [...pools.values()];
      pools.clear();
      await Promise.all(all.map((pool) => pool.destroy()));
    },
  };
}

function origin({ address, port, tls }: Endpoint): string {
  const host = address.includes(':') ? `[${address}]` : address;
  return `${tls ? 'https' : 'http'}://${host}:${port}`;
}

function clientOptions(endpoint: Endpoint, lookup: LookupFunction): Client.Options {
  return {
    pipelining: 1,
    // Every timer is ours: undici's defaults would end a long poll after 300 s.
    headersTimeout: endpoint.timeout * 1000,
    bodyTimeout: endpoint.timeout * 1000,
    keepAliveMaxTimeout: PINNED_IDLE_MS,
    maxHeaderSize: endpoint.maxResponseHeaderSize,
    connect: connector(endpoint, lookup),
  };
}

/**
 * Opens TCP, then TLS. Written here and not left to undici, which would take SNI from the Host header
 * (and so from the client) and check the certificate against it.
 */
function connector(endpoint: Endpoint, lookup: LookupFunction): buildConnector.connector {
  const trusted = endpoint.tls ? [...getCACertificates('default'), ...endpoint.tls.ca] : [];
  let session: Buffer | undefined;
  return (_options, callback) => {
    const tcp = {
      host: endpoint.address,
      port: endpoint.port,
      lookup,
      autoSelectFamily: true,
      noDelay: true,
      keepAlive: true,
      ...(endpoint.localAddress === undefined ? {} : { localAddress: endpoint.localAddress }),
    };
    const socket = endpoint.tls
      ? connectTls({ ...tcp, ...trustOptions(endpoint.tls, trusted), ...(session ? { session } : {}) })
      : connectTcp(tcp);
    if (endpoint.tls) socket.on('session', (next: Buffer) => (session = next));

    const settle = (error: Error | undefined) => {
      clearTimeout(timer);
      socket.off('error', settle);
      if (error) {
        socket.on('error', ignoreLateError);
        socket.destroy();
        session = undefined;
        callback(error, null);
      } else {
        callback(null, socket);
      }
    };
    const timer = setTimeout(
      () => settle(new ExchangeError('serverTimeout', `no connection within ${endpoint.connectTimeout} s`)),
      endpoint.connectTimeout * 1000,
    );
    socket.once('error', settle);
    socket.once(endpoint.tls ? 'secureConnect' : 'connect', () => settle(faultOf(endpoint, socket)));
  };
}

function faultOf({ tls }: Endpoint, socket: Socket | TLSSocket): Error | undefined {
  return tls ? pinFault(tls, (socket as TLSSocket).getPeerCertificate()?.raw) : undefined;
}

/** A destroyed socket may still report why; the first error has been told already. */
function ignoreLateError(): void {}
