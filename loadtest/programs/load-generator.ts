/** A process of its own for the HTTP/1.1 load, so that the run's other work does not slow it down. */
import { runAutocannon } from '../load/autocannon-load.ts';
import type { LoadJob } from '../load/load.ts';
import { runStreamLoad } from '../load/stream-load.ts';
import { answer } from './answer.ts';

export interface LoadQuestion {
  readonly tool: 'autocannon' | 'stream';
  readonly job: LoadJob;
}

answer(({ tool, job }: LoadQuestion) => (tool === 'autocannon' ? runAutocannon(job) : runStreamLoad(job)));
