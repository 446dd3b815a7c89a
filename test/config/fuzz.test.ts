/**
 * Random text through the XML reader and the sections: nothing throws, every finding stands in the text, and the verdict
 * on XML is that of saxes.
 */
import { SaxesParser } from 'saxes';
import { expect, it } from 'vitest';
import type { Span } from '../../src/config/diagnostic.ts';
import { globalRuleSet, scopesOf } from '../../src/config/inherit.ts';
import { stockSections } from '../../src/config/known-sections.ts';
import { checkLevelLocks } from '../../src/config/level-locks.ts';
import { newSession } from '../../src/config/load-session.ts';
import { emptySections, readSections } from '../../src/config/read-sections.ts';
import { parseXml, type XmlElement } from '../../src/config/xml.ts';
import { cpuTime } from '../cpu-time.ts';
import { numbers, outcome, runs, seed } from '../random.ts';

const times = runs(8000, 1_000_000);

const pieces = [
  ...[
    '<',
    '>',
    '/>',
    '</',
    '&',
    ';',
    '"',
    "'",
    '=',
    ' ',
    '\n',
    '\r\n',
    '\t',
    'a',
    'é',
    '😀',
    ']]>',
    '--',
    '?>',
    '\u0000',
    '\ud800',
  ],
  ...[
    '<!--',
    '-->',
    '<![CDATA[',
    '<?xml version="1.0"?>',
    '<!DOCTYPE a>',
    '&amp;',
    '&lt;',
    '&#65;',
    '&#xFFFF;',
    '&x;',
    '\uFEFF',
  ],
];
const names = [
  ...[
    'rules',
    'globalRules',
    'outboundRules',
    'rewriteMaps',
    'rewrite',
    'rule',
    'match',
    'conditions',
    'action',
    'add',
  ],
  ...['clear', 'remove', 'set', 'serverVariables', 'rewriteMap', 'preConditions', 'preCondition', 'tags', 'location'],
  ...['webFarms', 'webFarm', 'server', 'constructor', '__proto__', 'system.webServer', 'configuration', 'Rule'],
];
const attributes = [
  ...['name', 'url', 'enabled', 'pattern', 'input', 'key', 'value', 'type', 'statusCode', 'filterByTags', 'address'],
  ...['lockItem', 'lockElements', 'lockAllAttributesExcept', 'path', 'overrideMode', 'toString', '__proto__', 'xdt:x'],
];
const values = [
  '',
  'a',
  'A',
  'true',
  'false',
  '1',
  '*',
  ' x',
  '301',
  '-1',
  'Rewrite',
  'A, Img',
  'clear,*',
  '{R:1}',
  '&quot;',
  'name',
];

type Pick = (limit: number) => number;
const of = (list: readonly string[], pick: Pick) => list[pick(list.length)] ?? '';

/** An element of plausible names; now and then something breaks it. */
function element(pick: Pick, depth: number): string {
  const name = of(names, pick);
  let text = `<${name}`;
  for (let count = pick(4); count > 0; count--) text += ` ${of(attributes, pick)}="${of(values, pick)}"`;
  if (depth === 0 || pick(3) === 0) return `${text} />`;
  text += '>';
  for (let count = pick(5); count > 0; count--) text += element(pick, depth - 1);
  return `${text}</${name}>`;
}

function input(pick: Pick): string {
  if (pick(3) === 0) return Array.from({ length: pick(12) }, () => of(pieces, pick)).join('');
  let text = element(pick, 4);
  for (let count = pick(3); count > 0; count--) {
    const at = pick(text.length + 1);
    text = text.slice(0, at) + of(pieces, pick) + text.slice(at + pick(3));
  }
  return text;
}

function saxesAccepts(text: string): boolean {
  const parser = new SaxesParser();
  let good = true;
  parser.on('error', () => {
    good = false;
  });
  parser.write(text).close();
  return good;
}

function inside({ start, end }: Span, text: string): boolean {
  return start >= 0 && start <= end && end <= text.length;
}

function wholeTree(element: XmlElement, text: string): boolean {
  const spans = [
    element.tagSpan,
    element.nameSpan,
    ...element.attributes.flatMap(({ span, value }) => [span, value.span]),
  ];
  return spans.every((span) => inside(span, text)) && element.children.every((child) => wholeTree(child, text));
}

/** The reason to look at an input, or nothing. */
function fault(text: string): string | undefined {
  const { root, faults, complete } = parseXml('x', text);
  if (!faults.every(({ span }) => inside(span, text))) return 'fault outside of the text';
  if (root !== undefined && !wholeTree(root, text)) return 'element outside of the text';
  const accepted = faults.length === 0;
  // saxes takes half a surrogate pair, a document type, and the mark that is gone before the reader sees the text.
  const comparable = faults.every(({ kind }) => kind !== 'dtd') && text.isWellFormed() && !text.startsWith('\uFEFF');
  if (comparable && accepted !== saxesAccepts(text)) return `saxes says ${!accepted}`;
  if (!complete) return accepted ? 'faultless, but incomplete' : undefined;
  if (root === undefined) return 'complete, but empty';
  const session = newSession();
  const into = emptySections();
  readSections({ file: 'x', kind: 'fragment', root, path: '/', site: 's' }, stockSections, into, session);
  checkLevelLocks(into.lockable, session.report);
  globalRuleSet(into.levels, session);
  scopesOf('s', ['/'], into.levels, session);
  return session.diagnostics.every(({ span }) => inside(span, text)) ? undefined : 'finding outside of the text';
}

it(`${times} inputs by chance`, { timeout: 3_600_000 }, () => {
  const pick = numbers(seed);
  let slowest = 0;
  for (let run = 0; run < times; run++) {
    const text = input(pick);
    const { value: reason, milliseconds } = cpuTime(() => outcome(() => fault(text)));
    slowest = Math.max(slowest, milliseconds);
    if (reason !== undefined) expect.fail(`${reason} (seed ${seed}, run ${run}): ${JSON.stringify(text)}`);
  }
  expect(slowest).toBeLessThan(2000);
});
