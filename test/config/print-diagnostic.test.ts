import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { printJson, printText } from '../../src/config/print-diagnostic.ts';
import { widthOf } from '../../src/terminal.ts';
import { unmark } from './written.ts';

function diagnosticAt(marked: string, more: Partial<Diagnostic> = {}) {
  const { text, places } = unmark(marked);
  const diagnostics: Diagnostic[] = [];
  const [start = 0, end = 0] = places[0] ?? [];
  reportInto(diagnostics)(
    'LG2001',
    { file: 'w.config', start, end },
    { message: 'Wrong.', advice: 'Mend it.', ...more },
  );
  return { diagnostics, sources: new Map([['w.config', text]]) };
}

/** The character at a column: wide ones take two. */
function atColumn(line: string, column: number): string | undefined {
  let taken = 0;
  for (const character of line) {
    if (taken === column && widthOf(character) > 0) return character;
    taken += widthOf(character);
  }
  return undefined;
}

function lines(marked: string, more: Partial<Diagnostic> = {}): readonly string[] {
  const { diagnostics, sources } = diagnosticAt(marked, more);
  return printText(diagnostics, sources).split('\n');
}

describe('text', () => {
  it('shows place, line, caret, IIS and advice', () => {
    expect(
      lines('<a>\r\n  <b «foo»="1"/>\r\n</a>', { iis: { status: '500.52', text: "Unrecognized attribute 'foo'" } }),
    ).toEqual([
      'w.config:2:6: error LG2001 Wrong.',
      '  2 |   <b foo="1"/>',
      '    |      ^^^',
      "  IIS: 500.52 Unrecognized attribute 'foo'",
      '  Mend it.',
      '',
      '1 error, 0 warnings.',
      '',
    ]);
  });

  it('shows the status alone where IIS has no words', () => {
    expect(lines('<b «foo»="1"/>', { iis: { status: '500.19', text: '' } })).toContain('  IIS: 500.19');
  });

  it('counts tabs as blanks up to the next stop', () => {
    expect(lines('\t<b\t«x»/>').slice(1, 3)).toEqual(['  1 |     <b  x/>', '    |         ^']);
  });

  it('counts wide characters as two columns and combining ones as none', () => {
    expect(lines('日本 e\u0301 «😀x»').slice(1, 3)).toEqual(['  1 | 日本 e\u0301 😀x', '    |        ^^^']);
  });

  it('marks a span over several lines to the end of the first', () => {
    expect(lines('<a «b="1\n2"» />').slice(1, 3)).toEqual(['  1 | <a b="1', '    |    ^^^^']);
  });

  it('marks an empty span with one caret, also at the end of the file', () => {
    expect(lines('<a>«»').slice(0, 3)).toEqual(['w.config:1:4: error LG2001 Wrong.', '  1 | <a>', '    |    ^']);
  });

  it('cuts long lines around the span', () => {
    const [, shown = '', carets = ''] = lines(`${'x'.repeat(5000)}«here»${'y'.repeat(5000)}`);
    expect(shown.length).toBeLessThan(200);
    expect(shown.slice(carets.indexOf('^'), carets.lastIndexOf('^') + 1)).toBe('here');
    expect([shown.includes('…x'), shown.endsWith('y…')]).toEqual([true, true]);
  });

  it.each([40, 80, 120])('keeps line and carets in %d columns, wherever the span stands', (columns) => {
    const texts = ['x'.repeat(300), '日本'.repeat(150), '\te\u0301'.repeat(100), '<a b="c" />'];
    for (const before of ['', ...texts]) {
      for (const middle of ['here', '日', 'z'.repeat(300), '\t']) {
        for (const after of ['', ...texts]) {
          const { diagnostics, sources } = diagnosticAt(`${before}«${middle}»${after}`);
          const [, shown = '', carets = ''] = printText(diagnostics, sources).split('\n');
          const narrow = printText(diagnostics, sources, { columns }).split('\n');
          const line = narrow.find((each) => each.startsWith('  1 | ')) ?? '';
          const marks = narrow.find((each) => each.startsWith('    | ')) ?? '';
          for (const each of [line, marks]) expect(widthOf(each)).toBeLessThanOrEqual(columns);
          for (const each of [shown, carets]) expect(widthOf(each)).toBeLessThanOrEqual(80);
          expect(atColumn(line, marks.indexOf('^'))).toBe(middle === '\t' ? ' ' : middle[0]);
        }
      }
    }
  });

  it('cuts a span that is longer than the line', () => {
    const [, shown = '', carets = ''] = lines(`<a b="«${'v'.repeat(500)}»" />`);
    expect([shown.length, carets.length, shown.endsWith('v…')]).toEqual([80, 80, true]);
  });

  it('wraps words in a terminal alone, with hanging indentation, and breaks no word', () => {
    const { diagnostics, sources } = diagnosticAt('«x»', {
      message: `One two three four five ${'w'.repeat(50)} six.`,
      advice: 'Mend it here, there and everywhere.',
    });
    expect(printText(diagnostics, sources, { columns: 32 }).split('\n')).toEqual([
      'w.config:1:1: error LG2001 One',
      '    two three four five',
      `    ${'w'.repeat(50)}`,
      '    six.',
      '  1 | x',
      '    | ^',
      '  Mend it here, there and',
      '    everywhere.',
      '',
      '1 error, 0 warnings.',
      '',
    ]);
    expect(printText(diagnostics, sources).split('\n')[0]).toContain('five wwww');
  });

  it('colours the words of a wrapped line alone, and adds no columns', () => {
    const { diagnostics, sources } = diagnosticAt('«x»', { message: 'One two three four five six seven.' });
    const coloured = printText(diagnostics, sources, { columns: 32, colour: true });
    expect(coloured).toContain('\u001b[1;31merror LG2001\u001b[0m One\n');
    expect(stripVTControlCharacters(coloured)).toBe(printText(diagnostics, sources, { columns: 32 }));
  });

  it('lets no file steer the terminal', () => {
    expect(
      printText(diagnosticAt('«\u009b31m\u202e»x').diagnostics, diagnosticAt('«\u009b31m\u202e»x').sources),
    ).not.toMatch(/[\u0080-\u009f\u202e\u001b]/);
  });

  it('colours only when asked', () => {
    const { diagnostics, sources } = diagnosticAt('«x»');
    expect(printText(diagnostics, sources)).not.toContain('\u001b');
    expect(printText(diagnostics, sources, { colour: true })).toContain('\u001b[1;31merror LG2001\u001b[0m');
  });

  it('shows the related place', () => {
    const related = { span: { file: 'w.config', start: 0, end: 2 }, message: 'opened here' };
    expect(lines('<a>«</b>»', { related }).slice(3, 6)).toEqual([
      '  w.config:1:1: opened here',
      '  1 | <a></b>',
      '    | ^^',
    ]);
  });

  it('says so when there is nothing', () => {
    expect(printText([], new Map())).toBe('No errors, no warnings.\n');
  });
});

describe('JSON', () => {
  it('has the fixed shape, with lines and columns from 1 and the end exclusive', () => {
    const { diagnostics, sources } = diagnosticAt('<a>\n😀 «foo»</a>', { ui: true });
    expect(JSON.parse(printJson(diagnostics, sources, ['w.config']))).toEqual({
      ok: false,
      files: ['w.config'],
      diagnostics: [
        {
          code: 'LG2001',
          severity: 'error',
          message: 'Wrong.',
          advice: 'Mend it.',
          ui: true,
          file: 'w.config',
          line: 2,
          column: 4,
          endLine: 2,
          endColumn: 7,
        },
      ],
    });
  });
});
