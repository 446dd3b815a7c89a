/** Clients of HTTP/1.1 that ask for more than they read: one request at a time, and no connection to a server is left behind. */
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ask, openRaw } from './clients.ts';
import { httpServer, publishFarm } from './one-farm.ts';

const HOST = 'www.contoso.com';
const ASKED = 300;
/** Nearly what is gathered for a client that does not read: most answers end where no more of them may be asked for. */
const BODY = Buffer.alloc(60_000, 'x');

async function pipelining() {
  let opened = 0;
  let asked = 0;
  const { port, server, sockets } = await httpServer((_request, response) => {
    asked++;
    response.end(BODY);
  });
  server.on('connection', () => opened++);
  const farm = await publishFarm({ host: HOST, servers: [{ httpPort: port }] });
  const client = openRaw(farm.httpPort);
  client.socket.pause();
  client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`.repeat(ASKED));
  return { farm, client, sockets, opened: () => opened, asked: () => asked };
}

test('one that reads slowly: a new connection to the server takes the place of an old one', async () => {
  const { client, sockets } = await pipelining();
  client.socket.on('data', () => {
    client.socket.pause();
    void pause(1).then(() => client.socket.resume());
  });
  client.socket.resume();
  await client.when((received) => received.length > ASKED * BODY.length);
  await expect.poll(() => sockets.size).toBeLessThanOrEqual(3);
});

test('one that is gone has nothing asked for it any more', async () => {
  const { client, farm, opened, asked } = await pipelining();
  const answered = () => ask({ protocol: 'HTTP/1.1', plain: true, port: farm.httpPort, host: HOST });
  let last = -1;
  for (let turns = 0; turns < 200; turns++) {
    if (asked() !== last || last === 0) turns = 0;
    last = asked();
    await new Promise(setImmediate);
  }
  client.socket.destroy();
  expect((await answered()).status).toBe(200);
  expect([opened(), asked()]).toEqual([1, last + 1]);
});
