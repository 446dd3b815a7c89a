/** The admin listener as settings.json has it: reads its token, and tells what is wrong with token and address. */
import { readFileSync, statSync } from 'node:fs';
import { isAnyAddress } from '../admin/guard.ts';
import type { Report } from '../config/diagnostic.ts';
import type { AdminSettings } from '../config/settings-model.ts';
import { readFault } from '../file-fault.ts';
import { isOpenToAll } from '../file-permissions.ts';
import { isLoopback } from '../ip-address.ts';

export type ReadToken =
  | { readonly token: string; readonly open: boolean }
  | { readonly fault: 'unreadable' | 'unusable'; readonly why: string };

const SHORTEST = 16;
const LONGEST = 4096;

/** The token is the one line of its file. */
export function readToken(path: string): ReadToken {
  let text: string;
  try {
    const status = statSync(path);
    if (!status.isFile()) return { fault: 'unreadable', why: 'it is no regular file' };
    if (status.size > LONGEST) return { fault: 'unusable', why: `it has more than ${LONGEST} bytes` };
    text = readFileSync(path, 'latin1');
  } catch (error) {
    return { fault: 'unreadable', why: readFault(error) };
  }
  const token = text.trim();
  if (token.length < SHORTEST) return { fault: 'unusable', why: `it has less than ${SHORTEST} characters` };
  if (!/^[\x21-\x7e]+$/.test(token)) {
    return { fault: 'unusable', why: 'it has more in it than one word of ASCII characters' };
  }
  return { token, open: isOpenToAll(path) };
}

/**
 * Reports LG6030, LG6031 (errors), LG6032 and LG6033 (warnings).
 * @returns the token, where there is one that can be used
 */
export function checkAdmin(admin: false | AdminSettings, report: Report): string | undefined {
  if (admin === false) return undefined;
  const { address, port, addressSpan, tokenFile } = admin;
  if (tokenFile === undefined) {
    if (addressSpan && !isLoopback(address)) {
      report('LG6033', addressSpan, {
        message: `Other machines can reach the admin listener at ${isAnyAddress(address) ? `port ${port}` : `${address} port ${port}`}, and it has no token: /healthz and /readyz are answered there, and nothing else.`,
        advice: 'Write a token into a file and its name into "tokenFile", or take a loopback address.',
      });
    }
    return undefined;
  }
  const { path, span } = tokenFile;
  const read = readToken(path);
  if ('token' in read) {
    if (read.open) {
      report('LG6032', span, {
        message: `Every account of this machine can read or change ${path}, and with it the states of servers.`,
        advice: `Let only the account of the service use it: chmod 600 ${path}`,
      });
    }
    return read.token;
  }
  if (read.fault === 'unreadable') {
    report('LG6030', span, {
      message: `${path} cannot be read: ${read.why}.`,
      advice: 'Check the name, and that the account of the service may read the file.',
    });
  } else {
    report('LG6031', span, {
      message: `${path} holds no token: ${read.why}.`,
      advice: `Write one into it, for example with: (umask 077; openssl rand -hex 32 > ${path})`,
    });
  }
  return undefined;
}
