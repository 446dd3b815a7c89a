/** What the load test needs to know of each competitor. The table stands in `competitors.ts`. */
import type { ChildProcesses, StartedProcess } from '../child-processes.ts';
import type { RunFolder } from '../run-folder.ts';
import { type Endpoint, waitReady } from '../wait-ready.ts';

/** What a scenario can ask of a competitor. */
export const ALL_DUTIES = ['http1', 'handshake', 'http2', 'rules', 'idle', 'polls'] as const;

export type Duty = (typeof ALL_DUTIES)[number];

/** How a competitor is to be set up; equal for all in a scenario. */
export interface Setup {
  readonly workers: number;
  /** Published host names, each with a rule of its own. */
  readonly hosts: readonly string[];
  readonly origin: Endpoint;
}

export interface StartContext {
  readonly setup: Setup;
  readonly folder: RunFolder;
  readonly processes: ChildProcesses;
}

/** A competitor that runs and answers. */
export interface Running {
  /** Where it serves, for the last of the published hosts. */
  readonly endpoint: Endpoint;
  /** Where it serves HTTP/2, if that is another port. */
  readonly http2Endpoint?: Endpoint;
  /** Their children belong to it too. */
  readonly processes: readonly StartedProcess[];
}

export interface Competitor {
  readonly name: string;
  readonly label: string;
  readonly duties: readonly Duty[];
  /** For a bare program that others are measured by: its name in the heads of tables. */
  readonly yardstick?: string;
  /** Whether it runs on Node, whose compiler takes some seconds of load to do its best. */
  readonly onNode?: true;
  /** Its version; undefined where it is not installed. */
  version(): string | undefined;
  start(context: StartContext): Promise<Running>;
}

/** Waits until a started competitor answers with what the origin serves; ends one that does not. */
export async function whenReady(running: Running): Promise<Running> {
  try {
    await waitReady(running.endpoint, '/1k', running.processes);
  } catch (thrown) {
    await Promise.all(running.processes.map((each) => each.stop()));
    throw thrown;
  }
  return running;
}

/** Seconds that connections may be idle, and a server silent: longer than any scenario. */
export const PATIENCE = 960;
