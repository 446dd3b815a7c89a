/** The service as a process of its own, in front of a stand-in server that a test can hold up. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import type { ReportedFarm, ServerAction } from '../../src/admin/control.ts';
import { type Ask, ask, type Told } from '../integration/clients.ts';
import {
  applicationHost,
  authority,
  type FarmParts,
  type Folder,
  farmRules,
  webFarm,
  writeFolder,
} from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { type Marked, marked } from './processes.ts';

export const HOST = 'meet.contoso.com';

export interface HeldServer {
  readonly port: number;
  /** Resolves with the answer to give, once a request for `/held` has arrived. */
  held(): Promise<ServerResponse>;
}

/** Answers everything at once but `/held`, and says in `X-Served-By` who it is. */
export async function heldServer(name = 'fe01.contoso.local'): Promise<HeldServer> {
  const arrived: ServerResponse[] = [];
  let wake: (() => void) | undefined;
  const server = createServer((request, response) => {
    response.setHeader('X-Served-By', name);
    if (request.url !== '/held') {
      response.end('answer');
      return;
    }
    arrived.push(response);
    wake?.();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    async held() {
      while (arrived.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      return arrived.shift()!;
    },
  };
}

export interface PublishedService extends Folder {
  readonly service: Marked;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly server: HeldServer;
  get(path?: string, more?: Partial<Ask>): Promise<Told>;
  /** Lines of the service log. */
  logged(): Record<string, unknown>[];
}

/**
 * Resolves when it serves.
 * @param farm in place of one server, the stand-in
 * @param env beside that of the test
 */
export async function publish(
  settings: Record<string, unknown> = {},
  farm: Partial<FarmParts> = {},
  env: NodeJS.ProcessEnv = {},
): Promise<PublishedService> {
  const server = await heldServer();
  const [httpsPort, httpPort] = [await freePort(), await freePort()];
  const servers = farm.servers ?? [{ address: 'fe01.contoso.local', httpPort: server.port }];
  const folder = writeFolder({
    iis: applicationHost({
      bindings: [`https 127.0.0.1:${httpsPort}:${HOST}`, `http 127.0.0.1:${httpPort}:${HOST}`],
      farms: webFarm('fe', { ...farm, servers }),
      rules: farmRules('fe', HOST).replace('https://fe', 'http://fe'),
    }),
    certificates: { meet: [HOST] },
    settings: {
      hosts: Object.fromEntries(servers.map(({ address }) => [address, '127.0.0.1'])),
      log: { level: 'info', access: { format: 'off' } },
      workers: 1,
      ...settings,
    },
  });
  const service = marked(['run', '--config', folder.configDir], { env });
  await service.prints(/Lychgate serves/);
  const base: Ask = { protocol: 'HTTP/1.1', port: httpsPort, host: HOST, ca: authority.certPem };
  return {
    ...folder,
    service,
    httpsPort,
    httpPort,
    server,
    get: (path = '/', more = {}) => ask({ ...base, path, ...more }),
    logged: () =>
      service
        .stderr()
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line)),
  };
}

/** The admin API of a service that was published as farm `fe`. */
export function adminApi(port: number) {
  const api = async (path: string, more = {}) => {
    const told = await ask({ protocol: 'HTTP/1.1', port, host: `127.0.0.1:${port}`, plain: true, path, ...more });
    return { status: told.status, ...JSON.parse(told.body.toString()) };
  };
  return {
    farm: (): Promise<ReportedFarm> => api('/api/v1/farms/fe'),
    act(server: string, action: ServerAction): Promise<Record<string, unknown>> {
      const part = action.startsWith('Set') ? 'health' : 'state';
      const body = JSON.stringify({ [part]: action });
      const headers = { 'Content-Type': 'application/json' };
      return api(`/api/v1/farms/fe/servers/${server}/${part}`, { method: 'POST', headers, body });
    },
  };
}
