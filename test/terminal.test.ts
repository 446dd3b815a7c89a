/** Colours, columns and words of a terminal. */
import { PassThrough } from 'node:stream';
import { describe, expect, it, onTestFinished, test, vi } from 'vitest';
import { createLog } from '../src/log.ts';
import { fitted, terminalOf, widthOf, wrapped } from '../src/terminal.ts';

describe('a stream', () => {
  it('that is no terminal has neither colours nor a width', () => {
    expect(terminalOf({ columns: 120 }, { COLUMNS: '100', FORCE_COLOR: '1' })).toEqual({ colour: false });
    expect(terminalOf({ isTTY: false }, {})).toEqual({ colour: false });
  });

  it('that is one tells its width; else COLUMNS does, else 80', () => {
    expect(terminalOf({ isTTY: true, columns: 120 }, { COLUMNS: '100' })).toEqual({ colour: true, columns: 120 });
    expect(terminalOf({ isTTY: true, columns: 0 }, { COLUMNS: '100' })).toEqual({ colour: true, columns: 100 });
    for (const COLUMNS of [undefined, '', '0', '-5', 'wide']) {
      expect(terminalOf({ isTTY: true }, { COLUMNS })).toEqual({ colour: true, columns: 80 });
    }
  });

  it.each([
    [{ NO_COLOR: '1' }, false],
    [{ NO_COLOR: '0' }, false],
    [{ NO_COLOR: '' }, true],
    [{ TERM: 'dumb' }, false],
    [{ TERM: 'xterm' }, true],
  ])('%j', (environment, colour) => {
    expect(terminalOf({ isTTY: true }, environment).colour).toBe(colour);
  });
});

test('columns of characters', () => {
  const widths = ['abc', '日本', 'e\u0301', '😀', '👩\u200d👩\u200d👧', '🇩🇪', '\u200b', '。', 'ﾊ', ''].map(widthOf);
  expect(widths).toEqual([3, 4, 1, 2, 2, 2, 0, 2, 1, 0]);
});

test('words are put into lines; one that is too long stays whole', () => {
  expect(wrapped(['one', 'two', 'three'], 7, 2)).toEqual([['one', 'two'], ['three']]);
  expect(wrapped(['ab', 'cdef', 'g'], 6, 4)).toEqual([['ab'], ['cdef'], ['g']]);
  expect(wrapped(['x', 'y'.repeat(20), 'z'], 10, 2)).toEqual([['x'], ['y'.repeat(20)], ['z']]);
  expect(wrapped([], 10, 2)).toEqual([[]]);
});

test('lines go on below their text; in a file they stay whole', () => {
  const lines = [
    'short',
    '',
    '  +  one two three four',
    '\u001b[32m  -  one two three four\u001b[0m',
    '    1,234  one two three four',
  ];
  expect(fitted(lines, { colour: true })).toBe(lines);
  expect(fitted(lines, { colour: true, columns: 18 })).toEqual([
    ...['short', '', '  +  one two three', '       four'],
    ...['\u001b[32m  -  one two three', '       four\u001b[0m'],
    ...['    1,234  one two', '         three', '         four'],
  ]);
  expect(fitted([`a ${'y'.repeat(30)} b`], { colour: false, columns: 10 })).toEqual([
    'a',
    `  ${'y'.repeat(30)}`,
    '  b',
  ]);
});

test('styles take no columns', () => {
  expect(widthOf('\u001b[1;31mabc\u001b[0m')).toBe(3);
});

describe('the log in a terminal', () => {
  async function logged(environment: Readonly<Record<string, string>>, isTTY: boolean): Promise<string> {
    for (const [name, value] of Object.entries({ NO_COLOR: '', FORCE_COLOR: '1', ...environment }))
      vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    const stream = Object.assign(new PassThrough(), { isTTY });
    (await createLog('info', stream)).warn('mind');
    return String(stream.read());
  }

  it('has colours if its own stream is one, whatever the others are', async () => {
    expect(await logged({ TERM: 'xterm' }, true)).toContain('\u001b[');
    expect(await logged({ TERM: 'xterm' }, false)).not.toContain('\u001b');
  });

  it('has none with NO_COLOR', async () => {
    const text = await logged({ NO_COLOR: '1', TERM: 'xterm' }, true);
    expect([text.includes('mind'), text.includes('\u001b')]).toEqual([true, false]);
  });
});
