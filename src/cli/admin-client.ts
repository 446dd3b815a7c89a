/** Asks the admin listener of the running service, at the place and with the token that settings.json gives. */
import { request as openRequest } from 'node:http';
import { join } from 'node:path';
import type { Done, ReportedFarm, ServerAction } from '../admin/control.ts';
import { isAnyAddress } from '../admin/guard.ts';
import { hasErrors } from '../config/diagnostic.ts';
import { newSession } from '../config/load-session.ts';
import { readSettings } from '../config/settings.ts';
import type { AdminSettings } from '../config/settings-model.ts';
import { StartError } from '../errors.ts';
import { shellWord, typed } from '../program-name.ts';
import { readToken } from '../service/check-admin.ts';
import { type CommandInput, UsageError } from './command.ts';
import { configFolder } from './named-place.ts';
import { tell } from './tell.ts';

export interface ReportedFarms {
  readonly farms: readonly ReportedFarm[];
  readonly notices: readonly string[];
}

export type Acted = Pick<Done, 'server' | 'everywhere' | 'kept'>;

export interface AdminClient {
  farms(): Promise<ReportedFarms>;
  act(farm: string, server: string, action: ServerAction): Promise<Acted>;
}

/** The service has understood, and will not: the message is its own. */
export class RefusedAction extends Error {
  override readonly name = 'RefusedAction';
}

/** More than the service itself waits for its disk and its workers. */
const TIMEOUT_MS = 30_000;
const MOST_BYTES = 64 * 1024 * 1024;

/** @throws StartError where the settings tell of no listener, or their token cannot be read */
export function openAdminClient(input: CommandInput): AdminClient {
  const folder = configFolder(input);
  const session = newSession();
  const { admin } = readSettings(join(folder, 'settings.json'), session).settings;
  if (hasErrors(session.diagnostics)) {
    tell(
      input.streams.err,
      'lychgate:',
      `${folder}/settings.json has faults, which "${typed(`validate ${shellWord(folder)}`)}" tells; what can be read of it counts.`,
    );
  }
  if (admin === false) {
    throw new StartError(
      `${folder}/settings.json switches the admin listener off ("admin": false), so the service cannot be asked.`,
    );
  }
  const place: Place = { admin, folder, token: tokenOf(admin) };
  return {
    async farms() {
      const answer = await ask(place, 'GET', '/api/v1/farms');
      return isFarms(answer) ? answer : strange(place);
    },
    async act(farm, server, action) {
      const part = action === 'SetHealthy' || action === 'SetUnhealthy' ? 'health' : 'state';
      const path = `/api/v1/farms/${encodeURIComponent(farm)}/servers/${encodeURIComponent(server)}/${part}`;
      const answer = await ask(place, 'POST', path, JSON.stringify({ [part]: action }));
      return isDone(answer) ? answer : strange(place);
    },
  };
}

interface Place {
  readonly admin: AdminSettings;
  readonly folder: string;
  readonly token: string | undefined;
}

function tokenOf({ tokenFile }: AdminSettings): string | undefined {
  if (tokenFile === undefined) return undefined;
  const read = readToken(tokenFile.path);
  if ('token' in read) return read.token;
  throw new StartError(
    `the token of the admin listener cannot be used: ${tokenFile.path}: ${read.why}. Run this as the account of the service.`,
  );
}

async function ask(place: Place, method: 'GET' | 'POST', path: string, body?: string): Promise<unknown> {
  const { status, text } = await exchange(place, method, path, body);
  const value = parsed(text);
  if (status === 200) return value;
  const detail = isRecord(value) && typeof value.detail === 'string' ? value.detail : undefined;
  if (detail === undefined) return strange(place);
  switch (status) {
    case 401:
      throw new StartError(
        `${nameOf(place)} refuses the token. ${detail} A service reads it once, when it starts: was the file changed since?`,
      );
    case 404:
      throw new UsageError(detail);
    case 409:
      throw new RefusedAction(detail);
    default:
      throw new StartError(`${nameOf(place)} refuses this: ${detail}`);
  }
}

function exchange(place: Place, method: string, path: string, body = ''): Promise<{ status: number; text: string }> {
  const { token } = place;
  const { host, port } = targetOf(place);
  return new Promise((resolve, reject) => {
    const fail = (error: Error) => reject(unreachable(place, error));
    const headers = {
      Accept: 'application/json',
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(body !== '' && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) }),
    };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const request = openRequest({ host, port, method, path, headers, signal, agent: false }, (answer) => {
      let text = '';
      answer.setEncoding('utf8');
      answer.on('data', (piece: string) => {
        text += piece;
        if (text.length > MOST_BYTES) request.destroy(new Error('its answer has no end'));
      });
      answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
      answer.on('error', fail);
    });
    request.on('error', fail);
    request.end(body);
  });
}

/** A listener on all addresses is asked on loopback. */
function targetOf({ admin: { address, port } }: Place): { host: string; port: number } {
  const host = isAnyAddress(address) ? (address.includes(':') ? '::1' : '127.0.0.1') : address;
  return { host, port };
}

function nameOf(place: Place): string {
  const { host, port } = targetOf(place);
  return `the service at ${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function unreachable(place: Place, error: Error): StartError {
  const { code } = error as NodeJS.ErrnoException;
  const check = `"admin" in ${place.folder}/settings.json says where it is asked`;
  if (code === 'ECONNREFUSED') {
    return new StartError(
      `${nameOf(place)} cannot be reached: nobody listens there. Does it run, and with this folder? ${check}; another folder is named with --config DIR.`,
    );
  }
  const why = error.name === 'TimeoutError' || code === 'ABORT_ERR' ? 'it does not answer' : error.message;
  return new StartError(`${nameOf(place)} cannot be reached: ${why}. ${check}.`);
}

function strange(place: Place): never {
  throw new StartError(
    `${nameOf(place)} does not answer as Lychgate of this version does: another program, or another version? "admin" in ${place.folder}/settings.json says where it is asked.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // Not an answer of ours.
  }
}

function isFarms(value: unknown): value is ReportedFarms {
  return (
    isRecord(value) && isList(value.farms, (farm) => isList(farm.servers, isServer)) && Array.isArray(value.notices)
  );
}

function isDone(value: unknown): value is Acted {
  return isRecord(value) && isRecord(value.server) && isServer(value.server);
}

function isServer(value: Readonly<Record<string, unknown>>): boolean {
  return typeof value.address === 'string' && typeof value.state === 'string' && isRecord(value.counters);
}

function isList(value: unknown, fits: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
  return Array.isArray(value) && value.every((item: unknown) => isRecord(item) && fits(item));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
