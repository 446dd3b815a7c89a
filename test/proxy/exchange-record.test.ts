/** How often the service log tells that exchanges fail: of each server of a farm, and in bounded memory. */
import { expect, test } from 'vitest';
import { ExchangeError } from '../../src/errors.ts';
import { reportFailure } from '../../src/proxy/exchange-record.ts';
import type { Decision } from '../../src/proxy/pipeline.ts';
import type { RequestHead } from '../../src/proxy/request-head.ts';
import type { Runtime } from '../../src/proxy/runtime.ts';
import { createLimitedLog } from '../../src/telling-limit.ts';

/** @returns what is told of one failure of each of these servers, one after the other */
function told(farm: string, servers: readonly string[]): readonly unknown[] {
  const lines: unknown[] = [];
  const add = (facts: object, msg: string) => lines.push({ ...facts, msg });
  const log = { info: add, warn: add, error: add } as unknown as Runtime['log'];
  const limitedLog = createLimitedLog(log, { most: 2, milliseconds: 60_000 });
  const decision = { action: 'forward', site: 'Published', rule: 'all', farm: { name: farm } } as Decision;
  const head = { connection: { remoteAddress: '192.0.2.1' } } as RequestHead;
  for (const server of servers) {
    const failure = new ExchangeError('connectionAborted', `${server}: the server closed the connection`);
    reportFailure({ log, limitedLog }, failure, { head, logId: '', decision, server });
  }
  return lines;
}

test('a second server of a farm that fails is told, however often the first one was', () => {
  expect(told('fe', ['fe01', 'fe01', 'fe01', 'fe02', 'fe01', 'fe02', 'fe02'])).toMatchObject([
    { server: 'fe01', msg: 'fe01: the server closed the connection' },
    { server: 'fe01' },
    { server: 'fe02', msg: 'fe02: the server closed the connection' },
    { server: 'fe02' },
  ]);
});

test('hosts that requests choose are one thing together', () => {
  expect(told('', ['a.example', 'b.example', 'c.example', 'd.example'])).toHaveLength(2);
});
