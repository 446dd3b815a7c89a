/** Holds Dockerfile, .dockerignore, compose.yaml and the package to the facts they repeat. Builds nothing. */
import { execFileSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { composeFile, environmentFile } from '../src/cli/compose-file.ts';
import { firstSettings } from '../src/cli/folder-files.ts';
import { loadConfig } from '../src/config/load-config.ts';

const root = join(import.meta.dirname, '..');
const read = (name: string) => readFileSync(join(root, name), 'utf8');
const uncommented = (text: string) => text.replace(/^\s*#.*\n/gm, '');

const manifest = JSON.parse(read('package.json')) as Record<string, Record<string, string>>;
const { settings } = loadConfig(join(root, 'config')).config ?? expect.fail('the shipped configuration loads');

interface Instruction {
  readonly name: string;
  readonly text: string;
}

interface Stage {
  readonly from: string;
  readonly as: string;
  readonly instructions: readonly Instruction[];
}

const instructions: readonly Instruction[] = uncommented(read('Dockerfile'))
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter((line) => line !== '')
  .map((line) => ({ name: line.split(' ', 1).join(), text: line.replace(/^\S+ /, '') }));

const stages: readonly Stage[] = instructions.flatMap(({ name, text }, at) => {
  if (name !== 'FROM') return [];
  const [, from = '', as = ''] = /^(\S+)(?: AS (\S+))?$/.exec(text) ?? [];
  const rest = instructions.slice(at + 1);
  const next = rest.findIndex((each) => each.name === 'FROM');
  return [{ from, as, instructions: next === -1 ? rest : rest.slice(0, next) }];
});

const last = stages.at(-1) ?? expect.fail('no stage');
const all = (stage: Stage, name: string) =>
  stage.instructions.filter((each) => each.name === name).map(({ text }) => text);
const only = (stage: Stage, name: string) => {
  const found = all(stage, name);
  expect(found, name).toHaveLength(1);
  return found[0] ?? '';
};
const execForm = (text: string) => JSON.parse(text.slice(text.indexOf('['))) as string[];

describe('Dockerfile', () => {
  test('has one base image, the pinned Node', () => {
    const version = read('.nvmrc').trim();
    expect(manifest.devDependencies?.node).toBe(version);
    expect(stages.map(({ from }) => from)).toEqual([
      `docker.io/library/node:${version}-bookworm-slim`,
      'base',
      'base',
      'base',
    ]);
  });

  test('runs without a shell, as a user who is not root, and drains at SIGTERM', () => {
    expect(execForm(only(last, 'ENTRYPOINT'))).toEqual(['node', '--disable-sigusr1', '/opt/lychgate/dist/main.js']);
    expect(execForm(only(last, 'CMD'))).toEqual(['run']);
    expect(only(last, 'USER')).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    expect(only(last, 'STOPSIGNAL')).toBe('SIGTERM');
    // Whatever comes behind USER would run as that user, and must not.
    expect(last.instructions.findIndex(({ name }) => name === 'USER')).toBeGreaterThan(
      last.instructions.findLastIndex(({ name }) => name === 'RUN' || name === 'COPY'),
    );
  });

  test('asks the admin listener for its health where it is by default', () => {
    const [program, option, script = ''] = execForm(only(last, 'HEALTHCHECK'));
    expect([program, option]).toEqual(['node', '-e']);
    const admin = settings.admin === false ? expect.fail('no admin listener') : settings.admin;
    expect(script).toContain(`http://${admin.address}:${admin.port}/healthz`);
    expect(() => new Function(script)).not.toThrow();
  });

  test('exposes the ports of the shipped configuration', () => {
    const ports = [...read('config/applicationHost.config').matchAll(/bindingInformation="\*:(\d+):/g)];
    const distinct = [...new Set(ports.map(([, port]) => Number(port)))];
    expect(only(last, 'EXPOSE').split(' ').map(Number).sort()).toEqual(distinct.sort());
  });

  test('takes from other stages nothing but dist and the packages of production', () => {
    const taken = all(last, 'COPY').filter((text) => text.startsWith('--from='));
    expect(taken).toEqual([
      '--from=modules /opt/lychgate/node_modules ./node_modules',
      '--from=build /opt/lychgate/dist ./dist',
    ]);
    const modules = stages.find(({ as }) => as === 'modules') ?? expect.fail('no stage "modules"');
    expect(only(modules, 'RUN')).toMatch(/ npm ci .*--omit=dev /);
  });

  test('holds nothing that an administrator may have put into the checkout', () => {
    const copied = stages.flatMap((stage) => all(stage, 'COPY'));
    const sources = copied
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(' ').slice(0, -1));
    const code = ['src', 'tsconfig.json', 'tsconfig.build.json'];
    expect(new Set(sources)).toEqual(new Set(['package.json', 'package-lock.json', 'LICENSE', ...code]));
    expect(uncommented(read('.dockerignore'))).not.toMatch(/config$|certs|\.env/m);
  });

  test('has every file that the program reads beside what was compiled', () => {
    const named = globSync('src/**/*.ts', { cwd: root }).flatMap((file) =>
      [...read(file).matchAll(/new URL\('(?:\.\.\/){2}([^']+)'/g)].map(([, name]) => name),
    );
    const copied = all(last, 'COPY').flatMap((text) => text.split(' ').slice(0, -1));
    expect(named.length).toBeGreaterThan(0);
    expect(copied).toEqual(expect.arrayContaining([...new Set(named)]));
  });

  test('has the program on its PATH', () => {
    expect(all(last, 'RUN').join()).toContain('ln -s /opt/lychgate/dist/main.js /usr/local/bin/lychgate');
    const build = stages.find(({ as }) => as === 'build') ?? expect.fail('no stage "build"');
    expect(all(build, 'RUN').at(-1)).toContain('chmod +x dist/main.js');
    expect(read('src/main.ts')).toMatch(/^#!\/usr\/bin\/env node\n/);
  });

  test('copies files that exist, and .dockerignore lets through exactly those', () => {
    const copied = stages
      .flatMap((stage) => all(stage, 'COPY'))
      .filter((text) => !text.startsWith('--from='))
      .flatMap((text) => text.split(' ').slice(0, -1));
    expect(copied.filter((name) => !existsSync(join(root, name)))).toEqual([]);
    const ignore = uncommented(read('.dockerignore')).trim().split('\n');
    expect(ignore[0]).toBe('*');
    expect(ignore.slice(1).sort()).toEqual([...new Set(copied)].map((name) => `!${name}`).sort());
  });
});

describe('compose.yaml', () => {
  test('is what "lychgate init" writes (vitest -u writes it)', async () => {
    await expect(composeFile()).toMatchFileSnapshot(join(root, 'compose.yaml'));
  });

  /** The text of one service. */
  const service = (name: string) => new RegExp(`^  ${name}:\\n((?: {4}.*\\n|\\n)*)`, 'm').exec(compose)?.[1] ?? '';

  test('"docker compose run --rm lychgate" claims no address and no port, and "up" does not start it', () => {
    expect(service('lychgate')).toMatch(/^ {4}network_mode: none$/m);
    expect(service('lychgate')).toMatch(/^ {4}profiles: \[command\]$/m);
    expect(service('lychgate')).not.toMatch(/ports:|networks:|address/);
    expect(service('proxy')).toMatch(/^ {8}ipv4_address: \$\{INSIDE_ADDRESS:\?/m);
    for (const name of ['lychgate', 'proxy']) expect(service(name)).toMatch(/^ {4}<<: \*image$/m);
  });

  test('builds nothing, and fetches nobody else’s image', () => {
    expect(compose).not.toMatch(/^\s*build:/m);
    expect(compose).toMatch(/^ {4}image: lychgate\n {4}pull_policy: never$/m);
  });

  const compose = uncommented(read('compose.yaml'));

  test('waits longer than a stop takes', () => {
    const [, seconds] = /^ {4}stop_grace_period: (\d+)s$/m.exec(compose) ?? [];
    // A worker that hangs is ended five seconds after the drain.
    expect(Number(seconds)).toBeGreaterThan(settings.timeouts.drain + 5);
  });

  test('bounds what the kernel buffers of one connection to 1 MB', () => {
    for (const name of ['wmem', 'rmem']) {
      const [, most] = new RegExp(`^ {6}net\\.ipv4\\.tcp_${name}: \\d+ \\d+ (\\d+)$`, 'm').exec(compose) ?? [];
      expect(Number(most)).toBe(1024 * 1024);
    }
  });

  test('has descriptors for two connections per client', () => {
    const [, files] = /^ {6}nofile: (\d+)$/m.exec(compose) ?? [];
    expect(Number(files)).toBeGreaterThan(2 * settings.limits.connections);
  });

  test.each([
    'read_only: true',
    'init: true',
    'no-new-privileges:true',
    'cap_drop:\n      - ALL',
    'net.ipv4.ip_unprivileged_port_start: 80',
  ])('has %j', (piece) => {
    expect(compose).toContain(piece);
    expect(compose).not.toContain('cap_add');
  });

  test('is the project of its folder, so that another folder with it is another service', () => {
    expect(compose).not.toMatch(/^name:/m);
    expect(environmentFile('1000:1000')).toMatch(/^# COMPOSE_PROJECT_NAME=$/m);
  });

  test('has a mount to uncomment for every folder that settings.json suggests beside config and certs', () => {
    const suggested = new Set([...firstSettings().matchAll(/"\.\.\/([^/"]+)/g)].map(([, folder]) => folder));
    expect([...suggested].sort()).toEqual(['certs', 'state']);
    const work = only(last, 'WORKDIR');
    const mount = `      - type: bind\n        source: ./state\n        target: ${work}/state\n        bind:\n          create_host_path: false\n`;
    expect(read('compose.yaml').replaceAll(/^( +)# (?=- | {2})/gm, '$1')).toContain(mount);
    for (const name of ['stateFile', 'tokenFile']) expect(read('compose.yaml')).toContain(`"${name}"`);
  });

  test('mounts the two folders read-only where the image looks for them', () => {
    const work = only(last, 'WORKDIR');
    for (const folder of ['config', 'certs']) {
      expect(compose).toContain(`source: ./${folder}\n        target: ${work}/${folder}\n        read_only: true\n`);
    }
  });
});

describe('commands that the pages show', () => {
  test('the container that makes a folder sees it where the host does, and so tells of it', () => {
    expect(read('README.md')).toMatch(
      /docker run .* --volume "([^":]+):\1" --workdir "\$PWD" lychgate init \.\.\/edge\n/,
    );
  });

  test('what is moved into $work was made on the same file system', () => {
    expect(read('CONTRIBUTING.md')).toContain("renameSync(demo.folder, '$work/demo');");
    expect(read('CONTRIBUTING.md')).toMatch(/^ *TMPDIR=\$work .*\$work\/servers\.ts >/m);
  });
});

describe('package', () => {
  test('holds what was built and the configuration, neither sources nor tests', () => {
    const out = execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    // A list, or an object by package name: that depends on the version of npm.
    const [packed] = Object.values(JSON.parse(out) as Record<string, { files: { path: string }[] }>);
    const paths = packed?.files.map(({ path }) => path) ?? [];
    expect(paths).toContain('config/applicationHost.config');
    expect(
      paths.filter(
        (path) =>
          !/^(?:dist\/.*\.js|config\/.*|package\.json|LICENSE|README\.md|CHANGELOG\.md)$/.test(path) ||
          /\.test\./.test(path),
      ),
    ).toEqual([]);
  });

  test('is built before it is packed, and its program is what the image starts', () => {
    expect(manifest.scripts?.prepack).toBe('npm run -s build');
    expect(`/opt/lychgate/${manifest.bin?.lychgate}`).toBe(execForm(only(last, 'ENTRYPOINT')).at(-1));
  });
});
