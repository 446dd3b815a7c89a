/** Which addresses and ports are our own: a connection from here to there would come back to us. */
import { networkInterfaces } from 'node:os';
import { isLoopback, isUnspecified, plainAddress } from '../ip-address.ts';

export interface ListenerPlace {
  /** How the log calls it. */
  readonly name: string;
  /** `*` or an IP address. */
  readonly address: string;
  readonly port: number;
}

/** The listener that a connection to this address and port would reach; `undefined` where it is none of ours. */
export type OwnListeners = (address: string, port: number) => ListenerPlace | undefined;

/** Addresses of a machine change rarely (a failover brings one), and asking for them takes longer than all else here. */
const MACHINE_MS = 30_000;

export function createOwnListeners(listeners: readonly ListenerPlace[]): OwnListeners {
  const byPort = Map.groupBy(listeners, ({ port }) => port);
  return (address, port) => byPort.get(port)?.find((listener) => reaches(plainAddress(address), listener.address));
}

/** True for every address of this machine, those of loopback included. */
export function isOwnAddress(address: string): boolean {
  return isLoopback(address) || isUnspecified(address) || machineAddresses().has(plainAddress(address));
}

function reaches(address: string, listener: string): boolean {
  if (listener === '*' || listener === '::') return isOwnAddress(address);
  if (listener === '0.0.0.0') return !address.includes(':') && isOwnAddress(address);
  return plainAddress(listener) === address;
}

let known: ReadonlySet<string> = new Set();
let readAt = Number.NEGATIVE_INFINITY;

function machineAddresses(): ReadonlySet<string> {
  const now = performance.now();
  if (now - readAt >= MACHINE_MS) {
    const all = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
    known = new Set(all.map(({ address }) => plainAddress(address)));
    readAt = now;
  }
  return known;
}
