/** What keeps the states of servers over a restart: whole files, one write at a time, and a copy for the day that one is damaged. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { type KeptState, openStateFile, type StateFile, type StateFileOptions } from '../../src/service/state-file.ts';

const drained: KeptState = { farm: 'Lync', server: 'pool01.contoso.local', state: 'Draining', unhealthy: false };
const marked: KeptState = { farm: 'Büro', server: '2001:db8::5', state: 'Active', unhealthy: true };
const stopped: KeptState = { farm: 'Lync', server: 'pool02.contoso.local', state: 'Inactive', unhealthy: true };

function folder(): string {
  const made = mkdtempSync(join(tmpdir(), 'lychgate-state-'));
  onTestFinished(() => rmSync(made, { recursive: true, force: true }));
  return made;
}

interface Opened extends StateFile {
  readonly logged: readonly { level: number; msg: string; farm?: string }[];
}

async function openIn(path: string, more: Partial<StateFileOptions> = {}): Promise<Opened> {
  const logged: Opened['logged'][number][] = [];
  const log = pino({ base: null }, { write: (line: string) => logged.push(JSON.parse(line)) });
  const file = await openStateFile({ path, exists: () => true, log, ...more });
  onTestFinished(() => file.close());
  return { ...file, logged };
}

const keptIn = (path: string) => (JSON.parse(readFileSync(path, 'utf8')) as { servers: unknown }).servers;
const errors = ({ logged }: Opened) => logged.filter(({ level }) => level >= 50).map(({ msg }) => msg);

test('what is kept is there at the next start, in files that only their owner reads', async () => {
  const path = join(folder(), 'states.json');
  const file = await openIn(path);
  expect([file.kept, file.trouble(), file.logged]).toEqual([[], undefined, []]);
  expect(await file.keep([drained, marked])).toBe(true);
  expect(await file.keep([drained, marked, stopped])).toBe(true);
  const again = await openIn(path);
  expect([again.kept, again.logged]).toEqual([[drained, marked, stopped], []]);
  expect(readdirSync(join(path, '..')).sort()).toEqual(['states.json', 'states.json.copy']);
  for (const each of [path, `${path}.copy`]) expect(statSync(each).mode & 0o777).toBe(0o600);
  expect(await again.keep([])).toBe(true);
  expect((await openIn(path)).kept).toEqual([]);
});

test('a server that the configuration no longer has is dropped, and that is logged', async () => {
  const path = join(folder(), 'states.json');
  await (await openIn(path)).keep([drained, stopped]);
  const exists = (farm: string, server: string) => farm === 'Lync' && server === stopped.server;
  const file = await openIn(path, { exists });
  expect(file.kept).toEqual([stopped]);
  expect(file.logged).toMatchObject([{ level: 40, farm: 'Lync', server: drained.server, state: 'Draining' }]);
  expect(keptIn(path)).toEqual([stopped]);
});

test.each([
  ['nothing in it', ''],
  ['half of it', '{"about": "x", "servers": [{"farm": "Lync", "server": "pool01.cont'],
  ['zeros', '\0'.repeat(200)],
  ['something else', '{"hosts": {}}'],
  ['a list', '[]'],
  ['no JSON object', 'null'],
  ['a state that there is not', JSON.stringify({ servers: [{ ...drained, state: 'Drain' }] })],
  ['a part missing', JSON.stringify({ servers: [{ farm: 'Lync', server: 'x', state: 'Active' }] })],
])('a damaged file (%s): its copy is in force, the rest is kept aside, and an error is logged', async (_what, text) => {
  const path = join(folder(), 'states.json');
  await (await openIn(path)).keep([drained, marked]);
  writeFileSync(path, text);
  const file = await openIn(path);
  expect(file.kept).toEqual([drained, marked]);
  expect(errors(file)).toEqual([
    expect.stringMatching(/cannot be read: .*states\.json\.damaged; its copy, .*\.copy, is in force/),
  ]);
  expect(file.trouble()).toBeUndefined();
  expect(readFileSync(`${path}.damaged`, 'utf8')).toBe(text);
  const again = await openIn(path);
  expect([again.kept, again.logged]).toEqual([[drained, marked], []]);
});

test.each([
  ['a certificate', '-----BEGIN CERTIFICATE-----\n'],
  ['settings', '{"hosts": {}}'],
])(
  'a file of somebody else (%s), which has no copy beside it, is left alone, and nothing starts',
  async (_what, text) => {
    const path = join(folder(), 'front.crt');
    writeFileSync(path, text);
    await expect(openIn(path)).rejects.toThrow(/front\.crt: it .*, and it has no copy beside it.*remove it/);
    expect(readdirSync(dirname(path))).toEqual(['front.crt']);
    expect(readFileSync(path, 'utf8')).toBe(text);
  },
);

test('where the copy is damaged too, the service starts, and everybody who asks is told', async () => {
  const path = join(folder(), 'states.json');
  writeFileSync(path, '{"servers": [');
  writeFileSync(`${path}.copy`, '');
  const file = await openIn(path);
  expect(file.kept).toEqual([]);
  expect(errors(file)).toEqual([expect.stringContaining('all servers take requests, those that were taken out too')]);
  expect(file.trouble()).toContain('See which of them should not.');
  expect(await file.keep([drained])).toBe(true);
  expect(file.trouble()).toContain('See which of them should not.');
  expect((await openIn(path)).trouble()).toBeUndefined();
});

test('a file that is gone while its copy is there', async () => {
  const path = join(folder(), 'states.json');
  await (await openIn(path)).keep([drained]);
  rmSync(path);
  const file = await openIn(path);
  expect(file.kept).toEqual([drained]);
  expect(file.logged).toMatchObject([{ level: 40, msg: expect.stringContaining('Remove both to begin anew') }]);
  rmSync(path);
  rmSync(`${path}.copy`);
  expect((await openIn(path)).kept).toEqual([]);
});

test('a damaged copy alone is of no account', async () => {
  const path = join(folder(), 'states.json');
  await (await openIn(path)).keep([drained]);
  writeFileSync(`${path}.copy`, '{');
  const file = await openIn(path);
  expect([file.kept, file.logged]).toEqual([[drained], []]);
  expect(keptIn(`${path}.copy`)).toEqual([drained]);
});

test('what cannot be written to is told at the start, with its cure', async () => {
  const dir = folder();
  mkdirSync(join(dir, 'folder'));
  writeFileSync(join(dir, 'plain'), '');
  for (const [path, why] of [
    [join(dir, 'none/states.json'), 'its folder does not exist'],
    [join(dir, 'folder'), 'it is a folder'],
    [join(dir, 'plain/states.json'), 'a part of its path is no folder'],
    ['/dev/null', 'it is no regular file'],
  ] as const) {
    const message = new RegExp(
      `^cannot keep the states of servers in ${path}: .*${why}.*\\. Change "stateFile" in settings\\.json`,
    );
    await expect(openIn(path)).rejects.toThrow(message);
  }
  expect(readdirSync(dir).sort()).toEqual(['folder', 'plain']);
});

test('a folder that may not be written', async () => {
  // Not by its mode, which does not hold the administrator of the machine back.
  const write = () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' }));
  await expect(openIn(join(folder(), 'states.json'), { write })).rejects.toThrow('this account may not write it');
});

test('what somebody has put where the new file is written is never written through', async () => {
  const dir = folder();
  const path = join(dir, 'states.json');
  const victim = join(dir, 'victim');
  writeFileSync(victim, 'precious');
  symlinkSync(victim, `${path}.new`);
  const file = await openIn(path);
  expect(await file.keep([drained])).toBe(true);
  expect(readFileSync(victim, 'utf8')).toBe('precious');
  expect(keptIn(path)).toEqual([drained]);
});

test('one write at a time; of the changes that come during one, the last state is written for all', async () => {
  const path = join(folder(), 'states.json');
  const writes: { path: string; text: string; done: () => void }[] = [];
  let begun: () => void = () => undefined;
  const write = (to: string, text: string) =>
    new Promise<void>((done) => {
      writes.push({ path: to, text, done });
      begun();
    });
  const next = async () => {
    if (writes.length === 0) await new Promise<void>((resolve) => (begun = resolve));
    return writes.shift()!;
  };
  const opening = openIn(path, { write });
  for (const each of [path, `${path}.copy`]) {
    const begin = await next();
    expect(begin.path).toBe(each);
    begin.done();
  }
  const file = await opening;
  const first = file.keep([drained]);
  const under = await next();
  const later = Array.from({ length: 100 }, (_, i) => file.keep([drained, { ...stopped, server: `pool${i}` }]));
  expect(writes).toEqual([]);
  under.done();
  (await next()).done();
  expect(await first).toBe(true);
  const last = await next();
  expect(last.text).toContain('pool99');
  last.done();
  (await next()).done();
  expect(await Promise.all(later)).toEqual(later.map(() => true));
  expect(writes).toEqual([]);
});

test('a disk that fails: the answer is false, it is logged and told, and tried again until it works', async () => {
  const path = join(folder(), 'states.json');
  let fault: string | undefined;
  const tried: string[] = [];
  const write = async (to: string, text: string) => {
    tried.push(text);
    if (fault !== undefined) throw Object.assign(new Error(fault), { code: fault });
    writeFileSync(to, text);
  };
  const file = await openIn(path, { write, pause: 1 });
  fault = 'ENOSPC';
  expect(await file.keep([drained])).toBe(false);
  expect(errors(file)[0]).toContain('a restart may undo changes: the disk is full');
  expect(file.trouble()).toContain('the disk is full');
  fault = 'EROFS';
  await expect.poll(() => file.trouble()).toContain('the disk is read-only');
  fault = undefined;
  await expect.poll(() => file.trouble()).toBeUndefined();
  expect(keptIn(path)).toEqual([drained]);
});

test('a full disk at the start is no reason to be down', async () => {
  const path = join(folder(), 'states.json');
  await (await openIn(path)).keep([drained]);
  const full = async () => {
    throw Object.assign(new Error('full'), { code: 'ENOSPC' });
  };
  const file = await openIn(path, { write: full });
  expect(file.kept).toEqual([drained]);
  expect(file.trouble()).toContain('the disk is full');
  await file.close();
  expect(keptIn(path)).toEqual([drained]);
});

test('a write that fails leaves no part of a file behind', async () => {
  const path = join(folder(), 'states.json');
  const file = await openIn(path);
  // Nothing takes its place.
  rmSync(path);
  mkdirSync(join(path, 'full'), { recursive: true });
  expect(await file.keep([drained])).toBe(false);
  expect(existsSync(`${path}.new`)).toBe(false);
});

test('a slow disk does not keep an administrator waiting: the answer is false, the write goes on', async () => {
  const path = join(folder(), 'states.json');
  let slow = false;
  const release = Promise.withResolvers<void>();
  const write = async (to: string, text: string) => {
    if (slow) await release.promise;
    writeFileSync(to, text);
  };
  const file = await openIn(path, { write, patience: 20 });
  slow = true;
  expect(await file.keep([drained])).toBe(false);
  expect(errors(file)).toEqual(['the disk is slow: the states of servers are not written yet']);
  release.resolve();
  await expect.poll(() => keptIn(path)).toEqual([drained]);
  expect(existsSync(`${path}.new`)).toBe(false);
});
