/**
 * What connections cost at least in Node: `node:tls` and nothing else. Answers each chunk that arrives with 1 KiB, or with
 * an origin's port gives each connection one of its own to the origin and copies bytes both ways ("two legs").
 * Arguments: address, port, certificate, key; for two legs the origin's address, port, name and authority.
 */
import { readFileSync } from 'node:fs';
import { connect, createSecureContext, createServer, type TLSSocket } from 'node:tls';
import { answer } from './answer.ts';

const [address = '', port = '', cert = '', key = '', ...origin] = process.argv.slice(2);
const [originAddress, originPort, originName = '', authority = ''] = origin;

const body = 'x'.repeat(1024);
const response = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

const server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (socket) => {
  socket.on('error', () => undefined);
  if (originAddress === undefined) socket.on('data', () => socket.write(response));
  else joinOrigin(socket, originAddress);
});

const secureContext = originAddress === undefined ? undefined : createSecureContext({ ca: readFileSync(authority) });

function joinOrigin(socket: TLSSocket, host: string): void {
  const leg = connect({
    host,
    port: Number(originPort),
    servername: originName,
    ...(secureContext ? { secureContext } : {}),
  });
  leg.on('error', () => socket.destroy());
  socket.on('close', () => leg.destroy());
  leg.on('close', () => socket.destroy());
  socket.pipe(leg).pipe(socket);
}

answer(
  () =>
    new Promise((resolve) => {
      // Several of these share the port, as workers do.
      server.listen({ host: address, port: Number(port), reusePort: true, backlog: 4096 }, () => resolve('listening'));
    }),
);
