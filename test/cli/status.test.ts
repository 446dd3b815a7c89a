/** `lychgate status`: the table, its exit codes, and what is said where the service cannot be asked. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { runCommandLine } from '../../src/cli/cli.ts';
import { printStatus } from '../../src/cli/print-status.ts';
import { adviceOn } from '../../src/cli/status.ts';
import { widthOf } from '../../src/terminal.ts';
import { reportedFarm, reportedServer, startListener, TOKEN } from '../admin/listener.ts';
import { freePort } from '../integration/ports.ts';
import { adminFolder } from './admin-folder.ts';
import { commandLine } from './command-line.ts';

const { counters } = reportedServer('');
const busy = {
  ...counters,
  currentRequests: 3,
  totalRequests: 12_345,
  failedRequests: 2,
  requestPerSecond: 12.34,
  responseTime: 4.5,
};
const farms = [
  reportedFarm('Lync', [
    reportedServer('pool01.contoso.local', {
      counters: { ...busy, currentWebSocketRequests: 1, totalWebSocketRequests: 10 },
    }),
    reportedServer('pool02.contoso.local', { state: 'Draining' }),
    reportedServer('2001:db8::5', {
      isHealthy: false,
      healthReason: 'answered 503',
      healthSince: '2026-11-26T10:05:12.345Z',
    }),
    reportedServer('2001:db8::6', {
      isHealthy: false,
      healthReason: 'answered 500',
      isReachable: false,
      takesRequests: true,
    }),
    reportedServer('2001:db8::7', { isReachable: false, takesRequests: false }),
    reportedServer('10.0.0.20', { enabled: false }),
  ]),
  reportedFarm('Office Web Apps', [reportedServer('owas01.contoso.local', { state: 'Inactive' })]),
  reportedFarm('retired', [reportedServer('old.contoso.local', { enabled: false })], false),
];

const TABLE = `
FARM             SERVER                STATE         HEALTHY  NOW   TOTAL  FAILED  PER SECOND  ANSWERS IN
Lync             pool01.contoso.local  Active        yes        4  12,355       2        12.3      4.5 ms
                 pool02.contoso.local  Draining      yes        0       0       0         0.0           -
                 2001:db8::5           Active        no         0       0       0         0.0           -
                 unhealthy: answered 503, since 2026-11-26 10:05:12 UTC
                 2001:db8::6           Active        no         0       0       0         0.0           -
                 unhealthy: answered 500; out of reach: no connection can be made; it takes requests all the same (minServers)
                 2001:db8::7           Active        yes        0       0       0         0.0           -
                 out of reach: no connection can be made
                 10.0.0.20             switched off  -          0       0       0         0.0           -
Office Web Apps  owas01.contoso.local  Inactive      yes        0       0       0         0.0           -
retired          old.contoso.local     switched off  -          0       0       0         0.0           -
`.slice(1);

test('a table of all farms, and code 1 where one that is switched on has no server for new clients', async () => {
  const { port } = await startListener({ farms });
  const folder = adminFolder({ address: `127.0.0.1:${port}` });
  expect(await commandLine('status', '--config', folder)).toEqual({
    code: 1,
    out: `${TABLE}No server of Office Web Apps takes requests of new clients.\n`,
    err: '',
  });
  const one = await commandLine('status', 'LYNC', '--config', folder);
  expect([one.code, one.out.split('\n').length]).toEqual([0, 11]);
  expect(await commandLine('status', 'retired', '--config', folder)).toMatchObject({ code: 0, err: '' });
});

test('JSON for programs, as the API gives it', async () => {
  const notices = ['The states of servers cannot be written.'];
  const { port } = await startListener({ farms, control: { notices: () => notices } });
  const folder = adminFolder({ address: `127.0.0.1:${port}` });
  const all = await commandLine('status', '--json', '--config', folder);
  expect([all.code, JSON.parse(all.out), all.err]).toEqual([1, { farms, notices }, `lychgate: ${notices[0]}\n`]);
  const one = await commandLine('status', 'lync', '--json', '--config', folder);
  expect([one.code, JSON.parse(one.out)]).toEqual([0, { farms: [farms[0]], notices }]);
});

test('a service without farms', async () => {
  const { port } = await startListener();
  const told = await commandLine('status', '--config', adminFolder({ address: `127.0.0.1:${port}` }));
  expect(told).toEqual({ code: 0, out: 'The service has no web farm.\n', err: '' });
});

test('a mistyped farm', async () => {
  const { port } = await startListener({ farms });
  const folder = adminFolder({ address: `127.0.0.1:${port}` });
  const near = await commandLine('status', 'Linc', '--config', folder);
  expect([near.code, near.err.split('\n')[0]]).toEqual([
    2,
    'lychgate status: the service has no web farm "Linc". Did you mean "Lync"?',
  ]);
  expect(adviceOn('fe03', ['fe01', 'fe02', 'edge'])).toBe('Did you mean "fe01" or "fe02"?');
  const far = await commandLine('status', 'Exchange', '--config', folder);
  expect(far.err).toContain('There are: Lync, Office Web Apps, retired.');
});

describe('the table in a terminal', () => {
  const plain = (columns: number) => printStatus(farms, { colour: false, columns });

  test.each([200, 105, 100, 90, 80, 70, 60, 50, 40])(
    'of %d columns: no line is longer, and columns stay under their titles',
    (columns) => {
      const [head = '', ...lines] = plain(columns);
      for (const line of [head, ...lines]) expect(line.length).toBeLessThanOrEqual(columns);
      const state = head.indexOf('STATE');
      // The others are the reasons, broken where they are longer.
      const rows = lines.filter((line) => /^(Active|Draining|Inactive|switched off)/.test(line.slice(state)));
      expect(rows).toHaveLength(8);
    },
  );

  test('names stay whole: the least needed columns go first, which is marked', () => {
    expect(plain(200).join('\n')).toBe(TABLE.trimEnd());
    expect(plain(98)[0]).toMatch(/PER SECOND {2}…$/);
    expect(plain(80)[0]).toMatch(/FARM +SERVER +STATE +HEALTHY +NOW {2}FAILED {2}…$/);
    expect(plain(60)[0]).toMatch(/FARM +SERVER +STATE {2}…$/);
    for (const columns of [105, 98, 90, 80, 65, 60]) {
      expect(plain(columns)[1]).toMatch(/^Lync {13}pool01\.contoso\.local {2}Active/);
      expect(plain(columns).slice(1).join('')).not.toContain('…');
    }
  });

  test('names that are too long for it are cut in the middle: those that differ late stay apart', () => {
    const names = ['meet.fabrikam-backerei.test', 'meet.fabrikam-backerei.example'];
    const long = names.map((name) => reportedFarm(name, [reportedServer('pool01.fabrikam.local')]));
    const [, one = '', other = ''] = printStatus(long, { colour: false, columns: 60 });
    expect(one.slice(0, 24)).not.toBe(other.slice(0, 24));
    expect([one, other]).toEqual([expect.stringMatching(/^meet\S+\.test /), expect.stringMatching(/^meet\S+example /)]);
    expect(printStatus(long, { colour: false, columns: 80 }).join('\n')).toContain(names[0]);
  });

  test('the reason is broken to fit, as all else', () => {
    const healthReason =
      'the certificate of the server is for ex01.fabrikam.local and exchange.fabrikam.local, not for ex02';
    const [farm] = farms;
    const [server] = farm!.servers;
    const bad = [{ ...farm!, servers: [{ ...server!, enabled: true, isHealthy: false, healthReason }] }];
    for (const columns of [60, 80, 120]) {
      const lines = printStatus(bad, { colour: true, columns });
      expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(columns);
      expect(
        lines
          .join(' ')
          .replace(/\u001b\[\d*m/g, '')
          .replace(/\s+/g, ' '),
      ).toContain(`unhealthy: ${healthReason}`);
    }
  });

  test('what is empty has no style', () => {
    const two = [reportedFarm('a', [reportedServer('b'), reportedServer('c')])];
    expect(printStatus(two, { colour: true }).join('\n')).not.toContain('\u001b[1m\u001b[0m');
  });

  test('wide characters take two places', () => {
    const wide = [reportedFarm('会議', [reportedServer('a')]), reportedFarm('e\u0301te\u0301', [reportedServer('b')])];
    const [, first = '', second = ''] = printStatus(wide, { colour: false });
    expect(first.indexOf('Active') + 2).toBe(second.replaceAll('\u0301', '').indexOf('Active'));
  });

  test('names and reasons do not steer the terminal', () => {
    const evil = [
      reportedFarm('a\u001b[2Jb', [reportedServer('s', { isHealthy: false, healthReason: 'x\r\ny\u0007' })]),
    ];
    expect(printStatus(evil, { colour: false }).join('\n')).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f]/);
  });

  test('colour there alone', async () => {
    const { port } = await startListener({ farms });
    const args = ['status', '--config', adminFolder({ address: `127.0.0.1:${port}` })];
    let out = '';
    const terminal = { isTTY: true, columns: 80, write: (text: string) => (out += text) };
    await runCommandLine(args, { out: terminal, err: terminal });
    expect(out).toContain('\u001b[33mDraining\u001b[0m');
    expect(out).toContain('\u001b[31mno\u001b[0m');
    expect((await commandLine(...args)).out).not.toContain('\u001b');
  });
});

describe('a service that cannot be asked: code 3, and what to check', () => {
  const told = async (folder: string, ...args: string[]) => {
    const { code, out, err } = await commandLine('status', '--config', folder, ...args);
    expect([code, out]).toEqual([3, '']);
    expect(err).not.toContain('    at ');
    return err;
  };

  test('nobody listens', async () => {
    const port = await freePort();
    const folder = adminFolder({ address: `127.0.0.1:${port}` });
    expect(await told(folder)).toBe(
      `lychgate: the service at 127.0.0.1:${port} cannot be reached: nobody listens there. Does it run, and with this folder? "admin" in ${folder}/settings.json says where it is asked; another folder is named with --config DIR.\n`,
    );
  });

  test('no admin listener', async () => {
    expect(await told(adminFolder(false))).toContain('switches the admin listener off ("admin": false)');
  });

  test.each(['127.0.0.1', '0.0.0.0', '*', '::1', '::'])(
    'the listener of %s is asked on loopback, with its token',
    async (address) => {
      const { port } = await startListener({
        farms,
        address,
        at: address.includes(':') ? '::1' : '127.0.0.1',
        token: TOKEN,
      });
      const shown = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      const good = adminFolder({ address: shown, tokenFile: 'token' }, { token: `${TOKEN}\n` });
      expect((await commandLine('status', 'Lync', '--config', good)).code).toBe(0);
      const bad = await told(adminFolder({ address: shown, tokenFile: 'token' }, { token: `${TOKEN}x` }));
      expect(bad).toMatch(/refuses the token\. .* was the file changed since\?\n$/);
      expect(await told(adminFolder({ address: shown }))).toContain('refuses the token. ');
    },
  );

  test('a token that cannot be read or used', async () => {
    const missing = adminFolder({ tokenFile: 'token' });
    expect(await told(missing)).toBe(
      `lychgate: the token of the admin listener cannot be used: ${join(missing, 'token')}: it does not exist. Run this as the account of the service.\n`,
    );
    expect(await told(adminFolder({ tokenFile: 'token' }, { token: 'short' }))).toContain('less than 16 characters');
  });

  test('another program is there', async () => {
    for (const answer of ['<html>hello</html>', '{"farms": 1}', '{}', '[]', '{"farms":[{"name":"x"}],"notices":[]}']) {
      const server = createServer((_request, response) => response.end(answer));
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      onTestFinished(() => void server.close());
      const folder = adminFolder({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
      expect(await told(folder)).toContain('does not answer as Lychgate of this version does');
    }
  });

  test('a program that speaks no HTTP', async () => {
    const server = createTcpServer((socket) => socket.end('220 mail.contoso.com ESMTP\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const folder = adminFolder({ address: `127.0.0.1:${(server.address() as AddressInfo).port}` });
    expect(await told(folder)).toMatch(/cannot be reached: .*"admin" in /);
  });

  test('no folder', async () => {
    expect(await told('/nowhere/at/all')).toContain('it does not exist');
  });
});

test('settings with faults count as far as they can be read', async () => {
  const { port } = await startListener({ farms });
  const folder = adminFolder({ address: `127.0.0.1:${port}`, tokens: 1 });
  const told = await commandLine('status', 'lync', '--config', folder);
  expect([told.code, told.err]).toEqual([
    0,
    `lychgate: ${folder}/settings.json has faults, which "npm run -s lychgate -- validate ${folder}" tells; what can be read of it counts.\n`,
  ]);
});
