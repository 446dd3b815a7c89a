/** A rule without a match applies to every URL: the engine, the index, the trace and the checks say the same of it. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { compileRules } from '../../src/rewrite/compile.ts';
import { printTrace } from '../../src/rewrite/print-trace.ts';
import { evaluateRules } from '../../src/rewrite/rule-set.ts';
import { createRecorder } from '../../src/rewrite/trace.ts';
import { traceJson } from '../../src/rewrite/trace-json.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';
import { request } from './rule-configs.ts';

const read = (rules: string) => loadFile(join(writeFiles({ 'web.config': rules }), 'web.config'));

function outcome(rules: string, path: string, host = 'www.contoso.com') {
  const { config } = read(`<rules>${rules}</rules>`);
  const [site] = [...compileRules(config!).values()];
  const plain = { ...site!, scopes: site!.scopes.map((scope) => ({ ...scope, ruleSet: { ...scope.ruleSet, index: undefined } })) }; // biome-ignore format: one line
  const indexed = evaluateRules(site!, request(path, { host }));
  expect(indexed).toEqual(evaluateRules(plain, request(path, { host })));
  const recorder = createRecorder();
  evaluateRules(site!, request(path, { host }), recorder);
  return { indexed, recorder };
}

/** Codes, each with the name of the rule that it stands at. */
function codes(xml: string): string[] {
  const { diagnostics, sources } = checkLoaded(read(xml));
  return diagnostics.map(({ code, span }) => {
    const before = sources.get(span.file)?.slice(0, span.end + 20) ?? '';
    return `${code} ${/.*<rule name="([^"]*)"/s.exec(before)?.[1]}`;
  });
}

const target = (rules: string, path: string) => {
  const { indexed } = outcome(rules, path);
  return 'target' in indexed ? indexed.target : indexed.kind;
};

describe('the engine', () => {
  test.each<[string, string, string, string]>([
    ['no match', '<rule name="a"><action type="Rewrite" url="static{REQUEST_URI}" /></rule>', '/x/y.png', '/static/x/y.png'],
    ['the root', '<rule name="a"><action type="Rewrite" url="start" /></rule>', '/', '/start'],
    ['a path beyond ASCII', '<rule name="a"><action type="Rewrite" url="b" /></rule>', '/caf%C3%A9', '/b'],
    ['of a wildcard rule', '<rule name="a" patternSyntax="Wildcard"><conditions><add input="{URL}" pattern="/a*" /></conditions><action type="Rewrite" url="b" /></rule>', '/abc', '/b'],
    ['of a rule that compares exactly', '<rule name="a" patternSyntax="ExactMatch"><action type="Rewrite" url="b" /></rule>', '/abc', '/b'],
    ['{R:0} is the whole URL', '<rule name="a"><action type="Rewrite" url="v2/{R:0}" /></rule>', '/p/q', '/v2/p/q'],
    ['conditions still decide', '<rule name="a"><conditions><add input="{URL}" pattern="^/api" /></conditions><action type="Rewrite" url="b" /></rule>', '/other', '/other'],
    ['a file that is not there, negated', '<rule name="a"><conditions><add input="{REQUEST_FILENAME}" matchType="IsFile" negate="True" /></conditions><action type="Rewrite" url="app.js" /></rule>', '/x', '/app.js'],
    ['a match without url', '<rule name="a"><match /><action type="Rewrite" url="b" /></rule>', '/x', '/b'],
    ['a match with nothing but ignoreCase', '<rule name="a"><match ignoreCase="false" /><action type="Rewrite" url="b" /></rule>', '/x', '/b'],
    ['a match without url, negated', '<rule name="a"><match negate="true" /><action type="Rewrite" url="b" /></rule>', '/x', '/x'],
  ])('%s', (_, rules, path, expected) => {
    expect(target(rules, path)).toBe(expected);
  }); // biome-ignore format: one row, one line

  test('below a folder it sees the URLs of that folder alone', () => {
    const { config } = loadFile(
      join(writeFiles({ r: '<rules><rule name="a"><action type="Rewrite" url="b" /></rule></rules>' }), 'r'),
      { base: '/shop' },
    );
    const [site] = [...compileRules(config!).values()];
    expect(evaluateRules(site!, request('/shop/x'))).toMatchObject({ target: '/shop/b' });
    expect(evaluateRules(site!, request('/other'))).toMatchObject({ target: '/other' });
  });

  test('it is found by the hosts of its conditions, and without them by any', () => {
    const hosted = (host: string) =>
      `<rule name="${host}" stopProcessing="true"><conditions><add input="{HTTP_HOST}" pattern="^${host}$" /></conditions><action type="Rewrite" url="http://farm/${host}" /></rule>`;
    const rules = `${hosted('one')}${hosted('two')}<rule name="rest"><action type="Rewrite" url="http://farm/rest" /></rule>`;
    expect(outcome(rules, '/', 'two').indexed).toMatchObject({ rule: 'two' });
    expect(outcome(rules, '/', 'three').indexed).toMatchObject({ rule: 'rest' });
  });
});

test('the trace says that every URL matches', () => {
  const { indexed, recorder } = outcome('<rule name="Rest"><action type="Rewrite" url="entry.js" /></rule>', '/a/b');
  expect(recorder.events.find(({ event }) => event === 'PATTERN_MATCH')).toMatchObject({
    Pattern: '',
    InputURL: 'a/b',
    Negated: false,
    Matched: true,
  });
  const lines = printTrace(traceJson(indexed, recorder, { method: 'GET', url: 'http://www.contoso.com/a/b' }));
  expect(lines).toContain('  +  Rest: "a/b" matches, as every URL does: the rule has no pattern');
});

describe('the checks', () => {
  const rest = '<rule name="rest" stopProcessing="true"><match url="^x" /><action type="Rewrite" url="y" /></rule>';
  const redirect = '<rule name="a" stopProcessing="true"><action type="Redirect" url="/new" /></rule>';

  test.each<[string, string, string[]]>([
    ['it is told', '<rules><rule name="a"><action type="Rewrite" url="b" /></rule></rules>', ['LG2220 a']],
    ['not of a disabled rule', '<rules><rule name="a" enabled="false"><action type="Rewrite" url="b" /></rule></rules>', []],
    ['rules behind it are not reached', `<rules><rule name="a" stopProcessing="true"><action type="Rewrite" url="b" /></rule>${rest}</rules>`, ['LG2220 a', 'LG2300 rest']],
    ['but behind one that goes on', `<rules><rule name="a"><action type="Rewrite" url="b" /></rule>${rest}</rules>`, ['LG2220 a']],
    ['nothing is concluded from a match without url', `<rules><rule name="a" stopProcessing="true"><match /><action type="Rewrite" url="b{R:1}" /></rule>${rest}</rules>`, ['LG2220 a']],
    ['it has no groups, which is told with it', '<rules><rule name="a"><action type="Rewrite" url="b/{R:0}/{R:1}" /></rule></rules>', ['LG2220 a']],
    ['a redirect of every URL goes round', `<rules>${redirect}</rules>`, ['LG2220 a', 'LG2301 a']],
    ['a match that was read wrongly is judged no further', '<rules><rule name="a"><match url="" /><action type="Redirect" url="/new/{R:1}" /></rule></rules>', ['LG2004 a']],
    ['nor one whose name is misspelt', '<rules><rule name="a"><matc url="^x" /><action type="Redirect" url="/new/{R:1}" /></rule></rules>', ['LG2002 a']],
  ])('%s', (_, xml, expected) => {
    // That there are no files is told of all of them, and another matter.
    expect(codes(xml).filter((each) => !each.startsWith('LG2245'))).toEqual(expected);
  }); // biome-ignore format: one row, one line

  test.each([
    ['b/{R:1}', 'so it applies to every URL; {R:1} is always empty.', 'Write <match url="(.*)" />, which captures the whole URL as {R:1}, or {R:0} in its place.'],
    ['b/{R:0}', 'so it applies to every URL.', 'Write <match url=".*" /> if that is meant, else the pattern.'],
  ])('the cure for %s', (url, effect, advice) => {
    const { diagnostics } = checkLoaded(read(`<rules><rule name="a"><action type="Rewrite" url="${url}" /></rule></rules>`));
    const found = diagnostics.find(({ code }) => code === 'LG2220');
    expect([found?.message, found?.advice]).toEqual([`Rule "a" has no match, ${effect}`, advice]);
  }); // biome-ignore format: one row, one line

  test('one without an action that ends the list leaves what it takes to a file, unless other rules follow', () => {
    const message = (xml: string) => checkLoaded(read(xml)).diagnostics.find(({ code }) => code === 'LG2228')?.message;
    const ends = '<rule name="a" stopProcessing="true"><match url="^x" /></rule>';
    expect(message(`<rules>${ends}</rules>`)).toBe(
      'Rule "a" has no action, so it only ends the list: what it takes is answered with 404.',
    );
    expect(message(`<rewrite><globalRules>${ends}</globalRules></rewrite>`)).toBe(
      'Rule "a" has no action, so it only ends the list.',
    );
  });

  test('a global one that sends everything away leaves nothing for the sites', () => {
    const xml = `<rewrite><globalRules><rule name="all"><action type="Rewrite" url="http://backend.contoso.com/" /></rule></globalRules>
      <rules><rule name="site"><match url=".*" /><action type="Rewrite" url="b" /></rule></rules></rewrite>`;
    expect(codes(xml)).toContain('LG2236 all');
  });
});
