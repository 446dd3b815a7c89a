/** The event loop of this process, watched by a thread that says in the log where it is held up: the loop itself cannot. */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { BEAT_MS } from './heartbeats.ts';

/** What the thread is given. */
export interface StallWatch {
  /** Counts the beats of the loop. */
  readonly beats: Int32Array;
  /** Seconds without one, after which this process is killed; it is told before. */
  readonly hang: number;
  /** Of the service log. */
  readonly level: string;
  /** Number of this worker. */
  readonly worker: number | undefined;
}

/** It needs little, and has it beside what V8 gives a process of its own accord. */
const RESOURCES = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 32, stackSizeMb: 1 };

/** Seconds. A worker that ends soon, as one that may not listen, has had no thread. */
const BEGINS_AFTER = 3;

/** Begins a moment later, so that the start has no part in what it costs. */
export function watchStalls(watch: Omit<StallWatch, 'beats'>): void {
  setTimeout(startThread, BEGINS_AFTER * 1000, watch).unref();
}

function startThread(watch: Omit<StallWatch, 'beats'>): void {
  const beats = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  const workerData: StallWatch = { ...watch, beats };
  const file = new URL(`./stall-thread${extname(import.meta.url)}`, import.meta.url);
  // Neither the flags of this process nor what they load first: they are for the loop.
  const thread = new Worker(file, { workerData, resourceLimits: RESOURCES, execArgv: [], name: 'stalls' });
  thread.unref();
  // Where there is none, the supervisor still finds out, without a stack.
  thread.on('error', () => undefined);
  setInterval(() => Atomics.add(beats, 0, 1), BEAT_MS).unref();
}
