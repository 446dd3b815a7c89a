/** The codec against Node's own parser: every message that they read differently stands in a table with the reason. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { type Named, requestMessages, responseMessages } from './differential-messages.ts';
import { type Disagreement, disagreements } from './differential-table.ts';
import { bytes, limits, readRequests, readResponses } from './stream-reader.ts';

/** What a reader made of a stream: its messages, and whether it refused the rest. */
interface Reading {
  readonly messages: Record<string, unknown>[];
  refused: boolean;
}

/** A connection that has no network behind it. */
class Connection extends Duplex {
  written = '';

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.written += chunk.toString('latin1');
    done();
  }

  setTimeout = () => this;
  setNoDelay = () => this;
  setKeepAlive = () => this;
  ref = () => this;
  unref = () => this;
}

/** All that a stream with these bytes brings about has happened: no timer and no network takes part in it. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 4; turn++) await new Promise((done) => setImmediate(done));
}

/** An incomplete body counts for nothing: what of it came before a fault is nobody's concern. */
function finished(message: Record<string, unknown>): Record<string, unknown> {
  return message.complete === true ? message : { ...message, body: '', trailers: [] };
}

function collect(incoming: IncomingMessage, message: Record<string, unknown>, done: () => void): void {
  Object.assign(message, { body: '', trailers: [], complete: false });
  incoming.on('data', (data: Buffer) => {
    message.body += data.toString('latin1');
  });
  incoming.on('end', () => {
    message.complete = incoming.complete;
    message.trailers = incoming.rawTrailers;
    done();
  });
  incoming.on('error', () => {});
}

async function nodeReadsRequests(text: string): Promise<Reading> {
  const reading: Reading = { messages: [], refused: false };
  const server = createServer({ insecureHTTPParser: false, maxHeaderSize: limits.headBytes, requireHostHeader: true });
  server.maxHeadersCount = 0;
  const take = (incoming: IncomingMessage, response?: ServerResponse) => {
    const host = incoming.rawHeaders.filter((_, i, all) => i % 2 === 1 && all[i - 1]!.toLowerCase() === 'host');
    const headers = incoming.rawHeaders.filter((_, i, all) => all[i - (i % 2)]!.toLowerCase() !== 'host');
    const message = { method: incoming.method, target: incoming.url, version: incoming.httpVersion, host, headers };
    reading.messages.push(message);
    collect(incoming, message, () => response?.end());
    if (response === undefined) Object.assign(message, { complete: true });
  };
  server.on('request', take);
  server.on('checkContinue', take);
  server.on('checkExpectation', take);
  server.on('connect', (incoming) => take(incoming));
  server.on('clientError', (_error, socket) => {
    reading.refused = true;
    socket.destroy();
  });
  const connection = new Connection();
  server.emit('connection', connection);
  connection.push(bytes(text));
  await settled();
  if (connection.written.startsWith('HTTP/1.1 400')) reading.refused = true;
  connection.destroy();
  return { ...reading, messages: reading.messages.map(finished) };
}

function codecReadsRequests(text: string): Reading {
  const { messages, fault } = readRequests([bytes(text)]);
  return {
    messages: messages.map(({ head: { method, target, version, host, headers }, body, trailers, complete }) =>
      finished({
        method,
        target,
        version: version.slice(5),
        host: host === undefined ? [] : [host],
        headers,
        body,
        trailers,
        complete,
      }),
    ),
    refused: fault !== undefined,
  };
}

/** What only says that the connection ended too early. */
const ENDED = ['ECONNRESET', 'HPE_INVALID_EOF_STATE'];

async function nodeReadsAnswers(text: string): Promise<Reading> {
  const reading: Reading = { messages: [], refused: false };
  const connection = new Connection();
  const asked = request({
    createConnection: () => connection,
    insecureHTTPParser: false,
    maxHeaderSize: limits.headBytes,
  });
  asked.maxHeadersCount = 0;
  const fail = (error: NodeJS.ErrnoException) => {
    if (!ENDED.includes(error.code ?? '')) reading.refused = true;
  };
  const take = (incoming: IncomingMessage) => {
    const message = { status: incoming.statusCode, reason: incoming.statusMessage, headers: incoming.rawHeaders };
    reading.messages.push(message);
    collect(incoming, message, () => {});
    incoming.on('error', fail);
  };
  asked.on('response', take);
  asked.on('upgrade', (incoming) => {
    take(incoming);
    Object.assign(reading.messages.at(-1)!, { complete: true });
  });
  asked.on('information', ({ statusCode, statusMessage, rawHeaders }) => {
    const message = { status: statusCode, reason: statusMessage, headers: rawHeaders };
    reading.messages.push({ ...message, body: '', trailers: [], complete: true });
  });
  asked.on('error', fail);
  asked.end();
  await settled();
  connection.push(bytes(text));
  await settled();
  connection.push(null);
  await settled();
  asked.destroy();
  return { ...reading, messages: reading.messages.map(finished) };
}

function codecReadsAnswers(text: string): Reading {
  const { messages, fault } = readResponses([bytes(text)]);
  const final = messages.findIndex(({ head }) => head.status >= 200 || head.status === 101);
  // Node does not look at what follows the answer.
  const ended = final >= 0 && messages[final]!.complete;
  return {
    messages: messages
      .slice(0, final < 0 ? undefined : final + 1)
      .map(({ head: { status, reason, headers }, body, trailers, complete }) =>
        finished({ status, reason, headers, body, trailers, complete }),
      ),
    refused: !ended && fault !== undefined,
  };
}

/** The parts of a head: what both must have told before both refuse what follows. */
const heads = (messages: Reading['messages']) =>
  messages.map((message) => ({ ...message, body: '', trailers: [], complete: false }));

function compare(codec: Reading, node: Reading): Disagreement['kind'] | undefined {
  if (codec.refused !== node.refused) return codec.refused ? 'stricter' : 'laxer';
  const [ours, theirs] = codec.refused
    ? // Node shows a head before it looks at its framing, the codec does not.
      [heads(codec.messages), heads(node.messages.slice(0, codec.messages.length))]
    : [codec.messages, node.messages];
  return JSON.stringify(ours) === JSON.stringify(theirs) ? undefined : 'other';
}

describe.each<
  [string, 'requests' | 'answers', readonly Named[], (text: string) => Reading, (text: string) => Promise<Reading>]
>([
  ['requests', 'requests', requestMessages, codecReadsRequests, nodeReadsRequests],
  ['answers', 'answers', responseMessages, codecReadsAnswers, nodeReadsAnswers],
])('%s', (_name, side, messages, codec, node) => {
  test('names are names of one message', () => {
    expect(new Set(messages.map(([name]) => name)).size).toBe(messages.length);
  });

  test('the two differ where the table says so, in the way it says, and nowhere else', async () => {
    const found: Record<string, string> = {};
    for (const [name, text] of messages) {
      const kind = compare(codec(text), await node(text));
      if (kind !== undefined) found[name] = kind;
    }
    const expected = disagreements.flatMap((row) => (row[side] ?? []).map((name) => [name, row.kind] as const));
    expect(new Set(expected.map(([name]) => name)).size).toBe(expected.length);
    expect(found).toEqual(Object.fromEntries(expected));
  });
});

test('every row has a reason and a message, and whatever is laxer has its place in an RFC', () => {
  for (const { kind, reason, requests = [], answers = [] } of disagreements) {
    expect(requests.length + answers.length, reason).toBeGreaterThan(0);
    if (kind === 'laxer') expect(reason).toMatch(/RFC 911[02]/);
  }
});
