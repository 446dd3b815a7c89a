/** Two `node:tls` sockets joined, and nothing else: each client connection has one of its own to the origin. */
import { createServer } from 'node:tls';
import { connectOrigin, frontOptions, listenWhenAsked } from './yardstick.ts';

listenWhenAsked(
  createServer(frontOptions, (socket) => {
    const leg = connectOrigin();
    socket.on('error', () => undefined);
    leg.on('error', () => undefined);
    socket.on('close', () => leg.destroy());
    leg.on('close', () => socket.destroy());
    socket.pipe(leg).pipe(socket);
  }),
);
