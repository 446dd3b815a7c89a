/** What cannot have an effect, or only a bad one: LG2246, LG2247, LG2248, LG2250. */
import { describe, expect, test } from 'vitest';
import { findings, type RuleXml, rulesXml, told } from './told.ts';

const outbound = (rules: string) => `<outboundRules>${rules}<preConditions>
  <preCondition name="html"><add input="{RESPONSE_CONTENT_TYPE}" pattern="^text/html" /></preCondition>
  <preCondition name="plain"><add input="{RESPONSE_CONTENT_ENCODING}" pattern="^$" /></preCondition>
</preConditions></outboundRules>`;
const rule = (match: string, { name = 'o', more = '', conditions = '', value = 'y' } = {}) =>
  `<rule name="${name}" ${more}><match ${match} />${conditions}<action type="Rewrite" value="${value}" /></rule>`;

describe('LG2246: bodies that may be compressed', () => {
  const TAGS = rule('filterByTags="A" pattern="x"');
  const EMPTY: RuleXml['set'] = [['HTTP_ACCEPT_ENCODING', '']];
  const of = (rules: readonly RuleXml[], more = TAGS) => told('LG2246', rulesXml(rules, outbound(more)));

  test.each<[string, readonly RuleXml[], string | undefined]>([
    ['tags', [{}], undefined],
    ['a whole body', [{}], rule('pattern="x"', { more: 'preCondition="html"' })],
    ['a computed host', [{ to: 'http://{C:1}/', when: [['{HTTP_HOST}', '(.*)']] }], undefined],
    ['an encoding that is asked for', [{ set: [['HTTP_ACCEPT_ENCODING', 'gzip, deflate']] }], undefined],
    [
      'a condition, which is asked too late',
      [{}],
      rule('pattern="x"', {
        conditions: '<conditions><add input="{RESPONSE_CONTENT_ENCODING}" pattern="gzip" negate="true" /></conditions>',
      }),
    ],
    ['the action None reads it as well', [{}], '<rule name="o"><match pattern="x" /><action type="None" /></rule>'],
  ])('%s', (_, rules, more) => {
    expect(of(rules, more)).toEqual(['r0']);
  });

  test('a map of paths sends nothing away, a map of URLs does', () => {
    const mapped = (value: string, fallback: string) => {
      const maps = `<rewriteMaps><rewriteMap name="M" defaultValue="${fallback}"><add key="a" value="${value}" /></rewriteMap></rewriteMaps>`;
      return told('LG2246', rulesXml([{ to: '{M:{R:1}}', stop: false }, { set: EMPTY }], `${maps}${outbound(TAGS)}`));
    };
    expect(mapped('/x', '/y')).toEqual([]);
    expect(mapped('http://app01/x', '/y')).toEqual(['r0']);
  });

  test('emptied by another rule than the one that sends', () => {
    expect(of([{ url: '^a', set: EMPTY }, {}])).toEqual(['r1']);
    expect(of([{ action: 'type="None"', stop: false, set: EMPTY }, {}])).toEqual([]);
  });

  test.each<[string, readonly RuleXml[], string | undefined]>([
    ['emptied', [{ set: EMPTY }], undefined],
    ['identity', [{ set: [['HTTP_ACCEPT_ENCODING', 'identity']] }], undefined],
    ['a header', [{}], rule('serverVariable="RESPONSE_LOCATION" pattern="x"')],
    ['a preCondition on the encoding', [{}], rule('pattern="x"', { more: 'preCondition="plain"' })],
    ['disabled', [{}], rule('pattern="x"', { more: 'enabled="false"' })],
    ['nothing is sent', [{ to: '/a' }, { action: 'type="Redirect" url="https://x/"' }], undefined],
  ])('not told: %s', (_, rules, more) => {
    expect(of(rules, more)).toEqual([]);
  });

  const host = (set: string, site = '') => `<configuration>
    <system.applicationHost><sites><site name="S" id="1"><application path="/" />
      <bindings><binding protocol="http" bindingInformation="*:80:www.contoso.com" /></bindings></site></sites></system.applicationHost>
    <system.webServer><proxy enabled="true" /><rewrite><globalRules>
      <rule name="other" stopProcessing="true"><match url=".*" />
        <conditions><add input="{HTTP_HOST}" pattern="^other\\.contoso\\.com$" /></conditions>
        <action type="Rewrite" url="http://app02/" /></rule>
      <rule name="g" stopProcessing="true"><match url="^g" />${set}<action type="Rewrite" url="http://app01/" /></rule>
    </globalRules>${site}${outbound(TAGS)}</rewrite></system.webServer></configuration>`;

  test('global rules count for sites without rules that send', () => {
    expect(told('LG2246', host(''))).toEqual(['g']);
    const set = '<serverVariables><set name="HTTP_ACCEPT_ENCODING" value="" /></serverVariables>';
    expect(told('LG2246', host(set))).toEqual([]);
    const site = `<rules><rule name="s"><match url=".*" />${set}<action type="Rewrite" url="http://app01/" /></rule></rules>`;
    expect(told('LG2246', host('', site))).toEqual([]);
  });

  test('in the words of IIS', () => {
    const [found] = findings(rulesXml([{}], outbound(TAGS)), /LG2246/);
    expect(found?.diagnostic.iis?.status).toBe('500.52');
  });
});

describe('LG2247: set for nobody', () => {
  const inbound = (name: string, more: readonly RuleXml[] = []) =>
    told('LG2247', rulesXml([{ stop: false, set: [[name, 'on']], action: 'type="None"' }, ...more, {}]));

  test.each([
    'X-Forwarded-Proto',
    'X_FORWARDED_PROTO',
    'RESPONSE_X_FRAME_OPTIONS',
    'RESPONSE_STATUS',
    '{HTTP_X}',
    'HTTPS',
    'Host',
  ])('inbound: %s', (name) => {
    expect(inbound(name)).toEqual([name]);
  });

  test.each(['HTTP_X', 'HTTP_X-Y', 'ARR_CACHE_CONTROL_OVERRIDE', 'SKIP_MANAGED_MODULES', 'READ_IN_ANOTHER_FILE'])(
    'inbound, not told: %s',
    (name) => {
      expect(inbound(name)).toEqual([]);
    },
  );

  test('a variable that a rule reads', () => {
    expect(inbound('HTTPS', [{ url: '^a', when: [['{ToLower:{https}}', 'on']] }])).toEqual([]);
    const reads = outbound(rule('serverVariable="RESPONSE_X" pattern="x"', { value: '{HTTPS}' }));
    expect(told('LG2247', rulesXml([{ set: [['HTTPS', 'on']] }], reads))).toEqual([]);
  });

  const out = (rules: string) => told('LG2247', rulesXml([], outbound(rules)));
  test.each(['HTTP_X', 'HTTP_SET_COOKIE', 'Location', 'Content-Type', 'Server', 'MY_OWN'])('outbound: %s', (name) => {
    expect(out(rule(`serverVariable="${name}" pattern=".*"`))).toEqual([name]);
  });

  test('outbound, not told: of the answer, or read by another rule', () => {
    expect(out(rule('serverVariable="RESPONSE_X" pattern=".*"'))).toEqual([]);
    const later = rule('serverVariable="RESPONSE_X" pattern=".*"', { name: 'p', value: '{MY_OWN}' });
    expect(out(rule('serverVariable="MY_OWN" pattern=".*"') + later)).toEqual([]);
  });

  test("Microsoft's way to give Accept-Encoding back", () => {
    const restore = `<outboundRules><rule name="Restore" preCondition="kept">
      <match serverVariable="HTTP_ACCEPT_ENCODING" pattern="^(.*)" />
      <action type="Rewrite" value="{HTTP_X_ORIGINAL_ACCEPT_ENCODING}" /></rule>
      <preConditions><preCondition name="kept"><add input="{HTTP_X_ORIGINAL_ACCEPT_ENCODING}" pattern=".+" /></preCondition></preConditions></outboundRules>`;
    const set: RuleXml['set'] = [
      ['HTTP_X_ORIGINAL_ACCEPT_ENCODING', '{HTTP_ACCEPT_ENCODING}'],
      ['HTTP_ACCEPT_ENCODING', ''],
    ];
    expect(findings(rulesXml([{ set }], restore), /LG224/)).toEqual([]);
  });
});

describe('LG2248: always empty', () => {
  const value = (text: string) => told('LG2248', rulesXml([{ set: [['HTTP_X', text]] }]));

  test.each([
    '{LOGON_USER}',
    '{REMOTE_USER}',
    '{auth_user}',
    '{AUTH_TYPE}',
    '{UNMAPPED_REMOTE_USER}',
    '{CERT_SUBJECT}',
    '{APPL_PHYSICAL_PATH}',
    '{ALL_HTTP}',
  ])('%s', (text) => {
    expect(value(text)).toEqual([text]);
  });

  test.each(['{HTTP_AUTHORIZATION}', '{REMOTE_ADDR}', '{APP_WARMING_UP}', 'LOGON_USER'])('not told: %s', (text) => {
    expect(value(text)).toEqual([]);
  });

  test('in conditions and URLs, but not in those that ask for a file', () => {
    expect(told('LG2248', rulesXml([{ when: [['{REMOTE_USER}', '^$', 'negate="true"']] }]))).toEqual(['{REMOTE_USER}']);
    expect(told('LG2248', rulesXml([{ to: 'http://app01/{UrlEncode:{LOGON_USER}}' }]))).toEqual(['{LOGON_USER}']);
    const file: RuleXml = { when: [['{DOCUMENT_ROOT}/x', '', 'matchType="IsFile"']] };
    expect(told('LG2248', rulesXml([file]))).toEqual([]);
  });

  test('a header that was to be made of it is kept from clients', () => {
    const set = (value: string) =>
      findings(rulesXml([{ set: [['HTTP_X_REMOTE_USER', value]] }]), /LG2248/).map(
        ({ diagnostic }) => diagnostic.advice,
      );
    expect(set('{LOGON_USER}')).toEqual([
      'Leave the login to the server; a Windows login passes through to it. Keep the header with value="": else clients could send one of their own.',
    ]);
    expect(set('user {LOGON_USER}')).toEqual(['Leave the login to the server; a Windows login passes through to it.']);
  });

  test('a rule that sets it, and a variable that is told once', () => {
    expect(
      told(
        'LG2248',
        rulesXml([
          {
            set: [
              ['LOGON_USER', 'x'],
              ['HTTP_X', '{LOGON_USER}'],
            ],
          },
        ]),
      ),
    ).toEqual([]);
    expect(told('LG2248', rulesXml([{ to: 'http://app01/{LOGON_USER}/{logon_user}' }]))).toEqual(['{LOGON_USER}']);
  });
});

describe('LG2250: constant inputs', () => {
  const of = (...when: NonNullable<RuleXml['when']>) =>
    findings(rulesXml([{ when }]), /LG2250/).map(({ diagnostic, text }) => [
      text,
      / (always|never) /.exec(diagnostic.message)?.[1],
    ]);

  test.each([
    ['abc', '^abc$', '', 'always'],
    ['www.contoso.com', '^www\\.fabrikam\\.com$', '', 'never'],
    ['true', 'false', '', 'never'],
    ['1', '1', 'negate="true"', 'never'],
    ['', '.*', '', 'always'],
    ['', '.+', '', 'never'],
    ['x', '(.*)', '', 'always'],
  ])('"%s" against %s %s', (input, pattern, more, holds) => {
    expect(of([input, pattern, more])).toEqual([[input, holds]]);
  });

  test('not told: variables, functions, and what is captured', () => {
    expect(of(['{HTTP_HOST}', '.*'], ['{UrlDecode:%41}', 'A'], ['a{URL}', 'b'])).toEqual([]);
    expect(told('LG2250', rulesXml([{ when: [['https', '(.*)']], to: 'http://app01/{C:1}' }]))).toEqual([]);
  });

  test('one cause, one finding', () => {
    expect(
      findings(rulesXml([{ when: [['HTTP_HOST', 'x']] }]), /LG22(49|50)/).map(({ diagnostic }) => diagnostic.code),
    ).toEqual(['LG2249']);
  });
});

test('a variable that is set without effect need not be allowed', () => {
  const codes = (name: string) =>
    findings(rulesXml([{ set: [[name, 'x']] }]), /LG22(26|47)/).map(({ diagnostic }) => diagnostic.code);
  expect(codes('RESPONSE_X')).toEqual(['LG2247']);
  expect(codes('X-Forwarded-For')).toEqual(['LG2247']);
  expect(codes('HTTP_X_FORWARDED_FOR')).toEqual(['LG2226']);
});

test('what becomes of a condition on a variable that is always empty', () => {
  const when: RuleXml['when'] = [
    ['{AUTH_USER}', '.+'],
    ['{AUTH_USER}', '^$'],
    ['a{AUTH_USER}', '.+'],
  ];
  expect(findings(rulesXml([{ when }]), /LG2248/).map(({ diagnostic }) => diagnostic.message)).toEqual(
    [', so this condition never holds', ', so this condition always holds', ''].map(
      (effect) => `{AUTH_USER} is always empty here${effect}: rules run before any login, and Lychgate logs nobody in.`,
    ),
  );
});
