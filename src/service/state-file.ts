/** Keeps what administrators said of servers over a restart, in a file that is replaced as a whole, with a copy beside it. */
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { codeOf, StartError } from '../errors.ts';
import { type RunState, stateKey } from '../farm/server-state.ts';
import { readFault, writeFault } from '../file-fault.ts';
import type { Logger } from '../log.ts';
import { within } from '../patience.ts';
import { typed } from '../program-name.ts';

/** What is so of a server beyond its being Active and not marked. Names as the IIS file has them. */
export interface KeptState {
  readonly farm: string;
  readonly server: string;
  readonly state: RunState;
  /** Marked with SetUnhealthy. */
  readonly unhealthy: boolean;
}

export interface StateFile {
  /** As they stood when the service ended. */
  readonly kept: readonly KeptState[];
  /** What is wrong with the file, for an administrator; `undefined` while all is well. */
  trouble(): string | undefined;
  /** @returns true when it is on disk; false where that failed, or takes too long */
  keep(states: readonly KeptState[]): Promise<boolean>;
  /** Waits for what is still to be written, but not for ever. */
  close(): Promise<void>;
}

export interface StateFileOptions {
  readonly path: string;
  /** Whether the configuration has this server. */
  readonly exists: (farm: string, server: string) => boolean;
  readonly log: Logger;
  /** Replaces a file as a whole. */
  readonly write?: (path: string, text: string) => Promise<void>;
  /** Milliseconds that a change waits for the disk, and that pass between two tries of a write that failed. */
  readonly patience?: number;
  readonly pause?: number;
}

const PATIENCE_MS = 5000;
const PAUSE_MS = 30_000;
/** Of a million servers, less than this is known. */
const SIZE_LIMIT = 64 * 1024 * 1024;

/**
 * Reads the states, and writes them back at once: what would keep a change from being written is found now.
 * @throws StartError where the file cannot be written for another reason than a full disk
 */
export async function openStateFile(options: StateFileOptions): Promise<StateFile> {
  const { path, exists, log, write = replaceFile, patience = PATIENCE_MS, pause = PAUSE_MS } = options;
  const read = await readStates(path, log);
  const kept = withoutTwins(read.states).filter(({ farm, server, state, unhealthy }) => {
    if (exists(farm, server)) return true;
    log.warn({ farm, server, state, unhealthy }, 'the configuration no longer has this server: its state is dropped');
    return false;
  });
  let latest = textOf(kept);
  let failed = '';
  let retry: NodeJS.Timeout | undefined;
  const save = async () => {
    clearTimeout(retry);
    await write(path, latest);
    await write(copyOf(path), latest);
    failed = '';
  };
  const failure = (error: unknown) => {
    failed = writeFault(error);
    log.error({ file: path }, `the states of servers cannot be written, and a restart may undo changes: ${failed}`);
    retry = setTimeout(() => void queue(), pause);
    retry.unref();
    return false;
  };
  try {
    if (read.damaged) await rename(path, asideOf(path));
    await save();
  } catch (error) {
    if (!PASSING.includes(codeOf(error))) throw cannotKeep(path, writeFault(error));
    failure(error);
  }

  let running: Promise<boolean> = Promise.resolve(true);
  /** The write that comes behind the one under way: it takes the states as they are when it begins. */
  let next: Promise<boolean> | undefined;
  const queue = (): Promise<boolean> => {
    next ??= running.then(() => {
      next = undefined;
      running = save().then(() => true, failure);
      return running;
    });
    return next;
  };
  return {
    kept,
    trouble: () => {
      if (failed !== '')
        return `The states of servers cannot be written to ${path}, and a restart may undo changes: ${failed}.`;
      if (!read.lost) return undefined;
      return `The states of servers could not be read from ${path} when the service started, so all servers take requests. See which of them should not.`;
    },
    keep(states) {
      latest = textOf(states);
      return within(patience, queue(), () => {
        log.error({ file: path }, 'the disk is slow: the states of servers are not written yet');
        return false;
      });
    },
    async close() {
      clearTimeout(retry);
      await within(patience, failed === '' ? (next ?? running) : queue(), () => false);
      clearTimeout(retry);
    },
  };
}

/** Of names that differ in letter case alone the last one counts, as when a person wrote them. */
function withoutTwins(states: readonly KeptState[]): readonly KeptState[] {
  return [...new Map(states.map((state) => [stateKey(state.farm, state.server), state])).values()];
}

interface ReadStates {
  readonly states: readonly KeptState[];
  /** There is a file, and it makes no sense. */
  readonly damaged: boolean;
  /** There were states, and nothing tells which. */
  readonly lost: boolean;
}

/** The file, or its copy where that makes no sense or is gone: no server that was taken out comes back unnoticed. */
async function readStates(path: string, log: Logger): Promise<ReadStates> {
  const found = await readOne(path);
  if (found !== undefined && typeof found !== 'string') return { states: found, damaged: false, lost: false };
  const copy = await readOne(copyOf(path));
  if (found === undefined && copy === undefined) return { states: [], damaged: false, lost: false };
  // What we write has a copy beside it; an empty one may be there to be mounted.
  if (found !== undefined && copy === undefined && (await stat(path)).size > 0) {
    throw cannotKeep(
      path,
      `${found}, and it has no copy beside it, so it may be somebody else's: remove it, or take another name`,
    );
  }
  const damaged = found !== undefined;
  const what = damaged
    ? `the states of servers cannot be read: ${found}. The file is kept as ${asideOf(path)}`
    : 'the file with the states of servers is gone';
  if (copy !== undefined && typeof copy !== 'string') {
    const level = damaged ? 'error' : 'warn';
    log[level]({ file: path }, `${what}; its copy, ${copyOf(path)}, is in force. Remove both to begin anew.`);
    return { states: copy, damaged, lost: false };
  }
  log.error(
    { file: path },
    `${what}, and there is no copy that can be read: all servers take requests, those that were taken out too. "${typed('drain')}" takes them out again.`,
  );
  return { states: [], damaged, lost: true };
}

/** @returns the states, `undefined` where there is no file, or what is wrong with it */
async function readOne(path: string): Promise<readonly KeptState[] | string | undefined> {
  let text: string;
  try {
    const status = await stat(path);
    if (!status.isFile()) throw cannotKeep(path, status.isDirectory() ? 'it is a folder' : 'it is no regular file');
    if (status.size > SIZE_LIMIT) return 'it is too large';
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof StartError) throw error;
    const code = codeOf(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    return readFault(error);
  }
  try {
    return statesOf(JSON.parse(text)) ?? 'it holds something else';
  } catch {
    // What it holds may be a secret, and Node's message shows the beginning.
    return 'it is not JSON';
  }
}

const STATES: readonly unknown[] = ['Active', 'Draining', 'Inactive'] satisfies RunState[];

function statesOf(value: unknown): readonly KeptState[] | undefined {
  if (!isRecord(value) || !Array.isArray(value.servers)) return undefined;
  const servers: readonly unknown[] = value.servers;
  return servers.every(isKeptState) ? servers : undefined;
}

function isKeptState(value: unknown): value is KeptState {
  return (
    isRecord(value) &&
    typeof value.farm === 'string' &&
    typeof value.server === 'string' &&
    STATES.includes(value.state) &&
    typeof value.unhealthy === 'boolean'
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

const ABOUT =
  'States of servers as administrators set them, written by Lychgate. A change by hand counts at the next start.';

function textOf(states: readonly KeptState[]): string {
  return `${JSON.stringify({ about: ABOUT, servers: states }, undefined, 2)}\n`;
}

function copyOf(path: string): string {
  return `${path}.copy`;
}

/** Where a file goes that makes no sense. */
function asideOf(path: string): string {
  return `${path}.damaged`;
}

/** Whoever reads the name finds the old or the new content, whole, whatever breaks off in between. */
async function replaceFile(path: string, text: string): Promise<void> {
  const fresh = `${path}.new`;
  // What stands there is left from a write that broke off, or is a trap: it is never written through.
  await rm(fresh, { force: true });
  try {
    await withFile(await open(fresh, 'wx', 0o600), async (file) => {
      await file.writeFile(text);
      await file.sync();
    });
    await rename(fresh, path);
  } catch (error) {
    // Half a file would stay until the next change.
    await rm(fresh, { force: true }).catch(() => undefined);
    throw error;
  }
  // The new name must be on the disk too.
  await withFile(await open(dirname(path), 'r'), (folder) => folder.sync());
}

async function withFile(file: FileHandle, work: (file: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(file);
  } finally {
    await file.close();
  }
}

/** A full disk is no reason to be down: the states were read, and there may be room when one changes. */
const PASSING: readonly string[] = ['ENOSPC', 'EDQUOT'];

/** To be told at the start. */
export function cannotKeep(path: string, why: string): StartError {
  return new StartError(
    `cannot keep the states of servers in ${path}: ${why}. Change "stateFile" in settings.json, which is relative to that file.`,
  );
}
