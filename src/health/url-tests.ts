/** Which URL tests a server has to pass: that of the farm's `healthCheck`, and the probes of the settings. */
import type { ServerConfig, WebFarmConfig } from '../config/farm-model.ts';
import type { FarmSettings, ProbeSettings } from '../config/settings-model.ts';
import type { Endpoints } from '../farm/endpoints.ts';
import { readStatusCodes } from '../farm/status-codes.ts';
import type { UrlTest } from './health-check.ts';

/** A URL test, and when it is made. Times in seconds. */
export interface PlannedTest extends UrlTest {
  /** 0: never by itself. */
  readonly interval: number;
  /** Further tries before it counts as failed. */
  readonly retries: number;
}

export function planUrlTests(
  { healthCheck }: WebFarmConfig,
  server: ServerConfig,
  endpoints: Endpoints,
  settings: FarmSettings,
): readonly PlannedTest[] {
  const probes: readonly Omit<ProbeSettings, 'span'>[] =
    healthCheck.url === '' ? settings.probes : [{ url: healthCheck.url }, ...settings.probes];
  return probes.flatMap((probe) => {
    const url = readUrl(probe.url);
    const { interval, timeout, retries, statusCodeMatch, responseMatch } = { ...healthCheck, ...probe };
    const statusCodes = readStatusCodes(statusCodeMatch);
    // Both were refused when the configuration was checked.
    if (url === undefined || statusCodes === undefined) return [];
    const endpoint = endpoints[url.scheme];
    // Neither is the URL's own: the test is for the server, under whatever name.
    const port = probe.port ?? (server.healthCheckAlternatePort || url.port || endpoint.port);
    return [
      {
        url: probe.url,
        reach: { ...endpoint, port },
        host: probe.hostName ?? (server.healthCheckAlternateHostName || url.host),
        target: url.target,
        timeout,
        maxResponseHeaderSize: endpoint.maxResponseHeaderSize,
        statusCodes,
        responseMatch,
        interval,
        retries,
      },
    ];
  });
}

interface TestUrl {
  readonly scheme: 'http' | 'https';
  /** As a Host header has it. */
  readonly host: string;
  /** 0 where the URL has none. */
  readonly port: number;
  readonly target: string;
}

/** Path and query stay as they are written; only what no request line can hold is encoded. */
function readUrl(text: string): TestUrl | undefined {
  const [, scheme = '', port, rest = ''] =
    /^(https?):\/\/[^/?#]*?(?::(\d+))?(?:([/?][^#]*))?(?:#.*)?$/is.exec(text) ?? [];
  if (!URL.canParse(text) || scheme === '') return undefined;
  const target = rest.replace(/[^!-~]+/g, (odd) => encodeURIComponent(odd.toWellFormed()));
  return {
    scheme: scheme.toLowerCase() === 'https' ? 'https' : 'http',
    host: new URL(text).host,
    port: Number(port ?? 0),
    target: target.startsWith('/') ? target : `/${target}`,
  };
}
