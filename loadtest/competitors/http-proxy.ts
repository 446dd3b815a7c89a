/** A bare `@fastify/http-proxy`: what Node offers without Lychgate. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ask } from '../child-processes.ts';
import { freePort, PROXY_ADDRESS } from '../run-folder.ts';
import { ALL_DUTIES, type Competitor, type Running, type StartContext, whenReady } from './competitor.ts';

export const httpProxy: Competitor = {
  name: 'http-proxy',
  label: '@fastify/http-proxy',
  // It has no rules.
  duties: ALL_DUTIES.filter((duty) => duty !== 'rules'),
  onNode: true,
  version() {
    const file = createRequire(import.meta.url).resolve('@fastify/http-proxy/package.json');
    return /"version": "([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? '';
  },
  start,
};

async function start({ setup, folder, processes }: StartContext): Promise<Running> {
  const own = folder.subfolder('http-proxy');
  const [port, http2Port] = [await freePort(PROXY_ADDRESS), await freePort(PROXY_ADDRESS)];
  const { front, authority } = folder;
  const { origin } = setup;
  const args = [
    ...[PROXY_ADDRESS, String(port), String(http2Port), front.cert, front.key],
    ...[origin.address, String(origin.port), origin.host, authority, join(own, 'access.log')],
  ];
  const workers = Array.from({ length: setup.workers }, () => processes.startProgram('http-proxy', args));
  await Promise.all(workers.map((worker) => ask(worker, {})));
  const at = { address: PROXY_ADDRESS, host: setup.hosts.at(-1) ?? '' };
  return await whenReady({ endpoint: { ...at, port }, http2Endpoint: { ...at, port: http2Port }, processes: workers });
}
