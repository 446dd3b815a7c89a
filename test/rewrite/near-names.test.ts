/** Misspelt values of rules: each is told with the name that was most likely meant, and cures name what the rule is about. */
import { describe, expect, test } from 'vitest';
import { findings, type RuleXml, rulesXml } from './told.ts';

const advice = (code: string, rules: readonly RuleXml[], more = '') =>
  findings(rulesXml(rules, more), new RegExp(code)).map(({ diagnostic, text }) => `${text}: ${diagnostic.advice}`);
const begin = (code: string, rules: readonly RuleXml[], more = '') =>
  advice(code, rules, more).map((each) => /^.*?: (?:Did you mean \S+\?|\S+)/s.exec(each)?.[0]);
const outbound = (inside: string) => `<outboundRules>${inside}</outboundRules>`;

describe('did you mean', () => {
  const maps = '<rewriteMaps><rewriteMap name="Servers"><add key="a" value="b" /></rewriteMap></rewriteMaps>';
  const preConditions =
    '<preConditions><preCondition name="IsHtml"><add input="{RESPONSE_CONTENT_TYPE}" pattern="html" /></preCondition></preConditions>';
  const tags = '<customTags><tags name="own"><tag name="x" attribute="y" /></tags></customTags>';
  test.each<[string, string, readonly RuleXml[], string, string]>([
    ['patternSyntax', 'LG2004', [{ syntax: 'Wildcrad' }], '', 'Wildcrad: Did you mean "Wildcard"?'],
    ['patternSyntax in other words', 'LG2004', [{ syntax: 'ECMA' }], '', 'ECMA: Did you mean "ECMAScript"?'],
    ['the type of an action', 'LG2004', [{ action: 'type="Rewrit" url="http://a/"' }], '', 'Rewrit: Did you mean "Rewrite"?'],
    ['redirectType', 'LG2004', [{ action: 'type="Redirect" url="/" redirectType="Permanant"' }], '', 'Permanant: Did you mean "Permanent"?'],
    ['matchType', 'LG2004', [{ when: [['{URL}', 'x', 'matchType="isFlie"']] }], '', 'isFlie: Did you mean "IsFile"?'],
    ['a flag', 'LG2004', [{ when: [['{URL}', 'x', 'negate="ture"']] }], '', 'ture: Did you mean "true"?'],
    ['a rewrite map', 'LG2211', [{ to: 'http://a/{Servres:{R:1}}' }], maps, '{Servres:{R:1}}: Did you mean "Servers"?'],
    ['ToLower', 'LG2211', [{ to: 'http://a/{ToLowr:{R:1}}' }], '', '{ToLowr:{R:1}}: Did you mean "ToLower"?'],
    ['UrlEncode', 'LG2211', [{ to: 'http://a/{UrlEncod:{R:1}}' }], '', '{UrlEncod:{R:1}}: Did you mean "UrlEncode"?'],
    ['none that is near', 'LG2211', [{ to: 'http://a/{Base64:{R:1}}' }], maps, '{Base64:{R:1}}: Define'],
    ['a preCondition', 'LG2009', [{}], outbound(`<rule name="o" preCondition="IsHTM" />${preConditions}`), 'IsHTM: Did you mean "IsHtml"?'],
    ['a group of tags', 'LG2009', [{}], outbound(`<rule name="o"><match filterByTags="CustomTags" customTags="onw" pattern="x" /></rule>${tags}`), 'onw: Did you mean "own"?'],
    ['filterByTags', 'LG2004', [{}], outbound('<rule name="o"><match filterByTags="A, Forms" pattern="x" /></rule>'), 'A, Forms: Did you mean "Form"?'],
    ['the type of an outbound action', 'LG2004', [{}], outbound('<rule name="o"><action type="Rewirte" /></rule>'), 'Rewirte: Did you mean "Rewrite"?'],
    ['an allowed variable', 'LG2226', [{ set: [['HTTP_X_TENNANT', '1']] }], '<allowedServerVariables><add name="HTTP_X_TENANT" /></allowedServerVariables>', 'HTTP_X_TENNANT: Did you mean "HTTP_X_TENANT"?'],
  ])('%s', (_, code, rules, more, told) => {
    expect(begin(code, rules, more)).toEqual([told]);
  }); // biome-ignore format: one row, one line
});

describe('LG2252: variables of headers', () => {
  const read = (name: string, set: RuleXml['set'] = []) =>
    begin(
      'LG2252',
      [{ when: [[`{${name}}`, '^a$']], set }],
      '<allowedServerVariables><add name="HTTP_HSOT" /></allowedServerVariables>',
    );

  test.each([
    ['HTTP_HSOT', 'HTTP_HOST'],
    ['http_hots', 'HTTP_HOST'],
    ['HTTP_USERAGENT', 'HTTP_USER_AGENT'],
    ['HTTP_COOKEI', 'HTTP_COOKIE'],
    ['HTTP_X_FORWARDED_FRO', 'HTTP_X_FORWARDED_FOR'],
    ['HTTP_ACCEPT_ENCODNIG', 'HTTP_ACCEPT_ENCODING'],
    ['HTTP_AUTHORISATION', 'HTTP_AUTHORIZATION'],
    ['HTTP_REFERRER', 'HTTP_REFERER'],
  ])('%s', (name, meant) => {
    expect(read(name)).toEqual([`{${name}}: Did you mean {${meant}}?`]);
  });

  test.each([
    'HTTP_X_TENANT',
    'HTTP_X_FORWARDED_PORT',
    'HTTP_X_FORWARDED_PROTOCOL',
    'HTTP_TEST',
    'HTTP_IV_USER',
    'HTTP_DNT',
    'HTTP_X_MS_CLIENT',
    'HTTP_SM_USER',
  ])('%s may well be meant', (name) => {
    expect(read(name)).toEqual([]);
  });

  test('one that a rule sets is known', () => {
    expect(read('HTTP_HSOT', [['HTTP_HSOT', 'x']])).toEqual([]);
  });

  test('headers of answers, read and written', () => {
    const rules = outbound(
      `<rule name="o" preCondition="p"><match serverVariable="RESPONSE_Loaction" pattern="x" /><action type="Rewrite" value="{RESPONSE_SERVR}{RESPONSE_STATUS}" /></rule>
      <preConditions><preCondition name="p"><add input="{RESPONSE_CONTENT_TPYE}" pattern="html" /></preCondition></preConditions>`,
    );
    expect(begin('LG2252', [{}], rules).toSorted()).toEqual([
      'RESPONSE_Loaction: Did you mean RESPONSE_LOCATION?',
      '{RESPONSE_CONTENT_TPYE}: Did you mean {RESPONSE_CONTENT_TYPE}?',
      '{RESPONSE_SERVR}: Did you mean {RESPONSE_SERVER}?',
    ]);
  });
});

describe('LG2213: what nothing has captured yet', () => {
  test.each<[string, RuleXml, string]>([
    ['the first condition', { url: '.*', when: [['{C:1}', 'x']] }, '{C:1}: Put a condition that is not negated and whose pattern has the group in front of this one, or name a server variable, such as {HTTP_HOST}.'],
    ['behind a negated one', { url: '.*', when: [['{URL}', '(x)', 'negate="true"'], ['{C:1}', 'x']] }, '{C:1}: Put a condition'],
    ['where the rule has the group', { when: [['{C:1}', 'x']] }, '{C:1}: Write {R:1}, which is what the pattern of the rule captures.'],
    ['an action without a condition', { url: '.*', to: 'http://a/{C:1}' }, '{C:1}: Add a condition that is not negated and whose pattern has the group.'],
    ['a condition with too few', { url: '.*', when: [['{URL}', '(x)'], ['{C:2}', 'x']] }, '{C:2}: Correct the number or add the group to the pattern.'],
  ])('%s', (_, rule, told) => {
    expect(advice('LG2213', [rule])[0]?.slice(0, told.length)).toBe(told);
  }); // biome-ignore format: one row, one line

  test('a negated pattern of an outbound rule', () => {
    const rule =
      '<rule name="o"><match filterByTags="A" pattern="(x)" negate="true" /><action type="Rewrite" value="{R:1}" /></rule>';
    expect(advice('LG2213', [{}], outbound(rule))).toEqual([
      '{R:1}: Add a condition that is not negated and whose pattern has the group, and write {C:1}.',
    ]);
  });
});

describe('LG2245: the scheme in the cure is that of the requests', () => {
  const https = 'Write https:// and a farm';
  const http = 'Write http:// and a farm';
  const either = 'Write http:// or https:// and a farm';
  test.each<[string, RuleXml, string]>([
    ['HTTPS is on', { when: [['{HTTPS}', '^on$']] }, https],
    ['a wildcard', { url: '*', syntax: 'Wildcard', when: [['{HTTPS}', 'on']] }, https],
    ['HTTPS is not off', { when: [['{HTTPS}', 'off', 'negate="true"']] }, https],
    ['the secure port', { when: [['{SERVER_PORT_SECURE}', '^1$']] }, https],
    ['port 443', { when: [['{SERVER_PORT}', '^443$']] }, https],
    ['HTTPS is off', { when: [['{HTTPS}', '^off$']] }, http],
    ['no condition', {}, either],
    ['another port', { when: [['{SERVER_PORT}', '^8443$']] }, either],
    ['one of two', { any: true, when: [['{HTTPS}', '^on$'], ['{HTTP_HOST}', '^a$']] }, either],
  ])('%s', (_, rule, told) => {
    expect(advice('LG2245', [{ to: '/a.html', ...rule }])[0]).toContain(`/a.html: ${told}`);
  }); // biome-ignore format: one row, one line

  test('a rule that ends the list', () => {
    const rule: RuleXml = { action: 'type="None"', when: [['{HTTPS}', '^on$']] };
    expect(advice('LG2245', [rule])[0]).toContain('and a url with https:// and its name.');
  });
});

describe('LG2007: an empty name by which nothing can be meant', () => {
  test.each([
    ['a server variable', [{ set: [['', '1']] as const }], ''],
    ['a rewrite map', [{}], '<rewriteMaps><rewriteMap name="" /></rewriteMaps>'],
    ['an allowed variable', [{}], '<allowedServerVariables><add name="" /></allowedServerVariables>'],
    ['a preCondition', [{}], outbound('<preConditions><preCondition name="" /></preConditions>')],
    ['a group of tags', [{}], outbound('<customTags><tags name="" /></customTags>')],
  ])('%s', (_, rules, more) => {
    expect(findings(rulesXml(rules, more), /LG2007/).map(({ text }) => text)).toEqual([
      expect.stringMatching(/^name=""$|^ $/),
    ]);
  });

  test('the key of a map may be empty, and the name of a rule', () => {
    const map = '<rewriteMaps><rewriteMap name="m"><add key="" value="x" /></rewriteMap></rewriteMaps>';
    expect(findings(rulesXml([{ name: '' }], map), /LG2007/)).toEqual([]);
  });
});
