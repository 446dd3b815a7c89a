/** nginx, which all others are compared with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findCommand, versionOf } from '../find-command.ts';
import { nginxFolders, nginxMain } from '../origin.ts';
import { CIPHER_SUITE, freePort, PROXY_ADDRESS, type RunFolder } from '../run-folder.ts';
import {
  ALL_DUTIES,
  type Competitor,
  PATIENCE,
  type Running,
  type Setup,
  type StartContext,
  whenReady,
} from './competitor.ts';

export const nginx: Competitor = {
  name: 'nginx',
  label: 'nginx',
  duties: ALL_DUTIES,
  version() {
    const command = findCommand('nginx');
    return command && versionOf(command, '-v');
  },
  start,
};

async function start({ setup, folder, processes }: StartContext): Promise<Running> {
  const own = folder.subfolder('nginx');
  const port = await freePort(PROXY_ADDRESS);
  const file = join(own, 'nginx.conf');
  writeFileSync(file, configuration(setup, folder, own, port));
  const args = ['-p', own, '-e', join(own, 'error.log'), '-c', file];
  const process = processes.start(findCommand('nginx') ?? 'nginx', args);
  const endpoint = { address: PROXY_ADDRESS, port, host: setup.hosts.at(-1) ?? '' };
  return await whenReady({ endpoint, processes: [process] });
}

export function configuration(setup: Setup, { front, authority }: RunFolder, own: string, port: number): string {
  const { origin, hosts, workers } = setup;
  return `${nginxMain(own, workers)}
http {
${nginxFolders(own)}
  access_log ${own}/access.log combined buffer=64k flush=1s;
  server_names_hash_max_size 8192;
  server_names_hash_bucket_size 128;
  keepalive_timeout ${PATIENCE}s;
  keepalive_requests 100000000;
  # Bodies stream, as they do in the others; nothing goes to the disk.
  client_max_body_size 0;
  proxy_request_buffering off;
  proxy_max_temp_file_size 0;
  ssl_certificate ${front.cert};
  ssl_certificate_key ${front.key};
  ssl_protocols TLSv1.2 TLSv1.3;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $host;
  proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_read_timeout ${PATIENCE}s;
  proxy_ssl_verify on;
  proxy_ssl_trusted_certificate ${authority};
  proxy_ssl_name ${origin.host};
  proxy_ssl_server_name on;
  proxy_ssl_protocols TLSv1.2 TLSv1.3;
  proxy_ssl_conf_command Ciphersuites ${CIPHER_SUITE};
  upstream origin {
    server ${origin.address}:${origin.port};
    keepalive 256;
    keepalive_requests 100000000;
    keepalive_timeout ${PATIENCE}s;
  }
${hosts.map((host, index) => server(host, port, index === 0, workers)).join('\n')}
}
`;
}

/** What belongs to the socket stands with the first server of the port. */
function server(host: string, port: number, first: boolean, workers: number): string {
  const socket = first ? ` backlog=4096${workers > 1 ? ' reuseport' : ''}` : '';
  return `  server {
    listen ${PROXY_ADDRESS}:${port} ssl http2${socket};
    server_name ${host};
    location / {
      proxy_pass https://origin;
    }
  }`;
}
