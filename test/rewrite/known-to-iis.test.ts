/** What IIS and ARR write or take, though it looks odd: nothing false is said of it, and what is not settled warns. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { compilePattern, isFault } from '../../src/rewrite/pattern.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

/** Codes, each with the text that it stands at. */
function codes(xml: string, name = 'applicationHost.config'): string[] {
  const { diagnostics, sources } = checkLoaded(loadFile(join(writeFiles({ [name]: xml }), name)));
  return diagnostics.map(({ code, span }) => `${code} ${sources.get(span.file)?.slice(span.start, span.end)}`);
}

const matching = (pattern: string) =>
  codes(`<rules><rule name="r"><match url="${pattern}" /><action type="AbortRequest" /></rule></rules>`, 'r');

describe('patterns', () => {
  test.each<[string, string[], string, string | undefined]>([
    ['^[\\w-.]+$', ['LG2209 \\w-'], 'a-b.c', 'a-b.c'],
    ['^[\\w-.]+$', ['LG2209 \\w-'], 'a/b', undefined],
    ['^[a-z\\d-_]+$', ['LG2209 \\d-'], 'a-1_', 'a-1_'],
    ['^[\\s-a-c]+$', ['LG2209 \\s-'], '-abc', '-abc'],
    ['^[^\\d-x]$', ['LG2209 \\d-'], '-', undefined],
    ['^[[:alpha:]-.]+$', ['LG2209 [:alpha:]-'], 'a-.', 'a-.'],
    ['^[\\w-\\d]$', ['LG2209 \\w-'], '-', '-'],
    ['^[\\w-]+$', [], 'a-', 'a-'],
    ['^[-\\w]+$', [], '-a', '-a'],
    ['^a\\_b$', ['LG2209 \\_'], 'a_b', 'a_b'],
    ['^[\\_-]$', ['LG2209 \\_'], '_', '_'],
    ['^a]$', ['LG2202 ]'], 'a]', 'a]'],
    ['^a}$', ['LG2202 }'], 'a}', 'a}'],
  ])('%s gives %j, and of %s it matches %s', (pattern, found, input, match) => {
    expect(matching(pattern)).toEqual(found);
    const compiled = compilePattern('ECMAScript', pattern, true);
    expect(isFault(compiled) ? compiled : (compiled.match(input) as string[] | undefined)?.[0]).toBe(match);
  });

  test.each([['[a-\\d]'], ['[.-\\w]'], ['[a-[:digit:]]'], ['[\\w--\\d]']])(
    '%s is refused: the class stands behind',
    (pattern) => {
      expect(matching(pattern).map((each) => each.slice(0, 6))).toEqual(expect.arrayContaining(['LG2200']));
    },
  );

  test('of a wildcard and of a disabled rule nothing is said', () => {
    const rule = (more: string) =>
      codes(`<rules><rule name="r" ${more}><match url="a\\_b" /><action type="None" /></rule></rules>`, 'r');
    expect(rule('enabled="false"')).toEqual([]);
    expect(rule('patternSyntax="ExactMatch"')).toEqual([]);
  });
});

describe('server variables', () => {
  test.each(['APP_WARMING_UP', 'app_warming_up', 'SKIP_MANAGED_MODULES'])('{%s} is known', (name) => {
    const rule = `<rule name="r" stopProcessing="true"><match url=".*" /><conditions><add input="{${name}}" pattern="1" /></conditions><action type="Rewrite" url="wait.htm" /></rule>`;
    expect(codes(`<rules>${rule}</rules>`, 'r').filter((each) => each.startsWith('LG2215'))).toEqual([]);
  });
});

describe('a rule without an action', () => {
  const rules = (inside: string, more = '') =>
    codes(`<configuration><system.webServer><rewrite><globalRules><rule name="r" ${more}><match url=".*" />${inside}</rule></globalRules></rewrite></system.webServer></configuration>`); // biome-ignore format: one line
  const set = (name: string) => `<serverVariables><set name="${name}" value="1" /></serverVariables>`;

  test.each(['ARR_CACHE_CONTROL_OVERRIDE', 'HTTP_X_REAL_SCHEME', 'OWN_NOTE', 'RESPONSE_X'])(
    'that sets %s does its work',
    (name) => {
      for (const more of ['', 'stopProcessing="true"'])
        expect(rules(set(name), more).filter((each) => each.startsWith('LG2228'))).toEqual([]);
    },
  );

  test.each<[string, string]>([
    ['', ''],
    ['<serverVariables />', ''],
    ['<conditions><add input="{HTTPS}" pattern="on" /></conditions>', 'stopProcessing="true"'],
  ])('that sets none is told: %s', (inside, more) => {
    expect(rules(inside, more)).toEqual(['LG2228 r']);
  });

  test('one that cannot be set is told by itself', () => {
    expect(rules(set('HTTP_CONNECTION'))).toEqual(['LG2227 HTTP_CONNECTION']);
  });
});
