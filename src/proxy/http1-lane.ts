/** The lane for HTTP/1.1: every client connection that is not HTTP/2. */
import type { Socket } from 'node:net';
import { fairTime } from '../loop-turn.ts';
import { Http1Connection, type Http1Options } from './http1-connection.ts';
import type { Lane } from './lane.ts';
import type { ClientConnection } from './request-head.ts';

const SWEEP_MS = 250;

export function createHttp1Lane(options: Http1Options): Lane {
  const open = new Set<Http1Connection>();
  let emptied: (() => void) | undefined;
  // One timer for all connections, however many requests they carry.
  const sweeper = setInterval(() => {
    const now = fairTime();
    for (const connection of open) connection.sweep(now);
  }, SWEEP_MS);
  sweeper.unref();
  return {
    take(socket: Socket, connection: ClientConnection) {
      const taken = new Http1Connection(socket, connection, options);
      open.add(taken);
      socket.once('close', () => {
        open.delete(taken);
        if (open.size === 0) emptied?.();
      });
    },
    async drain() {
      for (const connection of open) connection.drain();
      if (open.size > 0) await new Promise<void>((resolve) => (emptied = resolve));
      clearInterval(sweeper);
    },
    destroy() {
      const { size } = open;
      for (const connection of open) connection.destroy();
      return size;
    },
  };
}
