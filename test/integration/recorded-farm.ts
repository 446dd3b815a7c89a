/** One site on a plain and a TLS listener, in front of a server that records bytes. */
import { openRaw, type RawClient } from './clients.ts';
import {
  applicationHost,
  authority,
  type FolderContents,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { freePort } from './ports.ts';
import { type RecordingOptions, type RecordingServer, startRecordingServer } from './recording-server.ts';

export const HOST = 'meet.contoso.com';

/** Which listener, and so which kind of connection to the server. */
export type Transport = 'plain' | 'TLS';

export const TRANSPORTS: readonly Transport[] = ['plain', 'TLS'];

export interface RecordedFarm {
  readonly proxy: Published;
  readonly server: RecordingServer;
  readonly httpPort: number;
  readonly httpsPort: number;
  readonly ca: string;
  open(transport: Transport): RawClient;
}

export interface RecordedFarmOptions extends RecordingOptions {
  /** Attributes of `protocol`. */
  readonly protocol?: string;
  /** Attributes of the farm itself. */
  readonly farm?: string;
  /** Elements beside `protocol`. */
  readonly routing?: string;
  /** `hostName` of the server. */
  readonly hostName?: string;
  /** More files, by their names in settings.json. */
  readonly files?: FolderContents['files'];
  readonly settings?: Readonly<Record<string, unknown>>;
  /** Rules before those that lead to the farm. */
  readonly rules?: string;
  readonly more?: string;
}

export async function publishRecorded(options: RecordedFarmOptions = {}): Promise<RecordedFarm> {
  const server = await startRecordingServer(options);
  const { httpPort, httpsPort } = await freePorts();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`https *:${httpsPort}:${HOST}`, `http *:${httpPort}:${HOST}`],
      farms: webFarm('fe', {
        servers: [
          {
            address: 'fe01.contoso.local',
            httpPort: server.httpPort,
            httpsPort: server.httpsPort,
            ...(options.hostName === undefined ? {} : { hostName: options.hostName }),
          },
        ],
        protocol: options.protocol ?? 'timeout="00:00:30"',
        farm: options.farm ?? '',
        routing: options.routing ?? '',
      }),
      rules: (options.rules ?? '') + farmRules('fe', HOST),
      ...(options.more === undefined ? {} : { more: options.more }),
    }),
    certificates: { all: [HOST] },
    files: options.files ?? {},
    settings: { hosts: { 'fe01.contoso.local': '127.0.0.1' }, ...options.settings },
  });
  const tls = { host: HOST, ca: authority.certPem };
  return {
    proxy,
    server,
    httpPort,
    httpsPort,
    ca: authority.certPem,
    open: (transport) => (transport === 'TLS' ? openRaw(httpsPort, tls) : openRaw(httpPort)),
  };
}

async function freePorts(): Promise<{ httpPort: number; httpsPort: number }> {
  return { httpPort: await freePort(), httpsPort: await freePort() };
}
