/** IP addresses: one spelling for each, and the special ranges that it may be in (RFC 6890). */
import { BlockList, isIP, SocketAddress } from 'node:net';

/**
 * The spelling by which addresses are compared: IPv6 in its shortest form and without a scope, an IPv4 address in IPv6
 * (`::ffff:192.0.2.1`) as what it is. What is no address stays as it is.
 */
export function plainAddress(address: string): string {
  if (isIP(address) !== 6) return address;
  const shortest = new SocketAddress({ address, family: 'ipv6' }).address;
  return shortest.startsWith('::ffff:') && shortest.includes('.') ? shortest.slice('::ffff:'.length) : shortest;
}

/** The 4 or 16 bytes of an address, whatever its scope; none of what is no address. */
export function addressBytes(address: string): Uint8Array {
  const family = isIP(address);
  if (family === 0) return new Uint8Array(0);
  if (family === 4) return Uint8Array.from(address.split('.'), Number);
  const [head = '', tail] = address
    .replace(/%.*/s, '')
    .replace(/[\d.]+\.\d+$/, (four) => {
      const [a = 0, b = 0, c = 0, d = 0] = addressBytes(four);
      return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
    })
    .split('::');
  const groups = head.split(':').filter(Boolean);
  const behind = (tail ?? '').split(':').filter(Boolean);
  const zeros = Array.from({ length: 8 - groups.length - behind.length }, () => '0');
  return Uint8Array.from(
    [...groups, ...zeros, ...behind].flatMap((group) => {
      const value = Number.parseInt(group, 16);
      return [value >> 8, value & 0xff];
    }),
  );
}

/**
 * What stands for one client where clients are counted: an address of IPv4; of IPv6 the /64, whose addresses are most often
 * one client's to choose from.
 */
export function clientNetwork(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const bytes = addressBytes(plain);
  const groups = [0, 2, 4, 6].map((at) => (((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)).toString(16));
  return `${plainAddress(`${groups.join(':')}::`)}/64`;
}

export const isLoopback = rangeTest('127.0.0.0/8', '::1/128');
export const isLinkLocal = rangeTest('169.254.0.0/16', 'fe80::/10');
/** The system takes it for this machine. */
export const isUnspecified = rangeTest('0.0.0.0/8', '::/128');
/** To many machines: multicast and broadcast. */
export const isShared = rangeTest('224.0.0.0/4', '255.255.255.255/32', 'ff00::/8');

/** An address of IPv6 that counts on one link, and does not say on which: nobody can listen there. */
export function lacksInterface(address: string): boolean {
  return isIP(address) === 6 && !address.includes('%') && isLinkLocal(address);
}

function rangeTest(...ranges: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const range of ranges) {
    const [network = '', length] = range.split('/');
    list.addSubnet(network, Number(length), familyOf(network));
  }
  return (address) => isIP(address) !== 0 && list.check(address, familyOf(address));
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
