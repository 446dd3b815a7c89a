/** Holds an answer back until there is enough of it (`minResponseBuffer`): a server that breaks off meanwhile becomes a 502. */
import type { ProtocolConfig } from '../config/farm-model.ts';
import { headerOf } from '../header-list.ts';
import type { AnswerHead, ClientSide } from './client-side.ts';

/**
 * How many bytes of the body are waited for; 0 for answers that go on at once: those without a body, those in chunks where
 * `bufferChunkedResponses` is off, and event streams, which ARR would stall as well.
 */
export function heldBytes(answer: AnswerHead, method: string, protocol: ProtocolConfig): number {
  const { status, body, headers } = answer;
  const held = Math.min(protocol.minResponseBuffer, protocol.responseBufferLimit) * 1024;
  if (held === 0 || status === 101 || body === 'none' || body === 0 || method === 'HEAD') return 0;
  if (body === 'chunked' && !protocol.bufferChunkedResponses) return 0;
  return /^\s*text\/event-stream\b/i.test(headerOf(headers, 'content-type') ?? '') ? 0 : held;
}

const FIRST_BYTES = 16 * 1024;

/**
 * Stands before a client: it gets head and body when `limit` bytes are there or the answer has ended.
 * @param begin called right before it gets the head
 */
export function holdAnswer(client: ClientSide, limit: number, begin: (head: AnswerHead) => void): ClientSide {
  let head: AnswerHead | undefined;
  // One that grows, as an answer may come in single bytes.
  let bytes = Buffer.alloc(0);
  let length = 0;
  const keep = (more: Buffer) => {
    if (length + more.length > bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(FIRST_BYTES, 2 * bytes.length, length + more.length));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
    }
    more.copy(bytes, length);
    length += more.length;
  };
  const release = () => {
    if (head === undefined) return;
    const answer = head;
    head = undefined;
    begin(answer);
    client.answer(answer);
    if (length > 0) client.data(bytes.subarray(0, length));
    bytes = Buffer.alloc(0);
  };
  return {
    information: (status, reason, headers) => client.information(status, reason, headers),
    answer: (answer) => {
      head = answer;
    },
    data(more) {
      if (head === undefined) {
        client.data(more);
        return;
      }
      keep(more);
      if (length >= limit) release();
    },
    end(trailers) {
      release();
      client.end(trailers);
    },
    flush: () => client.flush(),
    respond(own, failure) {
      head = undefined;
      client.respond(own, failure);
    },
    cut: () => client.cut(),
    resumeBody: () => client.resumeBody(),
    dropBody: () => client.dropBody(),
  };
}
