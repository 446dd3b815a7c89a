/** Caddy, kept from certificates of its own, from its admin port and from the user's folders. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, versionOf } from '../find-command.ts';
import { freePort, PROXY_ADDRESS, type RunFolder } from '../run-folder.ts';
import {
  ALL_DUTIES,
  type Competitor,
  PATIENCE,
  type Running,
  type Setup,
  type StartContext,
  whenReady,
} from './competitor.ts';

export const caddy: Competitor = {
  name: 'caddy',
  label: 'Caddy',
  duties: ALL_DUTIES,
  version() {
    const command = findCommand('caddy');
    return command && versionOf(command, 'version');
  },
  start,
};

async function start({ setup, folder, processes }: StartContext): Promise<Running> {
  const own = folder.subfolder('caddy');
  const port = await freePort(PROXY_ADDRESS);
  const file = join(own, 'Caddyfile');
  writeFileSync(file, configuration(setup, folder, own, port));
  const process = processes.start(
    findCommand('caddy') ?? 'caddy',
    ['run', '--config', file, '--adapter', 'caddyfile'],
    // One processor for its goroutines per worker of the others.
    { env: { GOMAXPROCS: String(setup.workers), HOME: own, XDG_DATA_HOME: own, XDG_CONFIG_HOME: own } },
  );
  const endpoint = { address: PROXY_ADDRESS, port, host: setup.hosts.at(-1) ?? '' };
  return await whenReady({ endpoint, processes: [process] });
}

export function configuration(
  { hosts, origin }: Setup,
  { front, authority }: RunFolder,
  own: string,
  port: number,
): string {
  return `{
  admin off
  auto_https off
  storage file_system ${own}/storage
  log {
    level WARN
  }
  servers {
    protocols h1 h2
    timeouts {
      idle ${PATIENCE}s
    }
  }
}
(published) {
  reverse_proxy https://${origin.address}:${origin.port} {
    header_up Host {host}
    transport http {
      tls_server_name ${origin.host}
      tls_trusted_ca_certs ${authority}
      keepalive ${PATIENCE}s
      keepalive_idle_conns 512
      keepalive_idle_conns_per_host 512
      compression off
      versions 1.1
    }
  }
}
https://*.loadtest.test:${port} {
  bind ${PROXY_ADDRESS}
  tls ${front.cert} ${front.key}
  log {
    output file ${own}/access.log
    format json
    level INFO
  }
${hosts.map((host, index) => `  @host${index} host ${host}\n  handle @host${index} {\n    import published\n  }`).join('\n')}
}
`;
}
