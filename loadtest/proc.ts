/** CPU time and memory of processes, as Linux tells them in /proc. */
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** User and system time of all its threads, in seconds. */
  readonly cpuSeconds: number;
  /** Ticks since the machine started; tells a process from a later one with the same number. */
  readonly started: number;
}

/** USER_HZ, which Linux keeps at 100 for what it shows to programs. */
const TICKS_PER_SECOND = 100;

/** Reads `/proc/PID/stat`; undefined where the text is not one. */
export function parseStat(text: string): ProcessStat | undefined {
  // The name in parentheses may itself hold blanks and parentheses; behind the last one stands field 3.
  const end = text.lastIndexOf(')');
  const pid = Number.parseInt(text, 10);
  const fields = text
    .slice(end + 2)
    .trim()
    .split(' ')
    .map(Number);
  const [parent, user, system, started] = [fields[1], fields[11], fields[12], fields[19]];
  if (end === -1 || parent === undefined || user === undefined || system === undefined || started === undefined) {
    return undefined;
  }
  return { pid, parent, cpuSeconds: (user + system) / TICKS_PER_SECOND, started };
}

/** The value of a line like `Pss:   276 kB`, in bytes. */
export function parseKilobytes(text: string, name: string): number | undefined {
  const digits = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits) * 1024;
}

/** The hard limit of open files in the text of `/proc/PID/limits`. */
export function parseOpenFiles(text: string): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\S+)/m.exec(text)?.[1];
  if (hard === undefined) return undefined;
  return hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

/** These processes and all that they started, as far as they still run. */
export function treeOf(roots: readonly number[], all: readonly ProcessStat[]): ProcessStat[] {
  const tree = all.filter(({ pid }) => roots.includes(pid));
  // A list that grows while it is walked: children are put behind their parent, and have their turn later.
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return [...new Map(tree.map((each) => [each.pid, each])).values()];
}

export function readTree(roots: readonly number[]): ProcessStat[] {
  return treeOf(roots, readAll()).map((each) => {
    const folder = `/proc/${each.pid}/task`;
    const threads = namesIn(folder).map((id) => readOr(`${folder}/${id}/schedstat`));
    return { ...each, cpuSeconds: cpuOfThreads(each.cpuSeconds, threads) };
  });
}

/**
 * `stat` counts in hundredths of a second, cut off, of all threads there ever were: too coarse for a short round. The
 * threads' own count is of nanoseconds, but a thread takes it along when it ends; then the other one is the larger.
 * @param threads what `schedstat` says of each that there is
 */
export function cpuOfThreads(cpuSeconds: number, threads: readonly string[]): number {
  const nanoseconds = threads.reduce((sum, text) => sum + (Number.parseInt(text, 10) || 0), 0);
  return Math.max(cpuSeconds, nanoseconds / 1e9);
}

function readAll(): ProcessStat[] {
  return namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => parseStat(readOr(`/proc/${name}/stat`)) ?? []);
}

/** PSS counts a page that processes share once; RSS stands in where that is not readable. */
export function readMemory(pid: number): number {
  const pss = parseKilobytes(readOr(`/proc/${pid}/smaps_rollup`), 'Pss');
  return pss ?? parseKilobytes(readOr(`/proc/${pid}/status`), 'VmRSS') ?? 0;
}

export function openFilesLimit(): number {
  return parseOpenFiles(readOr('/proc/self/limits')) ?? 1024;
}

/** None for a process that has ended meanwhile. */
function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Empty for a process that has ended meanwhile. */
function readOr(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
