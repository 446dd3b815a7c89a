import { globSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const section = (title: string) => page.split(`\n## ${title}\n`)[1]?.split('\n## ')[0] ?? '';

/** Rows of `| folder | may import |`: the leaves may be imported by all. */
const table = new Map(
  [...section('Who may import whom').matchAll(/^\| `(\w+)` +\| ([^|]*?) +\|$/gm)].map(([, folder = '', list = '']) => [
    folder,
    [...list.matchAll(/`(\w+)`(?: \((types(?: and diagnostics)?)\))?/g)].map(([, name = '', only]) => ({ name, only })),
  ]),
);
/** Rows of `| package | home |`. */
const homes = new Map(
  [...section('One home for each package').matchAll(/^\| `([@\w/-]+)` +\| (`[^|]*`) +\|$/gm)].map(
    ([, name = '', files = '']) => [name, [...files.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file)],
  ),
);

const files = globSync('**/*.ts', { cwd: join(root, 'src') }).sort();
const folderOf = (file: string) => (file.includes('/') ? dirname(file) : '');

interface Restriction {
  readonly options: { readonly patterns: readonly { readonly group: readonly string[] }[] };
}

interface Import {
  readonly from: string;
  readonly types: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, 'src', file), 'utf8');
  const atFirst = [...text.matchAll(/^(?:import|export) (type )?(?:[^'";]* from )?'([^']+)'/gm)];
  const whenNeeded = [...text.matchAll(/\bimport\('([^']+)'\)/g)];
  return [
    ...atFirst.map(([, type, from = '']) => ({ from, types: type !== undefined })),
    ...whenNeeded.map(([, from = '']) => ({ from, types: false })),
  ];
}

test('the page lists every folder and every file of src, and nothing else', () => {
  expect([...table.keys()].sort()).toEqual(
    readdirSync(join(root, 'src'))
      .filter((name) => statSync(join(root, 'src', name)).isDirectory())
      .sort(),
  );
  const listed = [...page.matchAll(/^- `([\w./-]+\.ts)`: /gm)].map(([, file = '']) => file);
  expect(listed.sort()).toEqual(files);
});

test('folders are one level deep, without index.ts', () => {
  for (const file of files) {
    expect(file.split('/').length).toBeLessThanOrEqual(2);
    expect(file).not.toMatch(/(^|\/)(index|utils|helpers|common)\.ts$/);
  }
});

describe.each([...table])('%s', (folder, allowed) => {
  test('imports only what the page allows', () => {
    for (const file of files.filter((each) => folderOf(each) === folder)) {
      for (const { from, types } of importsOf(file).filter((each) => each.from.startsWith('.'))) {
        const target = normalize(join(dirname(file), from));
        const other = folderOf(target);
        if (other === folder || other === '') continue;
        const rule = allowed.find(({ name }) => name === other);
        expect(rule, `${file} imports ${target}`).toBeDefined();
        if (rule?.only === 'types') expect(types, `${file} imports ${target} with values`).toBe(true);
        if (rule?.only === 'types and diagnostics' && target !== 'config/diagnostic.ts') {
          expect(`${file} imports ${target} ${types ? 'as types' : 'with values'}`).toMatch(
            / imports config\/((\w+-)?model|text)\.ts as types$/,
          );
        }
      }
    }
  });
});

test('no files import each other in a circle, types included', () => {
  const known = new Set(files);
  const next = new Map(
    files.map((file) => {
      const targets = importsOf(file).map(({ from }) => normalize(join(dirname(file), from)));
      return [file, targets.filter((target) => known.has(target))];
    }),
  );
  // Who imports nobody that is left is in no circle.
  let left = new Set(files);
  for (;;) {
    const inner = [...left].filter((file) => next.get(file)?.some((target) => left.has(target)));
    if (inner.length === left.size) break;
    left = new Set(inner);
  }
  expect([...left]).toEqual([]);
});

test('the linter refuses for each folder what the page does not allow it', () => {
  const { overrides } = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as {
    overrides: { includes: string[]; linter?: { rules: { style?: { noRestrictedImports?: Restriction } } } }[];
  };
  const refused = overrides.flatMap(({ includes, linter }) =>
    (linter?.rules.style?.noRestrictedImports?.options.patterns ?? []).map(
      ({ group }) => [includes.join(), [...group].sort()] as const,
    ),
  );
  const wanted = [...table].map(([folder, allowed]) => {
    const others = [...table.keys()].filter((name) => name !== folder && !allowed.some((each) => each.name === name));
    return [`src/${folder}/**`, others.map((name) => `../${name}/**`).sort()] as const;
  });
  expect(Object.fromEntries(refused)).toEqual(Object.fromEntries(wanted.filter(([, others]) => others.length > 0)));
});

test('the leaves import nothing of ours but each other', () => {
  const leaves = new Set(files.filter((each) => folderOf(each) === '' && each !== 'main.ts'));
  for (const file of leaves) {
    for (const { from } of importsOf(file)) {
      expect(from.startsWith('.') && !leaves.has(from.replace('./', '')), `${file} imports ${from}`).toBe(false);
    }
  }
});

test('each package has the home that the page says', () => {
  const used = new Map<string, Set<string>>();
  for (const file of files) {
    for (const { from } of importsOf(file)) {
      if (from.startsWith('.') || from.startsWith('node:')) continue;
      used.set(from, (used.get(from) ?? new Set()).add(file));
    }
  }
  const found = Object.fromEntries([...used].map(([name, where]) => [name, [...where].sort()]));
  expect(found).toEqual(Object.fromEntries([...homes].map(([name, where]) => [name, [...where].sort()])));
});

test('the lanes import nothing of each other', () => {
  for (const [lane, other] of [
    ['http1-', 'http2-'],
    ['http2-', 'http1-'],
  ] as const) {
    const own = files.filter((each) => each.startsWith(`proxy/${lane}`));
    expect(own.length).toBeGreaterThan(1);
    for (const file of own) {
      for (const { from } of importsOf(file)) expect(from.includes(other), `${file} imports ${from}`).toBe(false);
    }
  }
});

test('no file has a default export', () => {
  for (const file of files) expect(readFileSync(join(root, 'src', file), 'utf8'), file).not.toMatch(/^export default/m);
});

test('one copy of undici is installed: ours', () => {
  const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>;
  };
  expect(Object.keys(lock.packages).filter((name) => /(^|\/)undici$/.test(name))).toEqual(['node_modules/undici']);
});
