/** A body that outbound rules change on its way: from the server's reads to a stream, and from the stream to the client. */
import { Readable } from 'node:stream';
import type { ClientSide } from './client-side.ts';

export interface RewrittenBody {
  /** What the server sends, for the rules to read. */
  readonly source: Readable;
  /** @returns false where the rules, or the client behind them, are to be waited for */
  push(bytes: Buffer): boolean;
  end(): void;
  fail(error: Error): void;
  /** Sends what the rules made of it. */
  pump(
    rewritten: Readable,
    client: Pick<ClientSide, 'data' | 'flush'>,
    events: { end(): void; fail(error: Error): void },
  ): void;
  /** The client can take more. */
  drained(): void;
}

/** @param resume lets the server send more */
export function createRewrittenBody(resume: () => void): RewrittenBody {
  const source = new Readable({ read: resume });
  // Whoever reads it is told; before that nobody may be listening.
  source.on('error', () => undefined);
  let sending: Readable | undefined;
  return {
    source,
    push: (bytes) => source.push(Buffer.from(bytes)),
    end: () => void source.push(null),
    fail: (error) => void source.destroy(error),
    pump(rewritten, client, events) {
      sending = rewritten;
      rewritten.on('data', (bytes: Buffer) => {
        client.data(bytes);
        if (!client.flush()) rewritten.pause();
      });
      rewritten.once('end', events.end);
      if (rewritten.errored) events.fail(rewritten.errored);
      else rewritten.once('error', events.fail);
    },
    drained: () => void sending?.resume(),
  };
}
