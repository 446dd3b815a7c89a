/** The part of autocannon that the load test uses; the package has no types of its own. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events';

  namespace autocannon {
    interface Options {
      url: string;
      connections: number;
      /** Requests of all connections together. */
      amount: number;
      method: string;
      headers: Record<string, string>;
      body?: Buffer;
      servername: string;
      tlsOptions: import('node:tls').ConnectionOptions;
      /** Seconds without an answer. */
      timeout: number;
      /** Milliseconds between looks at whether the run is over. */
      sampleInt: number;
    }
    interface Result {
      errors: number;
      timeouts: number;
      non2xx: number;
    }
  }

  function autocannon(
    options: autocannon.Options,
    done: (error: Error | null, result: autocannon.Result) => void,
  ): EventEmitter;
  export = autocannon;
}
