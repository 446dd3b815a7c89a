/** Pins are kept by names: a farm that is made anew finds them again, and no two farms share one. */
import pino from 'pino';
import { expect, test } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { defaultFarmSettings } from '../../src/config/settings.ts';
import { createConnections } from '../../src/connect/connections.ts';
import { createPinnedConnections } from '../../src/connect/pinned-connection.ts';
import type { ServerConnection } from '../../src/connect/server-connection.ts';
import { createDirectFarm, createWebFarm, directTarget } from '../../src/farm/web-farm.ts';
import { writeFiles } from '../config/written.ts';

/** A connection that ends when it is told to. */
function connection() {
  let ended = false;
  let onEnd = () => {};
  const fake = {
    pin: (callback: () => void) => (onEnd = callback),
    abandon() {
      ended = true;
      onEnd();
    },
  };
  return { fake: fake as unknown as ServerConnection, hasEnded: () => ended };
}

test('by farm and scheme, until the connection ends', () => {
  const all = createPinnedConnections(3);
  const pins = all.forClient();
  const [one, other] = [connection(), connection()];
  expect(pins.pin('farm one', 'https', { server: 'a', connection: one.fake })).toBe(true);
  expect(pins.get('farm one', 'https')?.server).toBe('a');
  expect([pins.get('farm one', 'http'), pins.get('farm two', 'https')]).toEqual([undefined, undefined]);
  // Another login takes the place of the first.
  expect(pins.pin('farm one', 'https', { server: 'b', connection: other.fake })).toBe(true);
  expect([one.hasEnded(), pins.get('farm one', 'https')?.server, all.count]).toEqual([true, 'b', 1]);
  pins.close();
  expect([other.hasEnded(), pins.get('farm one', 'https'), all.count]).toEqual([true, undefined, 0]);
});

test('no two farms or hosts have the same key, and one that is made anew has its own again', () => {
  const names = ['one', 'two', 'literal one 80', 'computed one '];
  const farms = names.map((name) => `<webFarm name="${name}"><server address="a" /></webFarm>`);
  const { config } = loadFile(
    `${writeFiles({ 'applicationHost.config': `<configuration><webFarms>${farms.join('')}</webFarms></configuration>` })}/applicationHost.config`,
  );
  const connections = createConnections({ upgradeIdle: 60 });
  const log = pino({ level: 'silent' });
  const { circuit: _none, ...withoutCircuit } = defaultFarmSettings('settings.json');
  const around = {
    settings: withoutCircuit,
    routes: { key: '', name: () => expect.unreachable(), to: () => expect.unreachable(), close: () => undefined },
    ...{ names: [], ca: [], allowPartialTrustChain: false },
    ...{ clientCertificate: undefined, localAddress: undefined, connectTimeout: 10 },
  };
  const parts = { around, connections, log, states: new Map(), secret: new Uint8Array(32), askHost: () => undefined };
  const make = () => [
    ...config!.webFarms.map((farm) => createWebFarm(farm, parts)),
    ...(['one', 'two'] as const).flatMap((host) =>
      [undefined, 80, 443].flatMap((port) =>
        [false, true].map((computed) => createDirectFarm(directTarget(host, port, computed), config!.proxy, parts)),
      ),
    ),
  ];
  const keys = make().map(({ key }) => key);
  expect(keys).toHaveLength(names.length + 12);
  expect(new Set(keys).size).toBe(keys.length);
  expect(make().map(({ key }) => key)).toEqual(keys);
  connections.destroy();
});
