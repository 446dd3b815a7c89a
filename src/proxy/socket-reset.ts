/** Ends a connection so that nothing of what was written to it is kept: a mere end leaves it to the kernel, for minutes. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';

export function resetSocket(socket: Socket): void {
  if (!(socket instanceof TLSSocket)) {
    socket.resetAndDestroy();
    return;
  }
  // Node does not name the socket below TLS; a test tells when it has gone.
  const { _parent: below } = socket as TLSSocket & { readonly _parent?: Socket };
  below?.resetAndDestroy();
  socket.destroy();
}
