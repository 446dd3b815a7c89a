/**
 * What the kernel still holds of what was written to a socket: bytes that the other side has not taken. Linux tells it in
 * /proc/net/tcp and tcp6, in tables of all connections of the machine, so that only a connection which is suspected of
 * taking nothing is looked up there.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { addressBytes } from '../ip-address.ts';
import { inNextShare, shareIsUsed } from '../loop-share.ts';

/** What is known of one socket. Times in milliseconds of `turnTime`. */
export interface HeldByKernel {
  readonly bytes: number;
  /** At the look that first found this many bytes. */
  readonly since: number;
  /** At the last look. */
  readonly seen: number;
}

export interface SendQueues {
  /**
   * To be asked again and again, as long as the socket is a suspect: it is looked up soon after.
   * @param now milliseconds of `turnTime`
   * @returns nothing where it has not been looked up yet
   */
  look(socket: Socket, now: number): HeldByKernel | undefined;
}

/** Where the kernel does not tell, what waits in this process is all that counts. */
const NOT_TOLD: HeldByKernel = { bytes: 0, since: Number.NEGATIVE_INFINITY, seen: Number.POSITIVE_INFINITY };
/** The table is read as it changes, and may lack a connection that is there. */
const MOST_MISSES = 3;
const LEAST_PAUSE_MS = 200;
/** Of the time, at most one part in so many goes into reading the tables. */
const PAUSE_FACTOR = 20;

interface Suspect {
  readonly key: string;
  held: HeldByKernel | undefined;
  /** When somebody last asked for it. */
  asked: number;
  misses: number;
}

/** @param read gives a table piece by piece; throws where there is none */
export function createSendQueues(read: (table: string) => Iterable<string> = readTable): SendQueues {
  const suspects = new Map<Socket, Suspect>();
  let reading = false;
  let pauseUntil = Number.NEGATIVE_INFINITY;

  const readAll = async (now: number) => {
    reading = true;
    let took = 0;
    const wanted = new Map<string, Suspect>();
    for (const [socket, suspect] of suspects) {
      if (now - suspect.asked > FORGET_MS) suspects.delete(socket);
      else wanted.set(suspect.key, suspect);
    }
    const found = new Map<Suspect, number>();
    // Of an IPv4 address in IPv6 the second one tells.
    for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
      try {
        took += await findIn(read(table), wanted, found);
      } catch {
        // A machine without IPv6, or a system that tells nothing.
      }
    }
    for (const suspect of wanted.values()) note(suspect, found.get(suspect), now);
    reading = false;
    pauseUntil = now + Math.max(LEAST_PAUSE_MS, PAUSE_FACTOR * took);
  };

  return {
    look(socket, now) {
      let suspect = suspects.get(socket);
      if (suspect === undefined) {
        suspect = { key: keyOf(socket), held: undefined, asked: now, misses: 0 };
        suspects.set(socket, suspect);
      }
      suspect.asked = now;
      if (!reading && now >= pauseUntil) void readAll(now);
      return suspect.held;
    },
  };
}

/** Whoever is still a suspect is asked for each quarter of a second. */
const FORGET_MS = 2000;

function note(suspect: Suspect, bytes: number | undefined, now: number): void {
  if (bytes === undefined) {
    if (++suspect.misses >= MOST_MISSES) suspect.held = NOT_TOLD;
    return;
  }
  suspect.misses = 0;
  const since = suspect.held?.bytes === bytes ? suspect.held.since : now;
  suspect.held = { bytes, since, seen: now };
}

/** Both ends and the state of a connection, then its queues: `0100007F:1F90 0200007F:C350 01 000000FF:00000000`. */
const ENTRY = /^\s*\d+: ([0-9A-F]+:[0-9A-F]{4} [0-9A-F]+:[0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]+):/;

/** @returns the milliseconds that it took, without those in which others had their turn */
async function findIn(
  pieces: Iterable<string>,
  wanted: ReadonlyMap<string, Suspect>,
  found: Map<Suspect, number>,
): Promise<number> {
  let rest = '';
  let took = 0;
  let began = process.hrtime.bigint();
  for (const piece of pieces) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const [, ends = '', bytes = ''] = ENTRY.exec(line) ?? [];
      const suspect = wanted.get(ends);
      if (suspect) found.set(suspect, Number.parseInt(bytes, 16));
    }
    if (!shareIsUsed()) continue;
    took += millisecondsSince(began);
    await new Promise<void>(inNextShare);
    began = process.hrtime.bigint();
  }
  return took + millisecondsSince(began);
}

function millisecondsSince(began: bigint): number {
  return Number(process.hrtime.bigint() - began) / 1e6;
}

/** Read here: the kernel gives a page at a time, and a trip to another thread for each would take seconds for a large table. */
function* readTable(table: string): Generator<string> {
  const file = openSync(table, 'r');
  const page = Buffer.allocUnsafe(PAGE_BYTES);
  try {
    for (let length = readSync(file, page); length > 0; length = readSync(file, page)) {
      yield page.toString('latin1', 0, length);
    }
  } finally {
    closeSync(file);
  }
}

const PAGE_BYTES = 16 * 1024;

function keyOf({ localAddress = '', localPort = 0, remoteAddress = '', remotePort = 0 }: Socket): string {
  return `${endOf(localAddress, localPort)} ${endOf(remoteAddress, remotePort)}`;
}

/** As the kernel prints it: an address in words of four bytes, each as the number that it is in memory. */
function endOf(address: string, port: number): string {
  const bytes = addressBytes(address);
  const words = [...new Uint32Array(bytes.buffer, 0, bytes.length / 4)];
  return `${words.map((word) => hex(word, 8)).join('')}:${hex(port, 4)}`;
}

function hex(value: number, digits: number): string {
  return value.toString(16).toUpperCase().padStart(digits, '0');
}
