/** docs/compatibility.md names every element and attribute of the section tables, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { diskCacheSection, proxySection } from '../../src/config/proxy-section.ts';
import { rewriteSections } from '../../src/config/rewrite-section.ts';
import type { ElementSchema } from '../../src/config/section-tables.ts';
import { sitesSection } from '../../src/config/sites-section.ts';
import { webFarmsSection } from '../../src/config/web-farms-section.ts';

const sections: Readonly<Record<string, ElementSchema>> = {
  ...rewriteSections,
  webFarms: webFarmsSection,
  proxy: proxySection,
  diskCache: diskCacheSection,
  sites: sitesSection,
};

/** `path` for an element, `path@name` for an attribute. */
function namesIn(path: string, { attributes = {}, elements = {}, collection }: ElementSchema): readonly string[] {
  const children = Object.entries({ ...collection?.add, ...elements });
  return [
    path,
    ...Object.keys(attributes).map((name) => `${path}@${name}`),
    ...children.flatMap(([name, child]) => namesIn(`${path}/${name}`, child)),
  ];
}

const page = readFileSync(join(import.meta.dirname, '../../docs/compatibility.md'), 'utf8');
const quoted = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
const rows = [...page.matchAll(/^\| (`[^|]+) \| ([^|]+) \| ([^|]+) \|$/gm)].map(
  ([, elements = '', attributes = '', here = '']) => ({
    elements: quoted(elements),
    attributes: quoted(attributes),
    here,
  }),
);
const listed = rows.flatMap(({ elements, attributes }) =>
  elements.flatMap((path) => [path, ...attributes.map((name) => `${path}@${name}`)]),
);

it('lists what the tables have', () => {
  const wanted = Object.entries(sections).flatMap(([name, schema]) => namesIn(name, schema));
  expect([...new Set(listed)].sort()).toEqual([...new Set(wanted)].sort());
});

it('says one thing about each attribute', () => {
  const attributes = listed.filter((name) => name.includes('@'));
  expect(attributes.filter((name, index) => attributes.indexOf(name) !== index)).toEqual([]);
  for (const { elements, here } of rows)
    expect([elements, here]).toEqual([
      elements,
      expect.stringMatching(/^(works|no effect|known|checked|refused|WeightedRoundRobin works)/),
    ]);
});
