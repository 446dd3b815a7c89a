/** Rows F03 and F04 of the list of threats: more connections than there may, or can, be. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, openRaw, type RawClient } from './clients.ts';
import { applicationHost, farmRules, webFarm, writeFolder } from './environment.ts';
import { targetOf } from './messages.ts';
import { freePort } from './ports.ts';
import { HOST, publishRecorded, type RecordedFarm } from './recorded-farm.ts';
import { ok, startRecordingServer } from './recording-server.ts';

const request = `GET / HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;

function plain({ httpPort: port }: RecordedFarm, address?: string) {
  return ask({ protocol: 'HTTP/1.1', plain: true, port, host: HOST, ...(address === undefined ? {} : { address }) });
}

describe('floods of connections (F03)', () => {
  test('limits.connections: those beyond it are closed at once, and there is room again when one ends', async () => {
    const farm = await publishRecorded({ settings: { limits: { connections: 5 } } });
    const clients = Array.from({ length: 5 }, () => farm.open('plain'));
    for (const each of clients) {
      each.socket.write(request);
      await each.until(/200 OK/);
    }
    await expect(plain(farm)).rejects.toThrow();
    expect(await farm.open('plain').closed()).toBe('');
    clients[0]?.socket.end();
    await clients[0]?.closed();
    expect((await served(() => plain(farm))).status).toBe(200);
    clients[1]?.socket.write(request);
    await clients[1]?.until(/200 OK[\s\S]*200 OK/);
  });

  test('limits.connectionsPerAddress: one address is refused, the others are served', async () => {
    const farm = await publishRecorded({ settings: { limits: { connectionsPerAddress: 3 } } });
    const clients = Array.from({ length: 3 }, () => farm.open('plain'));
    for (const each of clients) {
      each.socket.write(request);
      await each.until(/200 OK/);
    }
    await expect(plain(farm)).rejects.toThrow();
    const other = connect({ port: farm.httpPort, host: '127.0.0.1', localAddress: '127.0.0.9' });
    onTestFinished(() => {
      other.destroy();
    });
    other.write(request);
    const answer = await new Promise<Buffer>((resolve) => other.once('data', resolve));
    expect(answer.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /);
  });

  test('limits.connectionsPerAddress counts over all listeners, and not who comes by a trusted proxy', async () => {
    const limited = { limits: { connectionsPerAddress: 3 } };
    const farm = await publishRecorded({ settings: { ...limited, trustedProxies: ['127.0.0.9/32'] } });
    const clients = [farm.open('plain'), farm.open('TLS'), farm.open('TLS')];
    for (const each of clients) {
      each.socket.write(request);
      await each.until(/200 OK/);
    }
    for (const transport of ['plain', 'TLS'] as const) expect(await farm.open(transport).closed()).toBe('');
    const proxies = Array.from({ length: 5 }, () =>
      connect({ port: farm.httpPort, host: '127.0.0.1', localAddress: '127.0.0.9' }),
    );
    onTestFinished(() => {
      for (const each of proxies) each.destroy();
    });
    for (const each of proxies) {
      each.write(request);
      const [answer] = await once(each, 'data');
      expect(String(answer)).toMatch(/^HTTP\/1\.1 200 /);
    }
  });

  test('2,000 connections that are reset at once, at every stage, leave nothing behind', async () => {
    const farm = await publishRecorded();
    const stages = ['', 'GET / HT', `POST / HTTP/1.1\r\nHost: ${HOST}\r\nContent-Length: 9\r\n\r\nx`, request];
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 200 }, async (_, i) => {
          const { socket } = openRaw(i % 2 === 0 ? farm.httpPort : farm.httpsPort);
          await new Promise((resolve) => socket.once('connect', resolve));
          socket.write(stages[i % stages.length] ?? '');
          socket.resetAndDestroy();
        }),
      );
    }
    expect((await plain(farm)).status).toBe(200);
    // Connections to the server that nobody waits for any more are closed, or idle in the pool.
    await farm.server.until(({ connections }) =>
      connections.every(({ closed, requests }) => closed || requests.every(({ whole }) => whole)),
    );
    expect(await farm.proxy.serving.stop(5)).toBe(0);
  });

  test('1,000 idle connections do not keep another client waiting', async () => {
    const farm = await publishRecorded();
    const idle = Array.from({ length: 1000 }, () => openRaw(farm.httpPort).socket);
    await Promise.all(idle.map((socket) => new Promise((resolve) => socket.once('connect', resolve))));
    for (let i = 0; i < 10; i++) expect((await plain(farm)).status).toBe(200);
    expect(idle.filter(({ destroyed }) => destroyed)).toEqual([]);
  });
});

/** Until the place of a connection that has ended is seen to be free. */
async function served<T>(work: () => Promise<T>): Promise<T> {
  for (let i = 0; i < 100; i++) {
    const told = await work().catch(() => undefined);
    if (told !== undefined) return told;
  }
  return await work();
}

describe('no more file descriptors (F04)', () => {
  test('connections are refused without burning CPU, the log goes on, and all is well when some are free again', async () => {
    const server = await startRecordingServer();
    const port = await freePort();
    const folder = writeFolder({
      iis: applicationHost({
        bindings: [`http *:${port}:${HOST}`],
        farms: webFarm('fe', { servers: [{ address: '127.0.0.1', httpPort: server.httpPort }] }),
        rules: farmRules('fe', HOST),
      }),
      settings: {
        workers: 1,
        timeouts: { header: 3 },
        log: { level: 'info', access: { format: 'json', file: 'access.log' } },
      },
    });
    const service = limited(folder.configDir, 64);
    await service.prints(/Lychgate serves/);
    const [worker = 0] = childrenOf(service.pid);
    const asked = { protocol: 'HTTP/1.1' as const, plain: true, port, host: HOST };
    expect((await ask(asked)).status).toBe(200);
    const before = cpuSeconds(worker);
    const flood = Array.from({ length: 200 }, () => openRaw(port));
    for (const { socket } of flood) socket.write('GET / HT');
    const told = await Promise.all(flood.map((each) => each.closed()));
    // Those that find no descriptor are refused at once, the others hold all there are until timeouts.header.
    const held = told.filter((each) => each !== '');
    expect(held.length).toBeGreaterThan(10);
    expect(held.length).toBeLessThan(flood.length);
    expect(held.filter((each) => !each.startsWith('HTTP/1.1 408 '))).toEqual([]);
    expect(cpuSeconds(worker) - before).toBeLessThan(1.5);
    expect((await served(() => ask(asked))).status).toBe(200);
    await service.ended('SIGTERM');
    const lines = readFileSync(join(folder.configDir, 'access.log'), 'utf8').trim().split('\n');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  });

  test('none for a connection to a server: 502.3, no worker dies of it, and the server is not taken for dead', async () => {
    const server = await startRecordingServer({
      answer: (each) => (targetOf(each) === '/held' ? undefined : ok('answer')),
    });
    const port = await freePort();
    const { configDir } = writeFolder({
      iis: applicationHost({
        bindings: [`http *:${port}:${HOST}`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', httpsPort: server.httpsPort }] }),
        rules: farmRules('fe', HOST).replace('http://fe', 'https://fe'),
      }),
      settings: {
        workers: 1,
        hosts: { 'fe01.contoso.local': '127.0.0.1' },
        log: { level: 'info', access: { format: 'off' } },
      },
    });
    const held: RawClient[] = [];
    /** What a client gets: `held`, its status, or `` where there is no descriptor for itself. */
    const hold = async () => {
      const client = openRaw(port);
      const { length } = server.requests;
      client.socket.write(`GET /held HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`);
      const arrived = server.until(({ requests }) => requests.length > length).then(() => 'held');
      const got = await Promise.race([arrived, client.closed()]);
      if (got === 'held') held.push(client);
      return got.replace(/^HTTP\/1\.1 (\d+)[\s\S]*/, '$1');
    };
    const fill = async () => {
      for (;;) {
        const got = await hold();
        if (got !== 'held') return got;
      }
    };
    // Each takes two: with one or the other number the last client has one, and its server none.
    let service = limited(configDir, 64);
    await service.prints(/Lychgate serves/);
    if ((await fill()) === '') {
      await service.ended('SIGKILL');
      service = limited(configDir, 63);
      await service.prints(/Lychgate serves/);
      expect(await fill()).toBe('502');
    }
    const workers = childrenOf(service.pid);
    for (let failed = 1; failed < 5; ) {
      const got = await hold();
      // The descriptor of the client before may not be free again yet.
      if (got === '') continue;
      expect(got).toBe('502');
      failed++;
    }
    expect(service.printed()).toMatch(/"code":"502.3","win32":12029.*EMFILE/);
    expect(service.printed()).not.toMatch(/no connection can be made|"code":"502.4"/);
    // A mere end could be that of a client which still waits for its answer.
    for (const { socket } of held) socket.resetAndDestroy();
    const asked = { protocol: 'HTTP/1.1' as const, plain: true, port, host: HOST };
    await expect.poll(async () => (await served(() => ask(asked))).status).toBe(200);
    expect(childrenOf(service.pid)).toEqual(workers);
    await service.ended('SIGTERM');
  });
});

/** The service with this many descriptors for each of its processes. */
function limited(configDir: string, descriptors: number) {
  const main = join(import.meta.dirname, '../../src/main.ts');
  const command = `ulimit -n ${descriptors}; exec "$0" "$@"`;
  const child = spawn('/bin/sh', ['-c', command, process.execPath, main, 'run', '--config', configDir], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const exit = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const watch = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
      for (const each of watch) each();
    });
  }
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exit;
  });
  return {
    pid: child.pid ?? 0,
    printed: () => printed,
    prints: (pattern: RegExp) =>
      Promise.race([
        new Promise<void>((resolve) => {
          const look = () => pattern.test(printed) && resolve();
          watch.add(look);
          look();
        }),
        exit.then(() => {
          if (!pattern.test(printed)) throw new Error(`it ended: ${printed}`);
        }),
      ]),
    async ended(signal: NodeJS.Signals): Promise<void> {
      child.kill(signal);
      await exit;
    },
  };
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

/** User and system time of a process so far; the kernel counts in hundredths of a second. */
function cpuSeconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
