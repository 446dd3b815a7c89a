/** The admin listener: health and readiness now, the API and the dashboard later. Plain HTTP, on loopback by default. */
import fastify from 'fastify';
import { StartError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Control } from './control.ts';

export interface Admin {
  close(): Promise<void>;
}

/** @throws StartError where the address cannot be had */
export async function startAdmin(
  { address, port }: { readonly address: string; readonly port: number },
  control: Control,
  log: Logger,
): Promise<Admin> {
  const app = fastify({ logger: false, forceCloseConnections: true });
  app.get('/healthz', () => ({ status: 'ok' }));
  app.get('/readyz', (_request, reply) => {
    const ready = control.ready();
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ok' : 'not ready' });
  });
  try {
    await app.listen({ host: address, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? `another program uses port ${port}` : message;
    throw new StartError(
      `cannot open the admin listener on ${address}:${port}: ${why}. Choose another with "admin": { "address": … } in settings.json, or false for none.`,
    );
  }
  log.debug({ address, port }, 'admin listener is open');
  return { close: () => app.close() };
}
