/** Bare programs on Node, without a duty: what the work itself costs there. */
import { ask } from '../child-processes.ts';
import { freePort, PROXY_ADDRESS } from '../run-folder.ts';
import { type Competitor, type Duty, type Running, type StartContext, whenReady } from './competitor.ts';

/**
 * Two `node:tls` sockets joined. Not for HTTP/2, which it could only pass on as it is, to an origin that speaks it too. Of a
 * connection per request, and of idle ones, it makes two: there those below are the yardstick of the goals.
 */
export const relay = yardstick({ name: 'relay', label: 'relay', yardstick: 'relay' }, [
  'http1',
  'handshake',
  'rules',
  'idle',
  'polls',
]);

/** Answers from one pooled TLS connection to the origin. */
export const pooled = yardstick({ name: 'pooled', label: 'pooled server', yardstick: 'pooled' }, ['handshake']);

/** Answers by itself. */
export const bareTls = yardstick({ name: 'bare-tls', label: 'bare node:tls', yardstick: 'bare' }, ['idle']);

/** The program in `programs/` has the same name. */
function yardstick(names: Pick<Competitor, 'name' | 'label' | 'yardstick'>, duties: readonly Duty[]): Competitor {
  return {
    ...names,
    duties,
    onNode: true,
    version: () => process.versions.node,
    start: (context) => start(names.name, context),
  };
}

async function start(program: string, { setup, folder, processes }: StartContext): Promise<Running> {
  const port = await freePort(PROXY_ADDRESS);
  const { front, authority } = folder;
  const { origin, hosts, workers } = setup;
  const args = [
    ...[PROXY_ADDRESS, String(port), front.cert, front.key],
    ...[origin.address, String(origin.port), origin.host, authority],
  ];
  const started = Array.from({ length: workers }, () => processes.startProgram(program, args));
  await Promise.all(started.map((worker) => ask(worker, {})));
  const endpoint = { address: PROXY_ADDRESS, port, host: hosts.at(-1) ?? '' };
  return await whenReady({ endpoint, processes: started });
}
