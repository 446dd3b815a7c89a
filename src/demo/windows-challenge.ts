/** Windows authentication as IIS does it: 401 with Negotiate and NTLM, and an identity that belongs to the TCP connection. */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { challengeMessage, type NtlmLogin, type NtlmTarget, provesPassword, readMessage } from './ntlm-messages.ts';

/** Someone who may log in. */
export interface Account {
  readonly domain: string;
  readonly user: string;
  readonly password: string;
}

/** Either who the connection belongs to, as `DOMAIN\user`, or the `WWW-Authenticate` lines of the 401, in order. */
export type WindowsVerdict = { readonly identity: string } | { readonly authenticate: readonly string[] };

/** Judges one request: its connection, and its `Authorization` header where it has one. */
export type WindowsChallenge = (connection: Socket, authorization: string | undefined) => WindowsVerdict;

/** What is known of one connection: the challenge it has to answer, or whose it is. */
type ConnectionState = { readonly challenge: Buffer } | { readonly identity: string };

const REFUSED: WindowsVerdict = { authenticate: ['Negotiate', 'NTLM'] };

/** A challenge for these accounts; what it knows of a connection goes when the socket goes. */
export function createWindowsChallenge(accounts: readonly Account[], target: NtlmTarget): WindowsChallenge {
  const connections = new WeakMap<Socket, ConnectionState>();
  return (connection, authorization) => {
    const offer = /^(NTLM|Negotiate) +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization ?? '');
    const state = connections.get(connection);
    if (offer === null) {
      // Without a token the connection speaks for itself: this is what makes sharing it dangerous.
      return state !== undefined && 'identity' in state ? { identity: state.identity } : REFUSED;
    }
    const [, scheme = '', token = ''] = offer;
    const message = readMessage(Buffer.from(token, 'base64'));
    // Whatever the token is, it ends the login before it.
    connections.delete(connection);
    if (message?.type === 1) {
      const challenge = randomBytes(8);
      connections.set(connection, { challenge });
      return {
        authenticate: [`${scheme} ${challengeMessage(challenge, target, new Date()).toString('base64')}`],
      };
    }
    if (message === undefined || state === undefined || !('challenge' in state)) {
      return REFUSED;
    }
    const identity = logIn(message, accounts, state.challenge);
    if (identity === undefined) {
      return REFUSED;
    }
    connections.set(connection, { identity });
    return { identity };
  };
}

/** `DOMAIN\user` as the account spells it; an empty domain means the only one there is. */
function logIn(login: NtlmLogin, accounts: readonly Account[], challenge: Buffer): string | undefined {
  const account = accounts.find(
    ({ domain, user }) => sameName(user, login.user) && (login.domain === '' || sameName(domain, login.domain)),
  );
  return account !== undefined && provesPassword(login, account.password, challenge)
    ? `${account.domain}\\${account.user}`
    : undefined;
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
