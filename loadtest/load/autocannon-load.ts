/** HTTP/1.1 load with keep-alive, by autocannon. */
import autocannon from 'autocannon';
import { LoadtestFailure } from '../failure.ts';
import { CIPHER_SUITE } from '../run-folder.ts';
import { ANSWER_TIMEOUT, type LoadJob, type LoadResult, loadResult } from './load.ts';

export function runAutocannon(job: LoadJob): Promise<LoadResult> {
  const { address, port, host } = job.endpoint;
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let last = began;
    // autocannon's own histogram is of whole milliseconds.
    const times: number[] = [];
    const run = autocannon(
      {
        url: `https://${address}:${port}${job.path}`,
        connections: job.connections,
        amount: job.amount,
        method: job.method,
        headers: { Host: host },
        ...(job.uploadBytes > 0 ? { body: Buffer.alloc(job.uploadBytes, 'x') } : {}),
        servername: host,
        tlsOptions: { ciphers: CIPHER_SUITE, minVersion: 'TLSv1.3' },
        timeout: ANSWER_TIMEOUT,
        sampleInt: 50,
      },
      (error, result) => {
        if (error) reject(new LoadtestFailure(`autocannon: ${error.message}`));
        else resolve({ ...loadResult(job, times, (last - began) / 1000), failed: failures(job, times, result) });
      },
    );
    run.on('response', (_client: unknown, status: number, _bytes: number, milliseconds: number) => {
      last = performance.now();
      if (status >= 200 && status < 300) times.push(milliseconds);
    });
  });
}

/** It goes on by itself after a broken connection: what is missing from the amount counts, or what it saw go wrong. */
function failures(job: LoadJob, times: readonly number[], { errors, non2xx }: autocannon.Result): number {
  return Math.max(job.amount - times.length, errors + non2xx);
}
