/** The admin listener in the test process, in front of a service that only writes down what it is asked to do. */
import pino from 'pino';
import { onTestFinished } from 'vitest';
import { type AdminLimits, startAdmin } from '../../src/admin/admin-app.ts';
import type { Control, ReportedCounters, ReportedFarm, ReportedServer, ServerAction } from '../../src/admin/control.ts';
import { type Ask, ask, openRaw, type RawClient } from '../integration/clients.ts';
import { freePort } from '../integration/ports.ts';

export const TOKEN = '0123456789abcdef-token';

const counters: ReportedCounters = {
  totalRequests: 0,
  currentRequests: 0,
  failedRequests: 0,
  requestPerSecond: 0,
  bytesSent: 0,
  bytesReceived: 0,
  responseTime: 0,
  totalWebSocketRequests: 0,
  currentWebSocketRequests: 0,
  failedWebSocketRequests: 0,
  webSocketBytesSent: 0,
  webSocketBytesReceived: 0,
};

export function reportedServer(address: string, more: Partial<ReportedServer> = {}): ReportedServer {
  const health = { isHealthy: true, healthReason: '', healthSince: null, isReachable: true };
  const server = { address, enabled: true, state: 'Active' as const, weight: 100, counters, ...health, ...more };
  return { takesRequests: server.enabled && server.state === 'Active' && server.isHealthy, ...server };
}

export function reportedFarm(name: string, servers: readonly ReportedServer[], enabled = true): ReportedFarm {
  return { name, enabled, servers, counters };
}

export interface Listener {
  readonly port: number;
  /** Every action that got through, as one line. */
  readonly acted: readonly string[];
  readonly logged: readonly Record<string, unknown>[];
  /** Status and body; the body as JSON where it is. */
  ask(path: string, more?: Partial<Ask>): Promise<Answer>;
  open(): RawClient;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Record<string, unknown>;
}

export interface ListenerOptions {
  readonly address?: string;
  /** Where to ask it, if that differs. */
  readonly at?: string;
  readonly token?: string;
  readonly limits?: AdminLimits;
  readonly farms?: readonly ReportedFarm[];
  /** Servers are told as the action leaves them. */
  readonly carriesOut?: boolean;
  readonly control?: Partial<Control>;
}

const LEADS_TO: Readonly<Record<ServerAction, Partial<ReportedServer>>> = {
  Start: { state: 'Active' },
  Drain: { state: 'Draining' },
  GracefulStop: { state: 'Inactive' },
  ForcefulStop: { state: 'Inactive' },
  SetHealthy: { isHealthy: true },
  SetUnhealthy: { isHealthy: false },
};

/** Ends with the test. */
export async function startListener(options: ListenerOptions = {}): Promise<Listener> {
  const { address = '127.0.0.1', at = address, token, limits, farms = [], carriesOut = false } = options;
  const port = await freePort();
  const acted: string[] = [];
  const logged: Record<string, unknown>[] = [];
  const find = (farm: string, server: string) => {
    const found = farms.find(({ name }) => name.toLowerCase() === farm.toLowerCase());
    const member = found?.servers.find((each) => each.address.toLowerCase() === server.toLowerCase());
    if (found === undefined) return 'unknownFarm';
    return member === undefined ? 'unknownServer' : { farm: found.name, server: member };
  };
  const control: Control = {
    ready: () => true,
    farms: async () => farms,
    notices: () => [],
    async act(farm, server, action, by) {
      const found = find(farm, server);
      if (typeof found === 'string') return found;
      if (!found.server.enabled) return 'switchedOff';
      acted.push(`${action} ${found.farm} ${found.server.address} ${by.replace(/:\d+$/, '')}`);
      return {
        farm: found.farm,
        server: { ...found.server, ...(carriesOut ? LEADS_TO[action] : {}) },
        everywhere: true,
        kept: null,
      };
    },
    async test(farm, server, by) {
      const found = find(farm, server);
      if (typeof found === 'string') return found;
      acted.push(`TestHealth ${found.farm} ${found.server.address} ${by.replace(/:\d+$/, '')}`);
      return found.server.weight === 1 ? 'noTest' : { ...found, result: 'StatusCodeFailure' };
    },
    ...options.control,
  };
  const log = pino({ base: null }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const admin = await startAdmin({ address, port, token, control, log, ...(limits && { limits }) });
  onTestFinished(() => admin.close());
  return {
    port,
    acted,
    logged,
    async ask(path, more = {}) {
      const host = at.includes(':') ? `[${at}]:${port}` : `${at}:${port}`;
      const told = await ask({ protocol: 'HTTP/1.1', address: at, port, host, plain: true, path, ...more });
      const { status, headers, body } = told;
      return { status, headers, body: body.length === 0 ? {} : JSON.parse(body.toString()) };
    },
    open: () => openRaw(port, undefined, at),
  };
}

/** The last part of `type`, which tells the kinds of problems apart. */
export function kindOf({ headers, body }: Answer): string {
  if (!String(headers['content-type']).startsWith('application/problem+json')) return '';
  return String(body.type).replace('urn:problem-type:lychgate:', '');
}

export const json = { 'Content-Type': 'application/json' };
