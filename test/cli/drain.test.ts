/** `lychgate drain`: what it asks of the service, what it says, and what is wrong use. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/cli.ts';
import { reportedFarm, reportedServer, startListener, TOKEN } from '../admin/listener.ts';
import { adminFolder } from './admin-folder.ts';
import { commandLine } from './command-line.ts';

const { counters } = reportedServer('');
const farms = [
  reportedFarm('Lync', [
    reportedServer('pool01.contoso.local', {
      state: 'Draining',
      counters: { ...counters, currentRequests: 1200, currentWebSocketRequests: 34 },
    }),
    reportedServer('2001:db8::5', { isHealthy: false }),
    reportedServer('10.0.0.20', { enabled: false }),
    reportedServer('pool03.contoso.local'),
  ]),
  reportedFarm('Büro & 100%', [reportedServer('fe80::1%eth0', { counters: { ...counters, currentRequests: 1 } })]),
];

async function within(control = {}, its = farms) {
  const listener = await startListener({ farms: its, token: TOKEN, carriesOut: true, control });
  const admin = { address: `127.0.0.1:${listener.port}`, tokenFile: 'token' };
  const folder = adminFolder(admin, { token: TOKEN });
  const shown = async (columns: number, ...args: string[]) => {
    let lines = '';
    const stream = { isTTY: true, columns, write: (text: string) => (lines += text) };
    await runCommandLine([...args, '--config', folder], { out: stream, err: stream });
    return stripVTControlCharacters(lines).split('\n').slice(0, -1);
  };
  return { ...listener, shown, drain: (...args: string[]) => commandLine('drain', ...args, '--config', folder) };
}

test('Drain unless another state is named; names and states in any letter case', async () => {
  const { drain, acted } = await within();
  expect(await drain('lync', 'POOL01.contoso.local')).toEqual({
    code: 0,
    out:
      'pool01.contoso.local of Lync: Draining. New clients go to other servers; those that affinity binds to it go on. 1,234 requests are under way.\n' +
      'It holds until the service restarts: settings.json names no stateFile.\n',
    err: '',
  });
  for (const state of ['Start', 'drain', 'GRACEFULSTOP', 'ForcefulStop', 'SetHealthy', 'setunhealthy'])
    expect((await drain('Lync', '2001:DB8::5', '--state', state)).code).toBe(0);
  expect((await drain('büro & 100%', 'fe80::1%ETH0')).out).toContain('One request is under way.');
  expect(acted.map((line) => line.replace(/ 127\.0\.0\.1$/, ''))).toEqual([
    'Drain Lync pool01.contoso.local',
    'Start Lync 2001:db8::5',
    'Drain Lync 2001:db8::5',
    'GracefulStop Lync 2001:db8::5',
    'ForcefulStop Lync 2001:db8::5',
    'SetHealthy Lync 2001:db8::5',
    'SetUnhealthy Lync 2001:db8::5',
    'Drain Büro & 100% fe80::1%eth0',
  ]);
});

test('what is told is what was found behind the command, not what it was to do', async () => {
  const crossed = async (server: ReturnType<typeof reportedServer>, ...args: string[]) => {
    const act = async () => ({ farm: 'Lync', server, everywhere: true, kept: true });
    return await (await within({ act })).drain('Lync', 'pool03.contoso.local', ...args);
  };
  const draining = reportedServer('pool03.contoso.local', { state: 'Draining' });
  expect((await crossed(draining, '--state', 'Start')).out).toBe(
    'pool03.contoso.local of Lync: Draining. This was changed again meanwhile. New clients go to other servers; those that affinity binds to it go on. No requests are under way.\n',
  );
  const active = reportedServer('pool03.contoso.local');
  for (const state of ['Drain', 'ForcefulStop', 'SetUnhealthy']) {
    expect((await crossed(active, '--state', state)).out).toBe(
      'pool03.contoso.local of Lync: Active. This was changed again meanwhile. It takes requests while it is healthy. No requests are under way.\n',
    );
  }
  expect((await crossed(active, '--state', 'SetHealthy')).out).toContain('It counts as healthy, until');
});

test('a farm that is left without a server for new clients is told', async () => {
  const { drain } = await within({ farms: async () => [reportedFarm('Lync', [farms[0]!.servers[0]!])] });
  expect(await drain('Lync', 'pool01.contoso.local')).toMatchObject({
    code: 0,
    err: 'lychgate: no server of Lync takes requests of new clients now.\n',
  });
});

test('whether it outlives a restart', async () => {
  const [farm] = farms;
  const done = { farm: 'Lync', server: farm!.servers[0]!, everywhere: true };
  const kept = await within({ act: async () => ({ ...done, kept: true }) });
  expect(await kept.drain('Lync', 'pool01.contoso.local')).toMatchObject({ code: 0, err: '' });
  const lost = await within({ act: async () => ({ ...done, kept: false }) });
  expect(await lost.drain('Lync', 'pool01.contoso.local')).toMatchObject({
    code: 1,
    err: 'lychgate: this could not be written to the state file, so a restart would undo it. The service log tells why.\n',
  });
  const busy = await within({ act: async () => ({ ...done, everywhere: false, kept: true }) });
  expect(await busy.drain('Lync', 'pool01.contoso.local')).toMatchObject({
    code: 1,
    err: 'lychgate: a worker of the service does not answer, and goes by this only when it does again.\n',
  });
  const { drain } = await within();
  expect((await drain('Lync', '2001:db8::5', '--state', 'Start')).out).toBe(
    '2001:db8::5 of Lync: Active, unhealthy. It takes requests once it is healthy. No requests are under way.\n',
  );
});

test('a server that is switched off in the IIS file: the answer is no', async () => {
  const { drain, acted } = await within();
  const told = await drain('Lync', '10.0.0.20');
  expect([told.code, told.out]).toEqual([1, '']);
  expect(told.err).toMatch(/^lychgate: 10\.0\.0\.20 is switched off in the IIS file: enabled="false"/);
  expect(acted).toEqual([]);
});

describe('wrong use: code 2, with the name that was most likely meant', () => {
  test.each([
    [[], 'a farm and one of its servers are wanted, or a server and --all-farms'],
    [['Lync'], 'a farm and one of its servers are wanted, or a server and --all-farms'],
    [['--all-farms'], 'a server is wanted'],
    [['Lync', 'pool01.contoso.local', '--all-farms'], '"pool01.contoso.local" is one word too many'],
    [
      ['pool02.contoso.local', '--all-farms'],
      'no web farm has a server "pool02.contoso.local". Did you mean "pool01.contoso.local" or "pool03.contoso.local"?',
    ],
    [['pool03', '--all-farms'], 'no web farm has a server "pool03". Did you mean "pool03.contoso.local"?'],
    [['x', '--all-farms', '--state', 'gracefull'], '--state gracefull: did you mean "GracefulStop"?'],
    [['Lync', 'pool01.contoso.local', 'x'], '"x" is one word too many'],
    [['Linc', 'pool01.contoso.local'], 'the service has no web farm "Linc". Did you mean "Lync"?'],
    [['Exchange', 'x'], 'the service has no web farm "Exchange". There are: Lync, Büro & 100%.'],
    [
      ['Lync', 'pool1.contoso.local'],
      'the web farm "Lync" has no server "pool1.contoso.local". Did you mean "pool01.contoso.local"?',
    ],
    [['Lync', 'x', '--state', 'Drains'], '--state Drains: did you mean "Drain"?'],
    [
      ['Lync', 'x', '--state', 'Unavailable'],
      '--state Unavailable: one of Start, Drain, GracefulStop, ForcefulStop, SetHealthy, SetUnhealthy is wanted',
    ],
    [['Lync', 'x', '--timeout', '5'], '--timeout is for --wait'],
    [['Lync', 'x', '--wait', '--timeout', 'soon'], '--timeout soon: a number of seconds is wanted'],
    [['Lync', 'x', '--wait', '--timeout=-1'], '--timeout -1: a number of seconds is wanted'],
    [['Lync', 'x', '--wait', '--state', 'Start'], '--wait: Start brings requests, there is no end to wait for'],
  ])('%j', async (args, message) => {
    const { drain, acted } = await within();
    const told = await drain(...args);
    expect([told.code, told.out, told.err.split('\n')[0]]).toEqual([2, '', `lychgate drain: ${message}`]);
    expect(told.err).toContain('Usage: lychgate drain FARM SERVER ');
    expect(acted).toEqual([]);
  });
});

describe('--all-farms', () => {
  const idle = { ...counters };
  const busy = { ...counters, currentRequests: 2 };
  const fe02 = (more = {}) => reportedServer('fe02', { counters: idle, ...more });
  const several = (more = {}) => [
    reportedFarm('webext', [reportedServer('fe01'), fe02(more)]),
    reportedFarm('meet', [reportedServer('fe01'), fe02(more)]),
    reportedFarm('owa', [reportedServer('owa01')]),
    reportedFarm('dialin', [fe02(more)]),
  ];
  const asked = (acted: readonly string[]) => acted.map((line) => line.replace(/ 127\.0\.0\.1$/, ''));

  test('every farm that has the server, one after the other; what holds for all is said once', async () => {
    const { drain, acted } = await within({}, several({ takesRequests: false }));
    expect(await drain('FE02', '--all-farms', '--state', 'GracefulStop')).toEqual({
      code: 0,
      out: `${['webext', 'meet', 'dialin']
        .map(
          (farm) =>
            `fe02 of ${farm}: Inactive. No request goes there any more; those under way may finish. No requests are under way.\n`,
        )
        .join('')}It holds until the service restarts: settings.json names no stateFile.\n`,
      err: 'lychgate: no server of dialin takes requests of new clients now.\n',
    });
    expect(asked(acted)).toEqual(['GracefulStop webext fe02', 'GracefulStop meet fe02', 'GracefulStop dialin fe02']);
  });

  test.each(['Start', 'Drain', 'ForcefulStop', 'SetHealthy', 'SetUnhealthy'])('%s', async (state) => {
    const { drain, acted } = await within({}, several());
    expect((await drain('fe02', '--all-farms', '--state', state)).code).toBe(0);
    expect(asked(acted)).toEqual([`${state} webext fe02`, `${state} meet fe02`, `${state} dialin fe02`]);
  });

  test('a farm where the IIS file switches it off is told and left', async () => {
    const farms = [reportedFarm('webext', [fe02({ enabled: false })]), reportedFarm('meet', [fe02()])];
    const { drain, acted } = await within({}, farms);
    const told = await drain('fe02', '--all-farms');
    expect([told.code, told.err]).toEqual([0, '']);
    expect(told.out).toMatch(
      /^fe02 of webext: switched off in the IIS file, and left so: nobody is sent there\.\nfe02 of meet: Draining\. New/,
    );
    expect(asked(acted)).toEqual(['Drain meet fe02']);
  });

  test('it is switched off in all of them: the answer is no', async () => {
    const farms = [
      reportedFarm('webext', [fe02({ enabled: false })]),
      reportedFarm('meet', [fe02({ enabled: false })]),
    ];
    const { drain } = await within({}, farms);
    const told = await drain('fe02', '--all-farms', '--wait');
    expect([told.code, told.out]).toEqual([1, '']);
    expect(told.err).toMatch(
      /^lychgate: fe02 of webext: fe02 is switched off .*\nlychgate: fe02 of meet: fe02 is .*\n$/,
    );
  });

  test('one farm refuses: the others are done, the answer is no', async () => {
    const farms = several();
    const { drain } = await within({
      farms: async () => farms,
      act: async (farm: string) =>
        farm === 'webext' ? 'switchedOff' : { farm, server: fe02(), everywhere: true, kept: farm === 'meet' },
    });
    const told = await drain('fe02', '--all-farms');
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/^fe02 of meet: .*\nfe02 of dialin: .*\n$/);
    expect(told.err).toMatch(
      /^lychgate: fe02 of webext: .*\nlychgate: this could not be written to the state file, so a restart would undo it\. The service log tells why\.\n$/,
    );
  });

  test('--wait: until it is idle in all of them, each told once', async () => {
    const rounds = [
      several({ counters: busy, takesRequests: false }),
      several({ counters: busy, takesRequests: false }),
      [
        reportedFarm('webext', [fe02({ takesRequests: false })]),
        ...several({ counters: busy, takesRequests: false }).slice(1),
      ],
      several({ takesRequests: false }),
    ];
    const { drain } = await within({
      farms: async () => (rounds.length > 1 ? rounds.shift()! : rounds[0]!),
      act: async (farm: string) => ({
        farm,
        server: fe02({ counters: busy, takesRequests: false }),
        everywhere: true,
        kept: true,
      }),
    });
    const told = await drain('fe02', '--all-farms', '--wait');
    expect(told.code).toBe(0);
    expect(told.out.split('\n').slice(3)).toEqual([
      'fe02 of webext: no request is under way.',
      'fe02 of meet: no request is under way.',
      'fe02 of dialin: no request is under way.',
      '',
    ]);
  });

  test('--wait: the time-out tells of each that is not idle', async () => {
    const { drain } = await within({
      farms: async () => several({ counters: busy }),
      act: async (farm: string) => ({
        farm,
        server: fe02({ counters: farm === 'meet' ? idle : busy, takesRequests: false }),
        everywhere: true,
        kept: true,
      }),
    });
    const told = await drain('fe02', '--all-farms', '--wait', '--timeout', '0');
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/\nfe02 of meet: no request is under way\.\n$/);
    expect(told.err.split('\n').slice(-3)).toEqual([
      'lychgate: fe02 of webext is not idle at the time-out. 2 requests are under way.',
      'lychgate: fe02 of dialin is not idle at the time-out. 2 requests are under way.',
      '',
    ]);
  });

  test('--wait: brought back in one farm meanwhile: the answer is no, the others are waited for', async () => {
    const { drain } = await within({
      farms: async () => several({ takesRequests: true }),
      act: async (farm: string) => ({
        farm,
        server: fe02({ counters: busy, takesRequests: farm !== 'meet' }),
        everywhere: true,
        kept: true,
      }),
    });
    const told = await drain('fe02', '--all-farms', '--wait');
    expect(told.code).toBe(1);
    expect(told.out.split('\n').slice(3)).toEqual([
      'fe02 of webext: no request is under way.',
      'fe02 of dialin: no request is under way.',
      '',
    ]);
    expect(told.err).toBe('lychgate: fe02 of meet takes requests again: somebody has brought it back.\n');
  });
});

test.each([40, 80, 120])(
  'every line fits a terminal of %i columns, and says the same as elsewhere',
  async (columns) => {
    const long = reportedFarm('A farm with a name that takes a good part of a line', [
      reportedServer('pool01.frontend.emea.contoso.local', {
        takesRequests: false,
        counters: { ...counters, currentRequests: 3 },
      }),
      reportedServer('10.0.0.20', { enabled: false, takesRequests: false }),
    ]);
    const refused = async () => 'switchedOff' as const;
    const [one, other] = await Promise.all([within({}, [long]), within({ act: refused }, [long])]);
    const name = 'pool01.frontend.emea.contoso.local';
    const all = [
      await one.shown(columns, 'drain', name, '--all-farms', '--wait', '--timeout', '0'),
      await other.shown(columns, 'drain', name, '--all-farms'),
      await one.shown(columns, 'status'),
    ];
    expect(all.flat().filter((line) => line.length > columns)).toEqual([]);
    const [drained = []] = all;
    const { out, err } = await one.drain(name, '--all-farms', '--wait', '--timeout', '0');
    const words = (text: string) =>
      text
        .split(/\s+/)
        .filter((word) => word !== '')
        .toSorted();
    expect(words(drained.join(' '))).toEqual(words(`${out} ${err}`));
  },
);
