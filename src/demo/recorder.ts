/** Keeps what arrived at a stand-in server, letter for letter, so that a test can ask what the proxy really sent. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** One request as it arrived. */
export interface RecordedRequest {
  readonly method: string;
  /** The request target as it stood in the request line. */
  readonly target: string;
  /** Names and values in the order and letter case of the message. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly httpVersion: string;
  /** The port it arrived on. */
  readonly port: number;
  readonly encrypted: boolean;
  /** The TCP connection, counted from 1 as they were opened. */
  readonly connection: number;
  /** Its place among the requests of that connection, from 1. */
  readonly turn: number;
  /** How it ended: the whole answer was handed to the socket, or the connection went away before. */
  readonly ended: Promise<'answered' | 'aborted'>;
}

/** The latest requests and a way to wait for one. */
export interface Recorder {
  readonly all: readonly RecordedRequest[];
  /** The first recorded request that `matches` accepts, at once or when it arrives. */
  arrived(matches: (request: RecordedRequest) => boolean): Promise<RecordedRequest>;
  clear(): void;
}

/** The side of the recorder that the stand-in itself uses. */
export interface Recording extends Recorder {
  record(request: IncomingMessage, response: ServerResponse): RecordedRequest;
}

interface Waiting {
  readonly matches: (request: RecordedRequest) => boolean;
  readonly resolve: (request: RecordedRequest) => void;
}

/** A demo may run for days. */
const KEPT = 1000;

/** An empty recorder that keeps the latest 1000 requests. */
export function createRecorder(): Recording {
  const all: RecordedRequest[] = [];
  const connections = new WeakMap<Socket, { readonly id: number; turns: number }>();
  let waiting: readonly Waiting[] = [];
  let opened = 0;

  const connectionOf = (socket: Socket) => {
    const known = connections.get(socket) ?? { id: ++opened, turns: 0 };
    connections.set(socket, known);
    known.turns += 1;
    return { connection: known.id, turn: known.turns };
  };

  return {
    all,
    arrived(matches) {
      const found = all.find(matches);
      return found === undefined
        ? new Promise((resolve) => {
            waiting = [...waiting, { matches, resolve }];
          })
        : Promise.resolve(found);
    },
    clear() {
      all.length = 0;
    },
    record(request, response) {
      const recorded = describe(request, response, connectionOf(request.socket));
      all.push(recorded);
      if (all.length > KEPT) {
        all.shift();
      }
      const matched = waiting.filter(({ matches }) => matches(recorded));
      waiting = waiting.filter((one) => !matched.includes(one));
      for (const { resolve } of matched) {
        resolve(recorded);
      }
      return recorded;
    },
  };
}

function describe(
  request: IncomingMessage,
  response: ServerResponse,
  place: { readonly connection: number; readonly turn: number },
): RecordedRequest {
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2) {
    headers.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? '']);
  }
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    headers,
    httpVersion: request.httpVersion,
    port: request.socket.localPort ?? 0,
    encrypted: 'encrypted' in request.socket,
    ...place,
    ended: new Promise((resolve) => {
      response.once('close', () => resolve(response.writableFinished ? 'answered' : 'aborted'));
    }),
  };
}
