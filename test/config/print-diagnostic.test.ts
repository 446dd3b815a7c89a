import { describe, expect, it } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { printJson, printText } from '../../src/config/print-diagnostic.ts';
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
