import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import { createSendQueues } from '../../src/proxy/send-queues.ts';

const FOUR = { localAddress: '127.0.0.1', localPort: 8080, remoteAddress: '192.0.2.1', remotePort: 50000 } as Socket;
const MAPPED = { ...FOUR, localAddress: '::ffff:127.0.0.1', remoteAddress: '::ffff:192.0.2.1' } as Socket;
const SIX = { localAddress: '::1', localPort: 443, remoteAddress: 'fe80::1:2%eth0', remotePort: 65535 } as Socket;

const HEAD = '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n';
const line = (ends: string, bytes: string) => ` 12: ${ends} 01 ${bytes}:0000000A 00:00000000 00000000 1000 0 5920447\n`;
/** As a machine with the least byte first prints them. */
const ENDS = {
  four: '0100007F:1F90 010200C0:C350',
  mapped: '0000000000000000FFFF00000100007F:1F90 0000000000000000FFFF0000010200C0:C350',
  six: '00000000000000000000000001000000:01BB 000080FE000000000000000002000100:FFFF',
};

/** Milliseconds after which it is looked up again, however slow this machine is. */
const LONG_AFTER = 1e9;

/** Tables that a test fills. */
function tables() {
  const text = new Map<string, string>();
  let reads = 0;
  return {
    text,
    reads: () => reads,
    *read(name: string) {
      reads++;
      const all = text.get(name);
      if (all === undefined) throw new Error('ENOENT');
      // Cut anywhere.
      for (let at = 0; at < all.length; at += 7) yield all.slice(at, at + 7);
    },
    settle: () => new Promise((resolve) => setTimeout(resolve)),
  };
}

test('a connection of IPv4, of IPv4 in IPv6 and of IPv6 is found in the tables of the kernel', async () => {
  const { text, read } = tables();
  text.set('/proc/net/tcp', HEAD + line('0100007F:0001 0100007F:0002', '000000FF') + line(ENDS.four, '0038E000'));
  text.set('/proc/net/tcp6', HEAD + line(ENDS.mapped, '00000010') + line(ENDS.six, '00000000'));
  const queues = createSendQueues(read);
  for (const [index, [socket, bytes]] of [
    [FOUR, 0x38e000] as const,
    [MAPPED, 0x10] as const,
    [SIX, 0] as const,
  ].entries()) {
    await expect.poll(() => queues.look(socket, index * LONG_AFTER)?.bytes).toBe(bytes);
  }
});

test('since when it has not moved, and that nobody is asked for is not looked up', async () => {
  const { text, read, reads } = tables();
  const queues = createSendQueues(read);
  const look = async (now: number, bytes: string) => {
    text.set('/proc/net/tcp', HEAD + line(ENDS.four, bytes));
    await expect.poll(() => queues.look(FOUR, now)?.seen).toBe(now);
    return queues.look(FOUR, now);
  };
  const [first, second, third] = [LONG_AFTER, 2 * LONG_AFTER, 3 * LONG_AFTER];
  expect(await look(first, '00000100')).toEqual({ bytes: 256, since: first, seen: first });
  expect(await look(second, '00000100')).toEqual({ bytes: 256, since: first, seen: second });
  expect(await look(third, '000000FF')).toEqual({ bytes: 255, since: third, seen: third });
  const before = reads();
  // Too soon.
  expect(queues.look(FOUR, third + 1)).toEqual({ bytes: 255, since: third, seen: third });
  expect(reads()).toBe(before);
});

test('where the kernel does not tell, it is taken to hold nothing', async () => {
  const { read, reads, settle } = tables();
  const queues = createSendQueues(read);
  for (const look of [1, 2, 3]) {
    expect(queues.look(FOUR, look * LONG_AFTER)).toBeUndefined();
    await expect.poll(reads).toBe(2 * look);
    await settle();
  }
  expect(queues.look(FOUR, 4 * LONG_AFTER)).toEqual({
    bytes: 0,
    since: Number.NEGATIVE_INFINITY,
    seen: Number.POSITIVE_INFINITY,
  });
});
