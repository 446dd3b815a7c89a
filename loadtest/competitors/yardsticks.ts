/** `node:tls` and nothing else: the least that a connection can cost in Node. For the memory rows alone. */
import { ask } from '../child-processes.ts';
import { freePort, PROXY_ADDRESS } from '../run-folder.ts';
import { type Competitor, type Running, type StartContext, whenReady } from './competitor.ts';

export const bareTls: Competitor = {
  name: 'bare-tls',
  label: 'bare node:tls',
  duties: ['connections'],
  onNode: true,
  version: () => process.versions.node,
  start,
};

async function start({ setup, folder, processes }: StartContext): Promise<Running> {
  const port = await freePort(PROXY_ADDRESS);
  const { front, authority } = folder;
  const { origin, polls, workers } = setup;
  const leg = polls ? [origin.address, String(origin.port), origin.host, authority] : [];
  const args = [PROXY_ADDRESS, String(port), front.cert, front.key, ...leg];
  const started = Array.from({ length: workers }, () => processes.startProgram('bare-tls', args));
  await Promise.all(started.map((worker) => ask(worker, {})));
  const endpoint = { address: PROXY_ADDRESS, port, host: setup.hosts.at(-1) ?? '' };
  return await whenReady({ endpoint, processes: started });
}
