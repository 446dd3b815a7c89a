/** Recognises logins that bind to the TCP connection: NTLM, and Negotiate, which may become NTLM or Kerberos. */
import type { HeaderList } from '../header-list.ts';

const SCHEME = /^[\t ]*(?:ntlm|negotiate)(?:[\t ,]|$)/i;
/** A challenge list may hold several schemes in one line: `Bearer realm="a, b", NTLM`. */
const LISTED_SCHEME = /,[\t ]*(?:ntlm|negotiate)(?:[\t ,]|$)/i;
/** A raw NTLM message (`NTLMSSP` in base64) that stands without a scheme. */
const RAW_MESSAGE = /^[\t ]*TlRMTVNTUA/;

/** True where a request carries NTLM or Negotiate credentials. */
export function carriesWindowsLogin(headers: HeaderList): boolean {
  return someValue(headers, 'authorization', (value) => SCHEME.test(value) || RAW_MESSAGE.test(value));
}

/** True where an answer asks for NTLM or Negotiate, in any of its challenges, or goes on with one. */
export function challengesWindowsLogin(status: number, headers: HeaderList): boolean {
  return (
    status === 401 && someValue(headers, 'www-authenticate', (value) => SCHEME.test(value) || LISTED_SCHEME.test(value))
  );
}

function someValue(headers: HeaderList, lowerCaseName: string, test: (value: string) => boolean): boolean {
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = headers[i] ?? '';
    if (name.length !== lowerCaseName.length || name.toLowerCase() !== lowerCaseName) continue;
    if (test(headers[i + 1] ?? '')) return true;
  }
  return false;
}
