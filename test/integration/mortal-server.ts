/** A server that can die, as one whose process is killed: its ports refuse, its connections are reset. It comes back at the same ports. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { certificateFor } from './environment.ts';
import { freePort } from './ports.ts';

export interface MortalServer {
  readonly httpPort: number;
  readonly httpsPort: number;
  /** Connections that were opened to it, in all its lives. */
  readonly opened: number;
  kill(): Promise<void>;
  revive(): Promise<void>;
}

/** It lives, unless `dead`. */
export async function mortalServer(onRequest: RequestListener, dead = false): Promise<MortalServer> {
  // Nobody takes them while they are free, as an outgoing connection may do with a port that the system chose.
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const certificate = certificateFor('*.contoso.local');
  const sockets = new Set<Socket>();
  let opened = 0;
  let life: readonly Server[] = [];
  const live = async () => {
    const plain = createServer({ keepAliveTimeout: 120_000 }, onRequest);
    const secure = createTlsServer({ ...certificate, keepAliveTimeout: 120_000 }, onRequest);
    secure.on('tlsClientError', () => undefined);
    for (const server of [plain, secure]) {
      server.on('connection', (socket) => {
        opened++;
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
    }
    life = [plain, secure];
    await Promise.all([listen(plain, httpPort), listen(secure, httpsPort)]);
  };
  const kill = async () => {
    const ended = life.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    for (const socket of sockets) socket.resetAndDestroy();
    await Promise.all(ended);
  };
  onTestFinished(kill);
  if (!dead) await live();
  return {
    httpPort,
    httpsPort,
    get opened() {
      return opened;
    },
    kill,
    revive: live,
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
}
