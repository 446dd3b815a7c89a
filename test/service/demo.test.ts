/** `npm start`: every line that the demo prints does what it promises, and Ctrl-C leaves nothing behind. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { demoPlan, shellLine } from '../../src/demo/demo-plan.ts';
import { commandLine } from '../cli/command-line.ts';
import { curl } from '../demo/real-curl.ts';
import { openRaw } from '../integration/clients.ts';
import { freePorts } from '../integration/ports.ts';
import { familyOf, isListening, marked } from './processes.ts';

const root = join(import.meta.dirname, '../..');
/** Six free ones in a row: the usual ones may be in use on this machine. */
const PORTS = await freePorts(6);
const [FIRST] = PORTS;
const DEMO = ['demo', '--ports', String(FIRST)];

/** A folder of its own for temporary files, to see what the demo leaves there. */
function emptyFolder(): string {
  return mkdtempSync(join(tmpdir(), 'lychgate-demo-run-'));
}

/** npm keeps a cache of its own there. */
function foldersIn(temporary: string): string[] {
  return readdirSync(temporary).filter((name) => name.startsWith('lychgate-'));
}

/** `npm start` in a process group of its own, as a terminal has it. */
async function npmStart(temporary: string) {
  const mark = `LYCHGATE_DEMO_MARK=${process.pid}-${performance.now()}`;
  const [name = '', value] = mark.split('=');
  const child = spawn('npm', ['start', '--', '--ports', String(FIRST)], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: temporary, [name]: value },
  });
  let printed = '';
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => resolve(code ?? signal ?? ''));
  });
  const ready = new Promise<void>((resolve) => {
    const take = (chunk: Buffer) => {
      printed += chunk.toString();
      if (printed.includes('Ctrl-C ends it.')) resolve();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
  });
  await Promise.race([
    ready,
    ended.then((code) => Promise.reject(new Error(`npm start ended with ${code}: ${printed}`))),
  ]);
  return {
    printed,
    interrupt: () => process.kill(-(child.pid ?? 0), 'SIGINT'),
    ended,
    family: () => familyOf(mark),
    kill: () => {
      for (const pid of familyOf(mark)) process.kill(pid, 'SIGKILL');
    },
  };
}

describe('npm start', () => {
  const temporary = emptyFolder();
  let demo: Awaited<ReturnType<typeof npmStart>>;
  let tries: ReturnType<typeof demoPlan>['tries'];

  beforeAll(async () => {
    demo = await npmStart(temporary);
    const [folder = ''] = foldersIn(temporary);
    tries = demoPlan({ authority: join(temporary, folder, 'certs/demo-ca.pem'), firstPort: FIRST }).tries;
  });
  afterAll(() => {
    demo?.kill();
    rmSync(temporary, { recursive: true, force: true });
  });

  test('prints each line as it is to be typed, and warns of nothing', () => {
    for (const each of tries) expect(demo.printed).toContain(`\n${shellLine(each)}\n`);
    expect(demo.printed.match(/^curl /gm)).toHaveLength(tries.length);
    expect(demo.printed).not.toMatch(/warning|error/i);
  });

  test.each([...demoPlan({ authority: 'x' }).tries.entries()].map(([i, { title }]) => ({ i, title })))(
    '$title',
    async ({ i }) => {
      const { args, status, shows } = tries[i]!;
      const { stdout } = await curl([...args, '--write-out', '%{http_code}']);
      expect(stdout.slice(-3)).toBe(String(status));
      expect(stdout).toContain(shows);
    },
  );

  test('status shows what the farms do', async () => {
    const configDir = join(temporary, foldersIn(temporary)[0] ?? '', 'config');
    expect(demo.printed).toContain(`\nnpm run -s lychgate -- status --config ${configDir}\n`);
    const told = await commandLine('status', '--config', configDir);
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(told.out).toMatch(/pool01\.contoso\.local +Active +yes/);
  });

  test('a second one tells which port is taken: exit code 3', async () => {
    const second = marked(DEMO, { env: { TMPDIR: temporary } });
    expect(await second.exit()).toBe(3);
    expect(second.stderr()).toMatch(
      /^lychgate: port \d+ is taken, and the demo's Front End needs it\. Stop the program .*--ports/m,
    );
    expect(foldersIn(temporary)).toHaveLength(1);
  });

  test('Ctrl-C ends it at once, a long poll under way or not: no folder and no process is left', async () => {
    const ca = readFileSync(join(temporary, foldersIn(temporary)[0] ?? '', 'certs/demo-ca.pem'), 'utf8');
    const poll = openRaw(FIRST, { host: 'webext.contoso.com', ca });
    await new Promise((resolve) => poll.socket.once('secureConnect', resolve));
    poll.socket.write('GET /ucwa/v1/applications/101/events?timeout=900 HTTP/1.1\r\nHost: webext.contoso.com\r\n\r\n');
    demo.interrupt();
    // The shell between npm and the demo ends by the signal itself, where it did not give way to the demo (dash).
    expect([0, 'SIGINT']).toContain(await demo.ended);
    expect(await poll.closed()).toBe('');
    expect(foldersIn(temporary)).toEqual([]);
    expect(demo.family()).toEqual([]);
    for (const port of PORTS.slice(0, 2)) expect(await isListening(port)).toBe(false);
  });
});

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGALRM', 'SIGXCPU'] as const;

test.each(SIGNALS)('%s to the demo itself: exit code 0', async (signal) => {
  const temporary = emptyFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const demo = marked(DEMO, { env: { TMPDIR: temporary } });
  await demo.prints(/Ctrl-C ends it\./);
  demo.child.kill(signal);
  expect(await demo.exit()).toBe(0);
  expect(foldersIn(temporary)).toEqual([]);
  expect(demo.family()).toEqual([]);
});

test('its readers are gone, and a signal comes twice and more: nothing is left', async () => {
  const temporary = emptyFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const demo = marked(DEMO, { env: { TMPDIR: temporary } });
  await demo.prints(/Ctrl-C ends it\./);
  demo.child.stdout?.destroy();
  demo.child.stderr?.destroy();
  demo.child.kill('SIGPIPE');
  for (let i = 0; i < 20; i++) demo.child.kill(i % 2 === 0 ? 'SIGHUP' : 'SIGINT');
  expect(await demo.exit()).toBe(0);
  expect(foldersIn(temporary)).toEqual([]);
  await expect.poll(() => demo.family()).toEqual([]);
});

test('an error of its own ends it: nothing is left', async () => {
  const temporary = emptyFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const fault = "process.on('SIGWINCH', () => { throw new Error('of the test'); })";
  const preload = `--import=data:text/javascript,${encodeURIComponent(fault)}`;
  const demo = marked(DEMO, { env: { TMPDIR: temporary, NODE_OPTIONS: preload } });
  await demo.prints(/Ctrl-C ends it\./);
  demo.child.kill('SIGWINCH');
  expect(await demo.exit()).toBe(1);
  expect(demo.stderr()).toContain('Error: of the test');
  expect(foldersIn(temporary)).toEqual([]);
  expect(demo.family()).toEqual([]);
});

test('the port of the listener is taken: exit code 3, no folder, no process', async () => {
  const temporary = emptyFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const stranger = createServer();
  await new Promise<void>((resolve) => stranger.listen(FIRST, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  const demo = marked(DEMO, { env: { TMPDIR: temporary } });
  expect(await demo.exit()).toBe(3);
  expect(demo.stderr()).toContain(`cannot listen on 127.0.0.1:${FIRST}: another program uses port ${FIRST}.`);
  expect(foldersIn(temporary)).toEqual([]);
  expect(demo.family()).toEqual([]);
});

test.each(SIGNALS)('%s while it still starts leaves no folder either', async (signal) => {
  const temporary = emptyFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const demo = marked(DEMO, { env: { TMPDIR: temporary } });
  await expect.poll(() => foldersIn(temporary).length, { interval: 5 }).toBe(1);
  demo.child.kill(signal);
  expect(await demo.exit()).toBe(0);
  expect(foldersIn(temporary)).toEqual([]);
  expect(demo.family()).toEqual([]);
});

test('a service of this machine keeps its admin port', async () => {
  const temporary = emptyFolder();
  onTestFinished(() => rmSync(temporary, { recursive: true, force: true }));
  const stranger = createServer();
  // Where it is taken already, so much the better.
  await new Promise<void>((resolve) => stranger.once('error', () => resolve()).listen(9443, '127.0.0.1', resolve));
  onTestFinished(() => void stranger.close());
  const demo = marked(DEMO, { env: { TMPDIR: temporary } });
  await demo.prints(/Ctrl-C ends it\./);
  demo.child.kill('SIGTERM');
  expect(await demo.exit()).toBe(0);
});

test.each(['x', '0', '65531', '1.5'])('--ports %s is wrong use: exit code 2', async (ports) => {
  const demo = marked(['demo', '--ports', ports]);
  expect(await demo.exit()).toBe(2);
});

test('package.json starts the demo on the pinned Node', () => {
  expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts.start).toBe(
    'node --disable-sigusr1 src/main.ts demo',
  );
});
