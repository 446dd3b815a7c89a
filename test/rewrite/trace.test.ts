/** The events of a trace: those of IIS's failed request tracing (url-rewrite.md section 7), field by field, in order. */
import { expect, test } from 'vitest';
import { createRecorder } from '../../src/rewrite/trace.ts';
import { condition, type Rules, type RuleText, ruleSet, run } from './rule-configs.ts';

/** Each event as one line; the order of its fields counts. */
function events(rules: Rules, target: string, host = 'localhost'): string[] {
  const recorder = createRecorder();
  run(rules, target, { host, scheme: 'https' }, recorder);
  return recorder.events.map((event) => {
    const { event: name, ...fields } = event;
    const shown = Object.entries(fields).map(([field, value]) => {
      const elapsed = field === 'ElapsedMilliseconds' && Number.isInteger(value) && Number(value) >= 0;
      return `${field}=${JSON.stringify(elapsed ? 0 : value)}`;
    });
    return [name, ...shown].join(' ');
  });
}

const names = (lines: readonly string[]) => lines.map((line) => line.split(' ')[0]);

test('the published example', () => {
  const rules: RuleText[] = [
    {
      name: 'Fail bad requests',
      url: '.*',
      conditions: [condition('{HTTP_HOST}', 'localhost', { negate: true })],
      type: 'AbortRequest',
    },
    { name: 'Redirect from blog', url: '^blog/([_0-9a-z-]+)/([0-9]+)', type: 'Redirect', to: 'article/{R:2}/{R:1}' },
    {
      name: 'Rewrite to article.aspx',
      url: '^article/([0-9]+)/([_0-9a-z-]+)',
      to: 'article.aspx?id={R:1}&title={R:2}',
      stop: true,
    },
  ];
  expect(events({ site: ruleSet(rules) }, '/article/234/some-title')).toEqual([
    'URL_REWRITE_START RequestURL="/article/234/some-title" QueryString="" Scope="Distributed"',
    'RULE_EVALUATION_START RuleName="Fail bad requests" RequestURL="article/234/some-title" QueryString="" PatternSyntax="ECMAScript" StopProcessing=false RelativePath="/"',
    'PATTERN_MATCH Pattern=".*" InputURL="article/234/some-title" Negated=false Matched=true ElapsedMilliseconds=0',
    'CONDITIONS_EVALUATION_START LogicalGrouping="MatchAll"',
    'CONDITION_EVALUATION Input="{HTTP_HOST}" ExpandedInput="localhost" MatchType="Pattern" Pattern="localhost" Negated=true Succeeded=false',
    'CONDITIONS_EVALUATION_END Succeeded=false',
    'RULE_EVALUATION_END RuleName="Fail bad requests" RequestURL="/article/234/some-title" QueryString="" StopProcessing=false Succeeded=false',
    'RULE_EVALUATION_START RuleName="Redirect from blog" RequestURL="article/234/some-title" QueryString="" PatternSyntax="ECMAScript" StopProcessing=false RelativePath="/"',
    'PATTERN_MATCH Pattern="^blog/([_0-9a-z-]+)/([0-9]+)" InputURL="article/234/some-title" Negated=false Matched=false ElapsedMilliseconds=0',
    'RULE_EVALUATION_END RuleName="Redirect from blog" RequestURL="/article/234/some-title" QueryString="" StopProcessing=false Succeeded=false',
    'RULE_EVALUATION_START RuleName="Rewrite to article.aspx" RequestURL="article/234/some-title" QueryString="" PatternSyntax="ECMAScript" StopProcessing=true RelativePath="/"',
    'PATTERN_MATCH Pattern="^article/([0-9]+)/([_0-9a-z-]+)" InputURL="article/234/some-title" Negated=false Matched=true ElapsedMilliseconds=0',
    'REWRITE_ACTION Substitution="article.aspx?id={R:1}&title={R:2}" RewriteURL="/article.aspx" QueryString="id=234&title=some-title" AppendQueryString=true',
    'RULE_EVALUATION_END RuleName="Rewrite to article.aspx" RequestURL="/article.aspx" QueryString="id=234&title=some-title" StopProcessing=true Succeeded=true',
    'URL_REWRITE_END RequestURL="/article.aspx" QueryString="id=234&title=some-title"',
  ]);
});

test('both scopes have their borders, a scope without rules has none', () => {
  const one = ruleSet([{ url: '^x' }]);
  expect(names(events({ global: one, site: one }, '/a'))).toEqual([
    'URL_REWRITE_START',
    'RULE_EVALUATION_START',
    'PATTERN_MATCH',
    'RULE_EVALUATION_END',
    'URL_REWRITE_END',
    'URL_REWRITE_START',
    'RULE_EVALUATION_START',
    'PATTERN_MATCH',
    'RULE_EVALUATION_END',
    'URL_REWRITE_END',
  ]);
  expect(events({ global: one }, '/a')[0]).toContain('Scope="Global"');
  expect(events({}, '/a')).toEqual([]);
});

test('an inherited rule keeps its own level, and a later one sees the URL as changed', () => {
  const scoped = ruleSet([
    { name: 'parent', to: '/a/c' },
    { name: 'own', basePath: '/a', url: '^c$' },
  ]);
  const lines = events({ scopes: [{ path: '/a', ruleSet: scoped }] }, '/a/b?q');
  expect(lines.filter((line) => line.startsWith('RULE_EVALUATION_START'))).toEqual([
    'RULE_EVALUATION_START RuleName="parent" RequestURL="a/b" QueryString="q" PatternSyntax="ECMAScript" StopProcessing=false RelativePath="/"',
    'RULE_EVALUATION_START RuleName="own" RequestURL="c" QueryString="q" PatternSyntax="ECMAScript" StopProcessing=false RelativePath="/a"',
  ]);
  expect(lines.at(-1)).toBe('URL_REWRITE_END RequestURL="/a/c" QueryString="q"');
});

test('an empty list of conditions leaves no events of conditions, nor does a set variable leave one', () => {
  const rules = ruleSet([{ conditions: [], any: true, set: [['HTTP_X_A', 'b']], to: 'https://Farm/{R:0}' }]);
  expect(events({ global: rules }, '/a?q')).toEqual([
    'URL_REWRITE_START RequestURL="/a" QueryString="q" Scope="Global"',
    'RULE_EVALUATION_START RuleName="rule" RequestURL="a" QueryString="q" PatternSyntax="ECMAScript" StopProcessing=false RelativePath="/"',
    'PATTERN_MATCH Pattern=".*" InputURL="a" Negated=false Matched=true ElapsedMilliseconds=0',
    'REWRITE_ACTION Substitution="https://Farm/{R:0}" RewriteURL="https://Farm/a" QueryString="q" AppendQueryString=true',
    'RULE_EVALUATION_END RuleName="rule" RequestURL="/a" QueryString="q" StopProcessing=false Succeeded=true',
    'URL_REWRITE_END RequestURL="/a" QueryString="q"',
  ]);
});

test('conditions are evaluated until the answer is certain', () => {
  const conditions = [condition('{HTTPS}', 'on'), condition('{HTTP_HOST}', 'x'), condition('{URL}', '.')];
  const evaluated = (any: boolean) =>
    events({ site: ruleSet([{ conditions, any }]) }, '/a').filter((line) => line.startsWith('CONDITION'));
  expect(evaluated(true)).toEqual([
    'CONDITIONS_EVALUATION_START LogicalGrouping="MatchAny"',
    'CONDITION_EVALUATION Input="{HTTPS}" ExpandedInput="ON" MatchType="Pattern" Pattern="on" Negated=false Succeeded=true',
    'CONDITIONS_EVALUATION_END Succeeded=true',
  ]);
  expect(evaluated(false)).toEqual([
    'CONDITIONS_EVALUATION_START LogicalGrouping="MatchAll"',
    'CONDITION_EVALUATION Input="{HTTPS}" ExpandedInput="ON" MatchType="Pattern" Pattern="on" Negated=false Succeeded=true',
    'CONDITION_EVALUATION Input="{HTTP_HOST}" ExpandedInput="localhost" MatchType="Pattern" Pattern="x" Negated=false Succeeded=false',
    'CONDITIONS_EVALUATION_END Succeeded=false',
  ]);
});

test.each<[string, RuleText, string | undefined]>([
  [
    'redirect',
    { type: 'Redirect', to: '/b', redirectType: 'Found' },
    'REDIRECT_ACTION Substitution="/b" RedirectURL="https://localhost/b" StatusCode=302 AppendQueryString=true',
  ],
  [
    'response',
    { type: 'CustomResponse', status: 403, subStatus: 4, reason: 'No', description: 'Go' },
    'CUSTOM_RESPONSE_ACTION StatusCode=403 SubStatusCode=4 StatusReason="No" StatusDescription="Go"',
  ],
  ['abort', { type: 'AbortRequest' }, 'ABORT_REQUEST_ACTION'],
  ['none', { type: 'None' }, undefined],
  ['failure', { to: '{x:y}' }, undefined],
])('the action of a %s, and the ends of rule and scope behind it', (kind, rule, action) => {
  const lines = events({ site: ruleSet([rule]) }, '/a').slice(3);
  expect(lines).toEqual([
    ...(action === undefined ? [] : [action]),
    `RULE_EVALUATION_END RuleName="rule" RequestURL="/a" QueryString="" StopProcessing=false Succeeded=${kind !== 'failure'}`,
    'URL_REWRITE_END RequestURL="/a" QueryString=""',
  ]);
});

test('a condition that fails closes its list', () => {
  const rules = ruleSet([{ conditions: [condition('{x:y}', '.')] }]);
  expect(events({ site: rules }, '/a').slice(3)).toEqual([
    'CONDITIONS_EVALUATION_START LogicalGrouping="MatchAll"',
    'CONDITIONS_EVALUATION_END Succeeded=false',
    'RULE_EVALUATION_END RuleName="rule" RequestURL="/a" QueryString="" StopProcessing=false Succeeded=false',
    'URL_REWRITE_END RequestURL="/a" QueryString=""',
  ]);
});
