/** Requests that nobody has sent: read as the lanes read one that came, and then decided like it. */
import type { Config } from '../config/model.ts';
import { ExchangeError } from '../errors.ts';
import type { TraceRecorder } from '../rewrite/trace.ts';
import type { AskedConnection, AskedRequest } from './asked-request.ts';
import { checkAuthority, checkMethod, checkTarget, whyMethodRefused } from './authority.ts';
import { createDecider, type Decider, type Fate, refuse } from './decide.ts';

/** What may be left out is taken as of a client in the internet. */
export interface Imagined extends Pick<AskedRequest, 'scheme' | 'authority' | 'target'> {
  readonly method?: string;
  readonly headers?: AskedRequest['headers'];
  readonly protocol?: AskedRequest['protocol'];
  readonly connection?: Partial<AskedConnection>;
}

/** Addresses are those of documentation (RFC 5737). */
export function imaginedRequest({ connection, ...asked }: Imagined): AskedRequest {
  return {
    ...{ method: 'GET', headers: [], protocol: 'HTTP/1.1' },
    ...asked,
    connection: {
      remoteAddress: '198.51.100.1',
      remotePort: 50_000,
      localAddress: '203.0.113.1',
      localPort: portOf(asked),
      ...connection,
    },
  };
}

function portOf({ scheme, authority }: Pick<Imagined, 'scheme' | 'authority'>): number {
  return Number(/:(\d+)$/.exec(authority)?.[1] ?? (scheme === 'https' ? 443 : 80));
}

/** Takes the authority and the target as a client would write them. The rules are compiled when it is first asked. */
export function imaginedDecider(config: Config): Decider {
  const { targetBytes } = config.settings.limits;
  let decide: Decider | undefined;
  return (asked, recorder?: TraceRecorder): Fate => {
    decide ??= createDecider(config);
    // Refused whatever the form of the target, which is one of its own; but it is read first.
    const readable = asked.target.length <= targetBytes;
    if (readable && whyMethodRefused(asked.method) !== undefined) return decide(asked, recorder);
    const read = asRead(asked, targetBytes);
    return read instanceof ExchangeError ? refuse(read.kind, read.reason) : decide(read, recorder);
  };
}

function asRead(asked: AskedRequest, targetBytes: number): AskedRequest | ExchangeError {
  try {
    const method = checkMethod(asked.method);
    const target = checkTarget(asked.target, method, targetBytes);
    return { ...asked, method, target, authority: checkAuthority(asked.authority) };
  } catch (error) {
    if (error instanceof ExchangeError) return error;
    throw error;
  }
}
