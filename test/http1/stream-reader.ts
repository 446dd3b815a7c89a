/** Messages out of a stream of bytes, as a lane reads them with the codec: what comes out, and where it ends. */
import { BodyReader } from '../../src/http1/body-reader.ts';
import { HeadReader } from '../../src/http1/head-reader.ts';
import { MessageFault } from '../../src/http1/message-fault.ts';
import { parseRequest, type RequestMessage } from '../../src/http1/request-message.ts';
import { parseResponse, type ResponseMessage } from '../../src/http1/response-message.ts';

export interface ReadMessage<Head> {
  readonly head: Head;
  /** Each character one byte. */
  body: string;
  trailers: readonly string[];
  complete: boolean;
}

export interface ReadStream<Head> {
  readonly messages: ReadMessage<Head>[];
  fault?: { readonly status: number; readonly reason: string };
  /** A further head has begun, and was not refused. */
  begun: boolean;
}

export const limits = { headBytes: 65_536, headerCount: 200, targetBytes: 16_384, trailerBytes: 8192 };

/** Bytes of text whose characters are bytes. */
export const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

/** Reads pieces; each is copied first, since the codec moves bytes within what it is given. */
function readPieces<Head extends RequestMessage | ResponseMessage>(
  pieces: Iterable<Buffer>,
  parse: (text: string) => Head,
): ReadStream<Head> {
  const stream: ReadStream<Head> = { messages: [], begun: false };
  const heads = new HeadReader({ limit: limits.headBytes, startLine: true });
  const body = new BodyReader(limits);
  let current: ReadMessage<Head> | undefined;
  try {
    for (const each of pieces) {
      const piece = Buffer.from(each);
      let at = 0;
      while (at < piece.length) {
        if (current === undefined) {
          const end = heads.push(piece, at);
          if (end < 0) break;
          at = end;
          current = { head: parse(heads.text), body: '', trailers: [], complete: false };
          stream.messages.push(current);
          body.start(current.head.body);
        } else {
          const end = body.read(piece, at);
          if (end < at || (end === at && !body.done)) throw new Error(`no progress at ${at}`);
          at = end;
          if (body.data) current.body += body.data.toString('latin1');
        }
        if (body.done) {
          current.trailers = body.trailers;
          current.complete = true;
          current = undefined;
        }
      }
    }
    if (current !== undefined && body.endsWithConnection) current.complete = true;
  } catch (error) {
    if (!(error instanceof MessageFault)) throw error;
    stream.fault = { status: error.status, reason: error.message };
  }
  stream.begun = stream.fault === undefined && heads.begun;
  return stream;
}

export function readRequests(pieces: Iterable<Buffer>): ReadStream<RequestMessage> {
  return readPieces(pieces, (text) => parseRequest(text, limits));
}

/** @param methods of the requests that are answered, in turn; the last one goes on */
export function readResponses(
  pieces: Iterable<Buffer>,
  methods: readonly string[] = ['GET'],
): ReadStream<ResponseMessage> {
  let answered = 0;
  return readPieces(pieces, (text) => {
    const head = parseResponse(text, methods[Math.min(answered, methods.length - 1)] ?? 'GET', limits.headerCount);
    if (head.status >= 200) answered++;
    return head;
  });
}
