/** Opens the socket of a connection to a server: TCP, then TLS where the scheme asks for it. */
import { connect as connectTcp, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { ExchangeError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import type { ServerRoute } from './server-route.ts';
import { pinFault, trustOptions } from './server-tls.ts';
import { explainRefusal, inPlainWords } from './tls-failure.ts';

/** What happens on the socket. */
export interface SocketEvents {
  ready(): void;
  /** The bytes are valid during the call alone. False: nothing more until `resume()`, but for what is decrypted already. */
  read(bytes: Buffer): boolean;
  /** The server sends nothing more. */
  ended(): void;
  drained(): void;
  /** Once, whatever came before. */
  closed(error: Error | undefined): void;
}

interface Reading {
  /** Bytes were read since this was last set to false. */
  moved: boolean;
  /** Nothing is read until `resume()`. */
  held: boolean;
}

const HELD_LOOK_MS = 100;

/**
 * A server that refuses a body answers, and closes its connection with the rest of it unread: that resets the connection, and the
 * next write fails. What it has said by then lies here all the same (RFC 9112 9.6), and Node would throw it away with the socket.
 * So the socket ends when nothing more is to be read.
 */
function readBeforeEnd(socket: Socket, reading: Reading): void {
  const destroy = socket.destroy.bind(socket);
  const resume = socket.resume.bind(socket);
  let failure: Error | undefined;
  const look = () => {
    if (socket.destroyed) return;
    if (reading.held) setTimeout(look, HELD_LOOK_MS);
    else if (reading.moved) {
      reading.moved = false;
      // Sockets are read between two immediates.
      setImmediate(look);
    } else destroy(failure);
  };
  socket.resume = () => {
    reading.moved ||= reading.held;
    reading.held = false;
    return resume();
  };
  socket.destroy = (error?: Error) => {
    if (socket.destroyed || error === undefined || !('syscall' in error) || error.syscall !== 'write')
      return destroy(error);
    if (failure === undefined) {
      failure = error;
      reading.moved = true;
      setImmediate(look);
    }
    return socket;
  };
}

/**
 * One for all connections: what is read is looked at before the next read, and idle connections, which may be thousands,
 * hold no memory for it.
 */
const READ_BUFFER = Buffer.allocUnsafeSlow(64 * 1024);

/** What it takes to reach a server. */
export type Reach = Pick<Endpoint, 'address' | 'port' | 'tls' | 'localAddress' | 'computedHost' | 'routes'>;

type SocketOptions = Pick<
  TcpNetConnectOpts,
  'keepAlive' | 'allowHalfOpen' | 'onread' | 'autoSelectFamilyAttemptTimeout'
> & {
  readonly route: ServerRoute;
  /** Of a connection to the same server whose certificate was accepted. */
  readonly session?: Buffer | undefined;
};

/**
 * A socket that is on its way to a server; what goes wrong is told by itself.
 * @param ready called once bytes may be sent: within TLS when the certificate is accepted
 */
export function connectTo(
  { address, port, tls, localAddress }: Reach,
  options: SocketOptions,
  ready: () => void,
): Socket {
  const { session, route, ...more } = options;
  const tcp = {
    ...more,
    host: address,
    port,
    lookup: route.lookup,
    // Several addresses are tried in turn, IPv6 and IPv4 alternating (RFC 8305).
    autoSelectFamily: true,
    noDelay: true,
    ...(localAddress === undefined ? {} : { localAddress }),
  };
  const socket = tls ? connectTls({ ...tcp, ...trustOptions(tls), ...(session ? { session } : {}) }) : connectTcp(tcp);
  if (tls && tls.verify !== 'none') explainRefusal(socket as TLSSocket);
  const refusal = route.refusal();
  if (refusal) socket.destroy(refusal);
  socket.once(tls ? 'secureConnect' : 'connect', () => {
    const fault = tls && pinFault(tls, (socket as TLSSocket).getPeerCertificate()?.raw);
    if (fault) socket.destroy(fault);
    else ready();
  });
  return socket;
}

export type OpenSocket = (events: SocketEvents) => Socket;

const OUT_OF_SOCKETS = /^(?:EMFILE|ENFILE|EADDRNOTAVAIL|ENOBUFS)$/;

/** Of several addresses that were tried, what became of the first. */
function failureOf(error: Error): Error {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  if (!(first instanceof Error)) return error;
  // We have no more file descriptors or ports.
  const ours = 'code' in first && OUT_OF_SOCKETS.test(String(first.code));
  return ours ? new ExchangeError('outOfSockets', first.message, first) : inPlainWords(first);
}

/** A TLS session, and when the certificate was shown on which it rests, in milliseconds of `performance.now()`. */
interface Session {
  readonly ticket: Buffer;
  readonly shown: number;
}

/** Each resumption gives a new session: without an end to it a certificate that has expired would do for good. */
const SHOWN_AGAIN_MS = 3_600_000;

/**
 * Keeps the TLS session of the last connection whose certificate was accepted, so that the next one resumes it; not where keys
 * are pinned, which are to be shown each time. Not left to Node, which would take SNI and the name to check from the host alone.
 */
export function socketOpener(endpoint: Endpoint, route: ServerRoute): OpenSocket {
  let session: Session | undefined;
  // Where a session goes on, no certificate is sent, and whoever has the keys of the server's tickets can go on with it.
  const mayResume = endpoint.tls !== undefined && endpoint.tls.pins.length + endpoint.tls.publicKeys.length === 0;
  return (events) => {
    const opened = performance.now();
    const resumed = session && opened - session.shown < SHOWN_AGAIN_MS ? session : undefined;
    const options = {
      route,
      session: resumed?.ticket,
      keepAlive: true,
      allowHalfOpen: true,
      onread: {
        buffer: READ_BUFFER,
        callback: (length: number) => {
          reading.moved = true;
          reading.held = !events.read(READ_BUFFER.subarray(0, length));
          return !reading.held;
        },
      },
    };
    let failure: Error | undefined;
    let accepted = false;
    /** One that came before the certificate was accepted. */
    let early: Buffer | undefined;
    const keep = (ticket: Buffer) => {
      session = { ticket, shown: resumed && (socket as TLSSocket).isSessionReused() ? resumed.shown : opened };
    };
    const reading: Reading = { moved: false, held: false };
    const socket = connectTo(endpoint, options, () => {
      accepted = true;
      readBeforeEnd(socket, reading);
      if (early) keep(early);
      events.ready();
    });
    if (mayResume) {
      socket.on('session', (ticket: Buffer) => {
        if (accepted) keep(ticket);
        else early = ticket;
      });
    }
    socket.on('error', (error) => {
      failure = failureOf(error);
      // It may be the session that the server does not take any more.
      session = undefined;
    });
    socket.on('end', () => events.ended());
    socket.on('drain', () => events.drained());
    socket.once('close', () => events.closed(failure));
    return socket;
  };
}
