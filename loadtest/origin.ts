/** The server behind all competitors: nginx where it is installed, the cheapest there is, else a small one on Node. */
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ChildProcesses, StartedProcess } from './child-processes.ts';
import { findCommand } from './find-command.ts';
import { CIPHER_SUITE, freePort, ORIGIN_ADDRESS, ORIGIN_NAME, type RunFolder } from './run-folder.ts';
import { type Endpoint, waitReady } from './wait-ready.ts';

export interface Origin {
  readonly endpoint: Endpoint;
  readonly process: StartedProcess;
  readonly software: string;
}

/** What it serves. */
export const FILES = { '1k': 1024, '64k': 65_536, '1m': 2 ** 20, '100m': 100 * 2 ** 20 } as const;
/** Takes a POST, reads it to its end and answers 204. */
export const UPLOAD_PATH = '/upload';

/** @param holds whether it must be able to hold requests, which nginx cannot */
export async function startOrigin(folder: RunFolder, processes: ChildProcesses, holds: boolean): Promise<Origin> {
  const own = folder.subfolder('origin');
  const files = writeFiles(own);
  const endpoint = { address: ORIGIN_ADDRESS, port: await freePort(ORIGIN_ADDRESS), host: ORIGIN_NAME };
  const nginx = holds ? undefined : findCommand('nginx');
  const process = nginx
    ? startNginx(nginx, { folder, own, files, port: endpoint.port }, processes)
    : processes.startProgram('origin', [
        endpoint.address,
        String(endpoint.port),
        folder.origin.cert,
        folder.origin.key,
        files,
      ]);
  await waitReady(endpoint, '/1k', [process]);
  return { endpoint, process, software: nginx ? 'nginx' : 'node:https' };
}

function writeFiles(own: string): string {
  const files = join(own, 'files');
  mkdirSync(files);
  for (const [name, size] of Object.entries(FILES)) {
    writeFileSync(join(files, name), '');
    // All zeros, and nothing on the disk.
    truncateSync(join(files, name), size);
  }
  return files;
}

function startNginx(
  command: string,
  at: { folder: RunFolder; own: string; files: string; port: number },
  processes: ChildProcesses,
): StartedProcess {
  const file = join(at.own, 'nginx.conf');
  writeFileSync(file, nginxOrigin(at));
  return processes.start(command, ['-p', at.own, '-e', join(at.own, 'error.log'), '-c', file]);
}

/** The lines that keep nginx inside a folder; shared with nginx as a competitor. */
export function nginxFolders(own: string): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return temporary.map((name) => `  ${name}_temp_path ${own}/${name};`).join('\n');
}

/** Workers of a nginx that root starts would become another user, who may not read the folder. */
export function nginxMain(own: string, workers: number): string {
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
worker_processes ${workers};
worker_rlimit_nofile 20000;
pid ${own}/nginx.pid;
error_log ${own}/error.log;
events {
  worker_connections 19000;
}`;
}

function nginxOrigin({
  folder,
  own,
  files,
  port,
}: {
  folder: RunFolder;
  own: string;
  files: string;
  port: number;
}): string {
  return `${nginxMain(own, 1)}
http {
${nginxFolders(own)}
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 100000000;
  default_type text/plain;
  open_file_cache max=16;
  server {
    listen ${ORIGIN_ADDRESS}:${port} ssl backlog=4096;
    server_name ${ORIGIN_NAME};
    ssl_certificate ${folder.origin.cert};
    ssl_certificate_key ${folder.origin.key};
    ssl_protocols TLSv1.3;
    ssl_conf_command Ciphersuites ${CIPHER_SUITE};
    ssl_session_cache shared:origin:1m;
    location / {
      root ${files};
    }
    location = /1k {
      return 200 "${'x'.repeat(FILES['1k'])}";
    }
    # Read to its end, and forgotten.
    location = ${UPLOAD_PATH} {
      client_max_body_size 0;
      client_body_buffer_size 2m;
      proxy_pass_request_body off;
      proxy_set_header Content-Length "";
      proxy_pass http://unix:${own}/sink.sock:;
    }
  }
  server {
    listen unix:${own}/sink.sock;
    location / {
      return 204;
    }
  }
}
`;
}
