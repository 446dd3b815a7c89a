/** Much work for one client at once (row R08, and floods of pipelined requests): others have their turn meanwhile. */
import { Readable } from 'node:stream';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { Exchange } from '../../src/proxy/exchange.ts';
import { rewriteBody } from '../../src/proxy/outbound-answer.ts';
import { type OutboundText, runHead } from '../rewrite/outbound-configs.ts';
import { ask, collect, openRaw } from './clients.ts';
import { applicationHost, farmRules, startProxy, webFarm } from './environment.ts';
import { freePort } from './ports.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Counts the turns of the event loop until the test ends. */
function countTurns(): () => number {
  let turns = 0;
  let done = false;
  const next = () => {
    turns++;
    if (!done) setImmediate(next);
  };
  setImmediate(next);
  onTestFinished(() => {
    done = true;
  });
  return () => turns;
}

/** Each time that somebody asks for it, another millisecond has passed: work costs what it is asked for, on any machine. */
function slowWork(): void {
  let now = performance.now();
  vi.spyOn(performance, 'now').mockImplementation(() => now++);
}

const LINK = '<a href="http://inside.example/page">link</a>\n';
const OUTSIDE = '<a href="https://outside.example/page">link</a>\n';
const LINKS = 5000;

const WHOLE: OutboundText = { pattern: 'http://inside.example/', value: 'https://outside.example/' };
const TAGS: OutboundText = {
  ...WHOLE,
  tags: ['A'],
  pattern: '^http://inside.example/(.*)',
  value: 'https://outside.example/{R:1}',
};

test.each([
  ['tags', TAGS, 1],
  ['the whole body', WHOLE, 1],
  ['tags, of four at once,', TAGS, 4],
  ['the whole body, of four at once,', WHOLE, 4],
])('outbound rules for %s give the loop back every few milliseconds, and change each link', async (_, rule, times) => {
  const rules = runHead([rule])?.body ?? expect.fail('no rules for the body');
  // Nothing is left of the turn of another test, whose clock was ahead.
  await new Promise(setImmediate);
  const turns = countTurns();
  slowWork();
  const rewritten = await Promise.all(
    Array.from({ length: times }, async () => {
      const source = Readable.from([Buffer.from(LINK.repeat(LINKS))]);
      const { body } = await rewriteBody(
        { status: 200, reason: 'OK', headers: [], body: 'chunked', upgrade: '' },
        source,
        { rules, received: ['Content-Type', 'text/html'], bufferLimit: 4096, tooLarge: () => expect.fail('too large') },
      );
      return (await collect(body)).toString();
    }),
  );
  const whole = OUTSIDE.repeat(LINKS);
  expect(rewritten.map((each) => each === whole)).toEqual(Array(times).fill(true));
  // 4 ms in a turn, and the clock is asked at least once for 1 KB of the body.
  expect(turns()).toBeGreaterThan((times * LINKS * LINK.length) / 1024 / 5);
});

test('thousands of pipelined requests of five clients to a dead farm: a few of them in a turn, and all are answered', async () => {
  const port = await freePort();
  const host = 'dead.contoso.com';
  await startProxy({
    iis: applicationHost({
      bindings: [`http *:${port}:${host}`],
      farms: webFarm('fe', { servers: [{ address: '127.0.0.1', httpPort: await freePort() }] }),
      rules: farmRules('fe', host),
    }),
    settings: { log: { access: { format: 'off' } } },
  });
  const gone = () => ask({ protocol: 'HTTP/1.1', plain: true, port, host });
  // Those that find out that it is.
  while (!(await gone()).body.toString().includes('502.4'));
  let inTurn = 0;
  let most = 0;
  const decide = Exchange.prototype.decide;
  vi.spyOn(Exchange.prototype, 'decide').mockImplementation(function (this: Exchange) {
    if (inTurn++ === 0) setImmediate(() => (inTurn = 0));
    most = Math.max(most, inTurn);
    return decide.call(this);
  });
  const last = `GET /last HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;
  const flood = Array.from({ length: 5 }, () => openRaw(port));
  for (const { socket } of flood) socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(1_999) + last);
  const answers = await Promise.all(flood.map((each) => each.closed()));
  expect(answers.map((all) => all.split('HTTP/1.1 502 ').length - 1)).toEqual(Array(5).fill(2_000));
  // 64 of each client that has just begun, and of one that goes on.
  expect(most).toBeLessThanOrEqual(6 * 64);
});
