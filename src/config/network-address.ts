/** IP addresses, networks and `address:port` as people write them in configuration. */
import { isIP } from 'node:net';
import { plainAddress } from '../ip-address.ts';

export interface AddressAndPort {
  /** `*` or an IP address without brackets. */
  readonly address: string;
  readonly port: number;
}

/** An IP address without brackets in its one spelling, with the scope that it may have. */
export function parseAddress(text: string): string | undefined {
  if (isIP(text) === 0) return undefined;
  const [address = '', ...scope] = text.split('%');
  return [plainAddress(address), ...scope].join('%');
}

/** Reads `10.0.0.5:443`, `[2001:db8::5]:443` or `*:443`. */
export function parseAddressAndPort(text: string): AddressAndPort | undefined {
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const [, six, other = '', digits = ''] = match;
  const port = Number(digits);
  const address = six === undefined && other === '*' ? '*' : parseAddress(six ?? other);
  if (address === undefined || port > 65535 || (six !== undefined && isIP(six) !== 6)) return undefined;
  return { address, port };
}

/** Reads an address or a network such as `10.0.0.0/8`; an address becomes a network of one. */
export function parseNetwork(text: string): string | undefined {
  const [address = '', length, ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const bits = family === 4 ? 32 : 128;
  if (length === undefined) return `${address.toLowerCase()}/${bits}`;
  if (!/^\d{1,3}$/.test(length) || Number(length) > bits) return undefined;
  return `${address.toLowerCase()}/${Number(length)}`;
}
