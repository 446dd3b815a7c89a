/** Request smuggling and response splitting: every payload of the table, judged by the bytes that arrive at the server. */
import { describe, expect, test } from 'vitest';
import type { RawClient } from './clients.ts';
import { askLane, openUpload } from './lane-client.ts';
import { type Message, readAnswers, statusOf, targetOf, valuesOf } from './messages.ts';
import { publishFarm } from './one-farm.ts';
import { HOST, publishRecorded, type RecordedFarm, TRANSPORTS } from './recorded-farm.ts';
import { echoTarget, ok, startRecordingServer } from './recording-server.ts';
import { ANSWER_PAYLOADS, REQUEST_PAYLOADS } from './smuggling-payloads.ts';

const OWN_ANSWERS = `
  <rule name="redirect" stopProcessing="true"><match url="^redirect$" /><action type="Redirect" url="/elsewhere" redirectType="Found" /></rule>
  <rule name="forbidden" stopProcessing="true"><match url="^forbidden$" /><action type="CustomResponse" statusCode="403" /></rule>`;

const request = (target: string, method = 'GET', more = '') =>
  `${method} ${target} HTTP/1.1\r\nHost: ${HOST}\r\n${more}\r\n`;
const AFTER = request('/after', 'GET', 'Connection: close\r\n');

/** One more client of the pool, on a connection that it keeps. */
function neighbour(client: RawClient): (target: string) => Promise<string> {
  let seen = 0;
  return async (target) => {
    client.socket.write(request(target));
    const received = await client.when((text) => readAnswers(text.slice(seen), false).messages[0]?.whole === true);
    const [answer] = readAnswers(received.slice(seen), false).messages;
    seen = received.length;
    return answer?.body ?? '';
  };
}

/** Whoever reads this head reads one message: each field once that decides on its length, on lines as they should be. */
function isPlain(head: string): boolean {
  const [line = '', ...fields] = head.slice(0, -4).split('\r\n');
  const count = (name: string) => fields.filter((each) => each.toLowerCase().startsWith(`${name}:`)).length;
  return (
    /^[A-Z]+ \/[\x21-\x7e]* HTTP\/1\.[01]$/.test(line) &&
    fields.every((each) => /^[!#$%&'*+.^_`|~\w-]+: [\x20-\x7e\x80-\xff]*$/.test(each)) &&
    count('host') === 1 &&
    count('content-length') + count('transfer-encoding') <= 1
  );
}

/** What the client got, with what it was an answer to. */
function told(received: string, methods?: readonly string[]): string {
  const { messages } = readAnswers(received, true, methods);
  return messages.at(-1)?.whole ? messages.map(statusOf).join(' ') : 'cut';
}

/** Requests that the server has seen since, and closed connections whose last request never became whole. */
async function arrivedSince(server: RecordedFarm['server'], from: number): Promise<Message[]> {
  await server.until(({ connections }) =>
    connections.every(({ closed, requests }) => closed || requests.every(({ whole }) => whole)),
  );
  for (const { requests } of server.connections) {
    for (const each of requests) {
      if (!isPlain(each.head) && each.whole) throw new Error(`this could be read in two ways: ${each.head}`);
      if (!each.whole && !/^(\/meant|\/smuggled)?$/.test(targetOf(each))) throw new Error(`a part of ${each.head}`);
    }
  }
  return server.requests.slice(from);
}

const POSITIONS = ['as the first request', 'behind another on the connection'] as const;

describe.each(TRANSPORTS)('over %s', (transport) => {
  test.each(POSITIONS)('no request is smuggled to the server, sent %s', async (position) => {
    const farm = await publishRecorded({ rules: OWN_ANSWERS });
    const other = neighbour(farm.open(transport));
    const results: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const { technique, name, bytes, answers, requests, arrives } of REQUEST_PAYLOADS) {
      const row = `${technique}: ${name}`;
      const from = farm.server.requests.length;
      const client = farm.open(transport);
      const first = position === POSITIONS[1] ? request('/first') : '';
      client.socket.write(Buffer.from(first + bytes + AFTER, 'latin1'));
      const methods = [...(first ? ['GET'] : []), bytes.slice(0, bytes.indexOf(' ')), 'GET'];
      const received = await within(client.closed(), row);
      const next = await within(other('/neighbour'), row);
      const arrived = await within(arrivedSince(farm.server, from), row);
      const kept = / 200$/.test(answers) ? ['/after'] : [];
      const [meant] = arrived.filter((each) => targetOf(each) === '/meant');
      if (arrives && meant) expect(meant.head + bodyAsSent(meant), row).toMatch(arrives);
      results[row] = `${told(received, methods)} | ${arrived.map(targetOf).join(' ')} | ${next}`;
      const targets = [...(first ? ['/first'] : []), ...Array(requests).fill('/meant'), ...kept, '/neighbour'];
      expected[row] = `${first ? '200 ' : ''}${answers} | ${targets.join(' ')} | /neighbour`;
    }
    expect(results).toEqual(expected);
    expect(Object.keys(results)).toHaveLength(REQUEST_PAYLOADS.length);
  });

  test('no answer is smuggled to a client', async () => {
    const farm = await publishRecorded({ answer: answerOf });
    const other = neighbour(farm.open(transport));
    const results: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const [i, { technique, name, answers, method }] of ANSWER_PAYLOADS.entries()) {
      const row = `${technique}: ${name}`;
      const client = farm.open(transport);
      client.socket.write(request(`/bad/${i}`, method) + AFTER);
      const received = await within(client.closed(), row);
      const mine = readAnswers(received, true, [method]).messages.at(-1)?.body;
      results[row] = `${told(received, [method])} | ${mine === '/after'} | ${await within(other('/neighbour'), row)}`;
      const cutOff = answers.endsWith('cut');
      expected[row] = `${answers}${cutOff ? '' : ' 200'} | ${!cutOff} | /neighbour`;
      if (received.includes('SMUGGLED')) results[row] += ' SMUGGLED';
    }
    expect(results).toEqual(expected);
    expect(Object.keys(results)).toHaveLength(ANSWER_PAYLOADS.length);
  });
});

function answerOf(each: Message, { socket }: { readonly socket: RawClient['socket'] }): string | undefined {
  const payload = ANSWER_PAYLOADS[Number(/^\/bad\/(\d+)$/.exec(targetOf(each))?.[1] ?? -1)];
  if (payload === undefined) return echoTarget(each);
  if (!payload.ends) return payload.bytes;
  socket.end(payload.bytes, 'latin1');
  return undefined;
}

test('the table has its 120 rows and more, each with a name of its own', () => {
  const names = [...REQUEST_PAYLOADS, ...ANSWER_PAYLOADS].map(({ technique, name }) => `${technique}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
  expect(names.length).toBeGreaterThan(120);
});

function bodyAsSent({ body, trailers, headers }: Message): string {
  if (valuesOf({ headers }, 'transfer-encoding').length === 0) return body;
  const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`;
  return `${chunk}0\r\n${trailers.map((each) => `${each}\r\n`).join('')}\r\n`;
}

/** A row that hangs is told by its name. */
function within<T>(work: Promise<T>, row: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no end of ${row}`)), 10_000);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

describe.each([5, 300, undefined])(
  'HTTP/2: a server that answers before a body of length %s, which never comes',
  (length) => {
    test.each(['200 OK', '401 Unauthorized', '417 Expectation Failed'])(
      'with %s: nobody else gets its connection',
      async (status) => {
        const early = ({ startLine }: Message) =>
          startLine.startsWith('POST') ? `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n\r\nno` : undefined;
        const server = await startRecordingServer({ early, answer: ({ startLine }) => ok(startLine) });
        const farm = await publishFarm({ host: HOST, servers: [server] });
        const next = { port: farm.httpsPort, ...farm.tls, method: 'GET', target: '/next', headers: [] };
        for (let round = 1; round <= 3; round++) {
          expect(await openUpload('HTTP/2', farm, { length }).answered).toBe(`${status.slice(0, 3)} no`);
          expect(await askLane('HTTP/2', next)).toMatchObject({ status: 200, body: 'GET /next HTTP/1.1' });
        }
        const promised = server.connections.filter(
          ({ bytes }) => bytes.startsWith('POST') || bytes.includes('\r\nPOST'),
        );
        expect(promised).toHaveLength(3);
        for (const { bytes } of promised) expect(bytes).not.toMatch(/POST[\s\S]*GET|POST[\s\S]*POST/);
      },
    );
  },
);
