/**
 * Random patterns: all engines agree with the reference of tiny-matcher.ts, and no text that might be a pattern makes
 * anything throw.
 */
import { expect, test } from 'vitest';
import { includes } from '../../src/rewrite/character-set.ts';
import { finiteInputs, fixedParts } from '../../src/rewrite/finite-inputs.ts';
import { compilePattern, isFault, TOO_COMPLEX } from '../../src/rewrite/pattern.ts';
import { alwaysHolds, beginnings } from '../../src/rewrite/pattern-shape.ts';
import { countingEngine, linearEngine, OF_REQUESTS, plainEngine } from '../../src/rewrite/regex-engines.ts';
import { translate } from '../../src/rewrite/regex-source.ts';
import { readRegex } from '../../src/rewrite/regex-syntax.ts';
import { matchesAll } from '../../src/rewrite/rule-reach.ts';
import { sampleInputs } from '../../src/rewrite/sample-input.ts';
import { cpuTime, leastCpuTime } from '../cpu-time.ts';
import { numbers, runs, seed } from '../random.ts';
import { type ClassItem, matchTree, printTree, TooLong, type Tree } from './tiny-matcher.ts';

const times = runs(6000, 1_000_000);
const LIMIT_MS = 3_600_000;

type Choose = (limit: number) => number;

const pick = <T>(choose: Choose, from: readonly T[]): T => from[choose(from.length)] as T;

const UNITS: readonly [string, string][] = [
  ...['a', 'b', 'A', 'B', 'k', 's', 'i', '_', '1', 'z', 'Z', 'ä', 'Ä', 'ß', 'ſ', '\u212a', 'ı', 'İ', 'µ', 'μ', 'Σ', 'ς', '-', '/', ' '].map((unit): [string, string] => [unit, unit]), // biome-ignore format: one line
  ...['.', '*', '\\', '(', ')', '[', ']', '{', '}', '^', '$', '|', '+', '?', '-', '/'].map((unit): [string, string] => [unit, `\\${unit}`]), // biome-ignore format: one line
  ['A', '\\x41'],
  ['ä', '\\u00E4'],
  ['\n', '\\n'],
  ['\t', '\\cI'],
  ['\0', '\\0'],
];
const NAMES = ['alpha', 'digit', 'upper', 'lower', 'space', 'graph', 'alnum', 'punct', 'xdigit', 'blank', 'print', 'cntrl']; // biome-ignore format: one line

/** A tree of about so many nodes; back-references lead to groups that are closed, as the grammar wants. */
function grow(choose: Choose): { tree: Tree; groups: number } {
  let groups = 0;
  let budget = 3 + choose(14);
  const closed: number[] = [];

  const classItem = (): ClassItem => {
    const kind = choose(6);
    if (kind === 0) {
      const named = pick(choose, ['d', 'D', 'w', 'W', 's', 'S']);
      return { named, text: `\\${named}` };
    }
    if (kind === 1) {
      const named = pick(choose, NAMES);
      return { named, text: `[:${named}:]` };
    }
    if (kind === 2) {
      const [from, to] = pick(choose, [['a', 'c'], ['A', 'b'], ['0', '9'], ['ß', 'ü'], ['!', '~']] as const); // biome-ignore format: one line
      return { from, to, text: `${from}-${to}` };
    }
    const [unit] = pick(choose, UNITS);
    if (kind === 3 && /[a-z.-]/.test(unit)) {
      const mark = pick(choose, ['.', '=']);
      return { from: unit, to: unit, text: `[${mark}${unit}${mark}]` };
    }
    return { from: unit, to: unit, text: /[\\\]^[-]/.test(unit) ? `\\${unit}` : unit };
  };

  const atom = (depth: number): Tree => {
    budget--;
    const kind = choose(depth > 4 || budget < 0 ? 8 : 13);
    if (kind < 4) {
      const [unit, text] = pick(choose, UNITS);
      return /^[(){}[\]*+?^$|\\.]$/.test(text)
        ? { kind: 'unit', unit, text: `\\${text}` }
        : { kind: 'unit', unit, text };
    }
    if (kind === 4) return { kind: 'any' };
    if (kind === 5) return { kind: 'escape', letter: pick(choose, ['d', 'D', 'w', 'W', 's', 'S']) };
    if (kind === 6) {
      return { kind: 'class', negated: choose(3) === 0, items: Array.from({ length: 1 + choose(3) }, classItem) };
    }
    if (kind === 7) return closed.length > 0 ? { kind: 'back', index: pick(choose, closed) } : { kind: 'any' };
    if (kind < 11) {
      const index = ++groups;
      const body = choice(depth + 1);
      closed.push(index);
      return { kind: 'group', index, body };
    }
    return { kind: 'plain', body: choice(depth + 1) };
  };

  const piece = (depth: number): Tree => {
    const kind = choose(12);
    if (kind === 0) return { kind: 'assertion', at: pick(choose, ['^', '$', '\\b', '\\B']) };
    if (kind === 1 && depth < 4) return { kind: 'look', negated: choose(2) === 0, body: choice(depth + 1) };
    const body = atom(depth);
    if (choose(2) === 0) return body;
    const [text, min, max] = pick(choose, [['*', 0, Infinity], ['+', 1, Infinity], ['?', 0, 1], ['{2}', 2, 2], ['{1,3}', 1, 3], ['{2,}', 2, Infinity], ['{0}', 0, 0]] as const); // biome-ignore format: one line
    return { kind: 'repeat', body, min, max, lazy: choose(4) === 0, text };
  };

  const sequence = (depth: number): Tree => ({
    kind: 'sequence',
    parts: Array.from({ length: choose(4) }, () => piece(depth)),
  });

  const choice = (depth: number): Tree => {
    if (choose(4) > 0) return sequence(depth);
    return { kind: 'choice', parts: Array.from({ length: 2 + choose(2) }, () => sequence(depth)) };
  };

  return { tree: choice(0), groups };
}

const INPUT = [...'aabbABkKsSiI_1zZäÄßſ\u212aıİµμΣσς-/. *\\\n\t\0'];
const inputBy = (choose: Choose) => Array.from({ length: choose(9) }, () => pick(choose, INPUT)).join('');

/** What each engine finds by itself, as far as it takes the pattern: what was captured, and whether it was there. */
function* byEngine(pattern: string, ignoreCase: boolean, input: string) {
  const read = readRegex(pattern);
  if ('kind' in read) throw new TypeError(`${pattern}: ${read.kind}`);
  const source = translate(read.root, ignoreCase);
  const engines = {
    plain: plainEngine(read.root, source, ignoreCase, OF_REQUESTS),
    linear: linearEngine(read.root, source, ignoreCase, OF_REQUESTS),
    counting: countingEngine(read, ignoreCase),
  };
  for (const [name, engine] of Object.entries(engines)) {
    if (!engine || input.length > engine.upTo) continue;
    const found = engine.search(input, 0);
    if (typeof found === 'symbol') continue;
    yield { name, found: found && [...found.captures], holds: engine.holds(input) };
  }
}

test(
  'every engine gives the captures of the reference',
  () => {
    const choose = numbers(seed);
    let compared = 0;
    for (let run = 0; run < times; run++) {
      const { tree, groups } = grow(choose);
      const pattern = printTree(tree);
      const ignoreCase = choose(2) === 0;
      const compiled = compilePattern('ECMAScript', pattern, ignoreCase);
      if (isFault(compiled)) throw new TypeError(`seed ${seed}, run ${run}: ${pattern} is refused: ${compiled.kind}`);
      const input = inputBy(choose);
      let expected: ReturnType<typeof matchTree>;
      try {
        expected = matchTree(tree, groups, input, ignoreCase);
      } catch (error) {
        if (error instanceof TooLong) continue;
        throw error;
      }
      const about = { seed, run, pattern, ignoreCase, input };
      const wanted = { found: expected && [...expected], holds: expected !== undefined };
      for (const { name, ...found } of byEngine(pattern, ignoreCase, input)) {
        compared++;
        expect({ ...about, name, ...found }).toEqual({ ...about, name, ...wanted });
      }
      const matched = compiled.match(input);
      if (matched !== TOO_COMPLEX)
        expect({ ...about, found: matched && [...matched] }).toEqual({ ...about, found: wanted.found });
      if ((compiled.find(input) === undefined) !== (expected === undefined)) expect(about).toBe('found');
    }
    expect(compared).toBeGreaterThan(times);
  },
  LIMIT_MS,
);

test(
  'no engine takes long for what it takes on',
  async () => {
    const choose = numbers(seed + 2);
    for (let run = 0; run < times / 200; run++) {
      const { tree } = grow(choose);
      const pattern = printTree(tree);
      const compiled = compilePattern('ECMAScript', pattern, choose(2) === 0);
      if (isFault(compiled)) throw new TypeError(`seed ${seed}, run ${run}: ${pattern} is refused: ${compiled.kind}`);
      const piece = inputBy(choose) || 'a';
      const length = pick(choose, [50, 200, 900, 4000, 16_384, 65_536]);
      const input = piece.repeat(Math.ceil(length / piece.length)).slice(0, length);
      const least = await leastCpuTime(() => compiled.match(input), 50);
      expect({ seed, run, pattern, piece, length, short: least < 50 }).toMatchObject({ short: true });
    }
  },
  LIMIT_MS,
);

const SIGNS = [...'aabc01', ...'((()))[[]]{{}}**++??||^^$$..\\\\--::==!!<>,', '[:', ':]', '[=', '=]', '[.', '.]', '(?:', '(?=', '(?!', '\\b', '\\d', '\\x4', '\\u00', '\\c', '{1,', '{2}', 'ä', '\u212a', '\ud800', '\n', '[:alpha:]']; // biome-ignore format: one line

test(
  'no text makes a pattern throw, take long, or point beside itself',
  () => {
    const choose = numbers(seed + 1);
    let slowest = 0;
    let read = 0;
    for (let run = 0; run < times; run++) {
      const pattern = Array.from({ length: choose(14) }, () => pick(choose, SIGNS)).join('');
      const syntax = pick(choose, ['ECMAScript', 'ECMAScript', 'ECMAScript', 'Wildcard', 'ExactMatch'] as const);
      const ignoreCase = choose(2) === 0;
      const input = inputBy(choose);
      const { milliseconds } = cpuTime(() => {
        const compiled = compilePattern(syntax, pattern, ignoreCase);
        const about = { seed, run, pattern, syntax };
        if (isFault(compiled)) {
          const inside = compiled.from >= 0 && compiled.from < compiled.to && compiled.to <= pattern.length;
          expect({ ...about, inside }).toEqual({ ...about, inside: true });
        } else {
          read++;
          const found = compiled.match(input);
          const same = found === TOO_COMPLEX || (found === undefined) === (compiled.find(input) === undefined);
          expect({ ...about, same }).toEqual({ ...about, same: true });
          checkAnalyses(syntax, pattern, ignoreCase, input, found !== undefined && found !== TOO_COMPLEX);
        }
      });
      slowest = Math.max(slowest, milliseconds);
    }
    expect(read).toBeGreaterThan(times / 10);
    expect(slowest).toBeLessThan(1000);
  },
  LIMIT_MS,
);

/** What is told of a pattern holds for this input. */
function checkAnalyses(
  syntax: 'ECMAScript' | 'Wildcard' | 'ExactMatch',
  pattern: string,
  ignoreCase: boolean,
  input: string,
  matched: boolean,
): void {
  const words = finiteInputs(syntax, pattern);
  const lower = words?.map((word) => word.toLowerCase());
  // Letters beyond ASCII have other likenesses than the lower case tells.
  if (words && matched && /^[\x00-\x7f]*$/.test(input) && words.every((word) => /^[\x00-\x7f]*$/.test(word))) {
    const known = ignoreCase ? lower?.includes(input.toLowerCase()) : words.includes(input);
    expect({ pattern, input, known }).toEqual({ pattern, input, known: true });
  }
  if (matched && /^[\x00-\x7f]*$/.test(input)) {
    const known = fixedParts(syntax, pattern).every(({ side, offset, words }) =>
      words.some((word) => {
        const from = side === 'start' ? offset : input.length - offset - word.length;
        const found = input.slice(Math.max(from, 0), from + word.length);
        return /[^\x00-\x7f]/.test(word) || found.toLowerCase() === word.toLowerCase();
      }),
    );
    expect({ pattern, input, known }).toEqual({ pattern, input, known: true });
  }
  if (matchesAll(syntax, pattern) && !/[\n\r\u2028\u2029]/.test(input)) {
    expect({ pattern, input, matched }).toEqual({ pattern, input, matched: true });
  }
  const first = beginnings(syntax, pattern);
  if (first && matched && !ignoreCase) {
    expect({ pattern, input, begins: input !== '' && includes(first, input.charCodeAt(0)) }).toEqual({ pattern, input, begins: true }); // biome-ignore format: one line
  }
  for (const text of ['/', '//', 'a', '-/']) {
    if (matched && !ignoreCase && alwaysHolds(syntax, pattern, text)) expect({ pattern, input }).toEqual({ pattern, input: expect.stringContaining(text) }); // biome-ignore format: one line
  }
  sampleInputs(syntax, pattern, ignoreCase);
}
