/** Bare programs on Node, without a duty: what the work itself costs there. Each takes part where it does the same work. */
import { ask } from '../child-processes.ts';
import { freePort, PROXY_ADDRESS } from '../run-folder.ts';
import { type Competitor, type Duty, type Running, type StartContext, whenReady } from './competitor.ts';

/**
 * Two `node:tls` sockets joined. Not for HTTP/2, which it could only pass on as it is, to an origin that speaks it too; and
 * not for a connection per request or idle ones, since it has a connection to the origin for each of the clients'.
 */
export const relay = yardstick({ name: 'relay', label: 'relay', yardstick: 'relay' }, ['http1', 'rules', 'polls']);

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
