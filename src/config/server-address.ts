/** Addresses of servers that can be no name and no address, which ARR loads all the same: what belongs elsewhere is told with its place. */
import { asciiName, isHostName, isInternational } from '../host-name.ts';
import type { Report } from './diagnostic.ts';
import { parseAddress } from './network-address.ts';
import type { Text } from './text.ts';

/** Reports an address to which nobody can connect; letters beyond ASCII are told of by whoever reads all names. */
export function checkServerAddress(text: Text | undefined, report: Report): void {
  if (text === undefined || isInternational(text.value) || isServerAddress(text.value)) return;
  report('LG3025', text.span, {
    message: `"${text.value}" is neither the name nor the address of a server; ARR would load it and reach nobody.`,
    advice: cureOf(text.value),
  });
}

/** A name that ends in a number is read as an address by whoever asks for it (WHATWG URL 3.5). */
function isServerAddress(text: string): boolean {
  if (parseAddress(text) !== undefined) return true;
  return !text.startsWith('*') && isHostName(text) && !/(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/i.test(text);
}

/** What people write around a name. */
const PARTS = /^\s*(?:([a-z][a-z\d+.-]*):\/\/)?(\[[^\]]*\]|[^\s/\\:]*)(?::(\d*))?([/\\].*)?\s*$/i;

function cureOf(text: string): string {
  if (text.trim() === '') return 'Write the name or the IP address of the server.';
  const [, scheme, name = '', port, path] = PARTS.exec(text) ?? [];
  const host = asciiName(name.replace(/^\[(.*)\]$/, '$1')) ?? name;
  if (!isServerAddress(host)) return /^[\d.]+$/.test(host) ? NUMBERS : NAME;
  const elsewhere = [
    scheme === undefined ? [] : 'the scheme is that of the rule',
    port ? `the port goes into <applicationRequestRouting ${portOf(scheme)}="${port}" /> of the <server>` : [],
    path === undefined ? [] : 'the path goes into the url of the rule',
  ].flat();
  return `Write address="${host}"${elsewhere.length > 0 ? `: ${elsewhere.join(', ')}` : ''}.`;
}

function portOf(scheme: string | undefined): string {
  if (scheme === undefined) return 'httpPort="…" httpsPort';
  return scheme.toLowerCase() === 'https' ? 'httpsPort' : 'httpPort';
}

const NUMBERS = 'Write an IP address, four numbers from 0 to 255, or the name of the server.';
const NAME = 'Write a name of letters, digits, hyphens and underscores between dots, or an IP address.';
