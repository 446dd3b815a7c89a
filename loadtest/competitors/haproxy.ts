/** HAProxy, in one process with a thread per worker. */
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

export const haproxy: Competitor = {
  name: 'haproxy',
  label: 'HAProxy',
  duties: ALL_DUTIES,
  version() {
    const command = findCommand('haproxy');
    return command && versionOf(command, '-v');
  },
  start,
};

async function start({ setup, folder, processes }: StartContext): Promise<Running> {
  const own = folder.subfolder('haproxy');
  const port = await freePort(PROXY_ADDRESS);
  const file = join(own, 'haproxy.cfg');
  writeFileSync(file, configuration(setup, folder, own, port));
  writeFileSync(join(own, 'hosts.map'), setup.hosts.map((host) => `${host} origin\n`).join(''));
  // It logs to its standard output alone, without a syslog service.
  const output = join(own, 'access.log');
  const process = processes.start(findCommand('haproxy') ?? 'haproxy', ['-db', '-f', file], { output });
  const endpoint = { address: PROXY_ADDRESS, port, host: setup.hosts.at(-1) ?? '' };
  return await whenReady({ endpoint, processes: [process] });
}

/** 9,500 connections and as many to the origin stay below 20,000 descriptors, which HAProxy wants to have before it starts. */
export function configuration(setup: Setup, { front, authority }: RunFolder, own: string, port: number): string {
  const { origin, workers } = setup;
  return `global
  maxconn 9500
  nbthread ${workers}
  log stdout len 1024 format raw local0 info
defaults
  mode http
  log global
  option httplog
  timeout connect 10s
  timeout client ${PATIENCE}s
  timeout server ${PATIENCE}s
  timeout http-keep-alive ${PATIENCE}s
frontend published
  bind ${PROXY_ADDRESS}:${port} ssl crt ${front.bundle} alpn h2,http/1.1 backlog 4096
  option forwardfor
  use_backend %[req.hdr(host),field(1,:),lower,map_str(${own}/hosts.map)]
backend origin
  http-reuse always
  server origin ${origin.address}:${origin.port} ssl verify required ca-file ${authority} sni str(${origin.host}) verifyhost ${origin.host}
`;
}
