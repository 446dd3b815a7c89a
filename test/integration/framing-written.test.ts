/** The framing that a server is told: one field, whatever the client wrote and however its bytes were split. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { askOver, openHttp2 } from './clients.ts';
import { readAnswers, statusOf, targetOf, valuesOf } from './messages.ts';
import { HOST, publishRecorded, type RecordedFarm } from './recorded-farm.ts';

const SAYS_EMPTY = ['POST', 'PUT', 'PATCH'];
const METHODS = [...SAYS_EMPTY, 'GET', 'DELETE', 'OPTIONS', 'PROPFIND', 'RDG_IN_DATA'];

type Body = 'none' | 'length 0' | 'length 5' | 'chunked empty' | 'chunked 5';

interface Sent {
  readonly method: string;
  readonly body: Body;
  /** Pieces that the bytes of a request come in; HTTP/2: whether its end comes in a frame of its own. */
  readonly pieces: number;
}

const sent = fc.record({
  method: fc.constantFrom(...METHODS),
  body: fc.constantFrom<Body>('none', 'length 0', 'length 5', 'chunked empty', 'chunked 5'),
  pieces: fc.integer({ min: 1, max: 4 }),
});

let count = 0;

/** What the server was told of the n-th request, and what of its body. */
function told(farm: RecordedFarm, target: string) {
  const request = farm.server.requests.find((each) => targetOf(each) === target);
  if (request === undefined) return undefined;
  const framing = ['content-length', 'transfer-encoding'].flatMap((name) =>
    valuesOf(request, name).map((value) => `${name}: ${value}`),
  );
  return { framing, body: request.body };
}

function expected({ method, body }: Sent): { readonly framing: unknown; readonly body: string } {
  const bytes = body.endsWith('5') ? 'hello' : '';
  if (body === 'length 5') return { framing: ['content-length: 5'], body: bytes };
  if (body === 'chunked 5') return { framing: ['transfer-encoding: chunked'], body: bytes };
  if (body === 'length 0') return { framing: ['content-length: 0'], body: bytes };
  if (body === 'none') return { framing: SAYS_EMPTY.includes(method) ? ['content-length: 0'] : [], body: bytes };
  // Whether it is empty may show too late to be told.
  const known = SAYS_EMPTY.includes(method) ? ['content-length: 0'] : [];
  return { framing: expect.toSatisfy((each) => [known, ['transfer-encoding: chunked']].some((one) => `${one}` === `${each}`)), body: bytes }; // biome-ignore format: one line
}

function onTheWire({ method, body }: Sent, target: string): string {
  const fields: Record<Body, string> = {
    none: '',
    'length 0': 'Content-Length: 0\r\n',
    'length 5': 'Content-Length: 5\r\n',
    'chunked empty': 'Transfer-Encoding: chunked\r\n',
    'chunked 5': 'Transfer-Encoding: chunked\r\n',
  };
  const bytes = { none: '', 'length 0': '', 'length 5': 'hello', 'chunked empty': '0\r\n\r\n' }[body as 'none'];
  return `${method} ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${fields[body]}\r\n${bytes ?? '5\r\nhello\r\n0\r\n\r\n'}`;
}

describe.each(['', ' httpVersion="Http11"', ' keepAlive="false"'])('a farm with%s', (attributes) => {
  const protocol = `timeout="00:00:30"${attributes}`;

  test('HTTP/1.1: one field, and the body whole', async () => {
    const farm = await publishRecorded({ protocol });
    const client = farm.open('plain');
    await fc.assert(
      fc.asyncProperty(sent, async (each) => {
        const target = `/${++count}`;
        const bytes = onTheWire(each, target);
        const size = Math.ceil(bytes.length / each.pieces);
        for (let at = 0; at < bytes.length; at += size) {
          client.socket.write(bytes.slice(at, at + size));
          await nextTurn();
        }
        // It is its body.
        await client.until(new RegExp(`\r\n\r\n${target}$`));
        expect(told(farm, target)).toEqual(expected(each));
      }),
      { numRuns: runs(120) },
    );
  });

  test('HTTP/2: the same', async () => {
    const farm = await publishRecorded({ protocol });
    const asked = { protocol: 'HTTP/2' as const, port: farm.httpsPort, host: HOST, ca: farm.ca };
    const session = openHttp2(asked);
    await fc.assert(
      fc.asyncProperty(sent, async (each) => {
        const path = `/${++count}`;
        const length = /^length (\d)$/.exec(each.body)?.[1];
        const bytes = each.body.endsWith('5') ? 'hello' : '';
        const ends = each.pieces === 1 && bytes === '';
        const request = {
          ...asked,
          method: each.method,
          path,
          ...(length === undefined ? {} : { headers: { 'content-length': length } }),
          ...(ends ? {} : { body: bytes }),
        };
        expect((await askOver(session, request)).status).toBe(200);
        // HTTP/2 has no chunks: what ends behind its head has none, and what does not is of unknown length.
        const body: Body = length === undefined && !ends ? (bytes === '' ? 'chunked empty' : 'chunked 5') : each.body;
        expect(told(farm, path)).toEqual(expected({ ...each, body: ends && length === undefined ? 'none' : body }));
      }),
      { numRuns: runs(120) },
    );
  });
});

test('an empty chunked body that came in one piece, for HTTP/1.0: its length', async () => {
  const farm = await publishRecorded({ protocol: 'httpVersion="Http10"' });
  const client = farm.open('plain');
  client.socket.write(onTheWire({ method: 'POST', body: 'chunked empty', pieces: 1 }, '/ten'));
  await client.until(/\r\n\r\n\/ten$/);
  expect(told(farm, '/ten')).toEqual({ framing: ['content-length: 0'], body: '' });
});

test.each(['ZZ\r\n', '5\r\nhelloXX', '5;\x01=1\r\nhello\r\n'])(
  'a fault in what lies there of a body costs no server anything: %j',
  async (body) => {
    const farm = await publishRecorded();
    const client = farm.open('plain');
    client.socket.write(`POST /x HTTP/1.1\r\nHost: ${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n${body}`);
    expect(readAnswers(await client.closed(), true).messages.map(statusOf)).toEqual(['400']);
    expect(farm.server.connections).toEqual([]);
  },
);
