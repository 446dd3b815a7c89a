/** What the bare programs share: their arguments, and how they say that they listen. */
import { readFileSync } from 'node:fs';
import { type ConnectionOptions, connect, createSecureContext, type Server, type TLSSocket } from 'node:tls';
import { answer } from './answer.ts';

const [address = '', port = '', cert = '', key = '', ...origin] = process.argv.slice(2);
const [originAddress = '', originPort = '', originName = '', authority = ''] = origin;

/** What a server is made with. */
export const frontOptions = { cert: readFileSync(cert), key: readFileSync(key), noDelay: true };

const originOptions: ConnectionOptions = {
  host: originAddress,
  port: Number(originPort),
  servername: originName,
  secureContext: createSecureContext({ ca: readFileSync(authority) }),
};

/** A new connection to the origin, whose certificate is verified as the others do it. */
export function connectOrigin(): TLSSocket {
  return connect(originOptions).setNoDelay(true);
}

/** Listens when it is told to. Several of these share the port, as workers do. */
export function listenWhenAsked(server: Server): void {
  answer(
    () =>
      new Promise((resolve) => {
        server.listen({ host: address, port: Number(port), reusePort: true, backlog: 4096 }, () =>
          resolve('listening'),
        );
      }),
  );
}
