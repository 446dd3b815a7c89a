import { describe, expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import type { Config } from '../../src/config/model.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { type OutboundMore, type OutboundText, outboundSet } from './outbound-configs.ts';
import { condition, ruleSettings, sitesOf } from './rule-configs.ts';

function check(rules: readonly OutboundText[], more: OutboundMore = {}): Diagnostic[] {
  const diagnostics: Diagnostic[] = [];
  const config = {
    ...sitesOf({ site: outboundSet(rules, more) }),
    webFarms: [],
    proxy: { enabled: true },
    settings: ruleSettings(),
  } as unknown as Config;
  checkPublication(config, reportInto(diagnostics));
  return diagnostics;
}

/** `code start-end` with places counted from the start of the text. */
function found(rules: readonly OutboundText[], more: OutboundMore = {}): string[] {
  return check(rules, more).map(({ code, span: { start, end } }) =>
    start < 1000 ? code : `${code} ${start - 1000}-${end - 1000}`,
  );
}

const isHtml = { html: [condition('{RESPONSE_CONTENT_TYPE}', '^text/html')] };

test('what people write is clean', () => {
  expect(
    found(
      [
        { preCondition: 'HTML', tags: ['A', 'Form', 'Img'], pattern: '^http(s)?://inner/(.*)', value: '/{R:2}' },
        { preCondition: 'html', pattern: '</body>', value: '<i>{RESPONSE_STATUS}</i></body>', occurrences: 1 },
        {
          variable: 'RESPONSE_Location',
          pattern: '^http://[^/]+/(.*)',
          value: 'http://{ORIGINAL_HOST}/{C:1}/{R:1}',
          conditions: [condition('{ORIGINAL_HOST}', '.+'), condition('{URL}', '^/(a|b)/.*')],
        },
        { variable: 'RESPONSE_SERVER', pattern: '.+', value: '' },
        { variable: 'HTTP_ACCEPT_ENCODING', pattern: '^(.*)', value: '{HTTP_X_ORIGINAL_ACCEPT_ENCODING}' },
        { tags: ['CustomTags'], customTags: 't', pattern: 'x', value: 'y' },
        { variable: 'RESPONSE_X', pattern: '*', syntax: 'Wildcard', value: '{R:1}' },
      ],
      {
        preConditions: isHtml,
        customTags: { t: [['video', 'poster']] },
        inbound: [{ set: [['ORIGINAL_HOST', '{HTTP_HOST}']] }],
        set: { allowedServerVariables: ['ORIGINAL_HOST'] },
      },
    ),
  ).toEqual([]);
});

describe('each fault at its place', () => {
  const tags: OutboundText = { tags: ['A'], value: 'x' };
  test.each<[string, OutboundText, string[]]>([
    ['bad regex', { ...tags, pattern: 'a(b' }, ['LG2200 1-2']],
    ['a variable in a pattern', { value: '', pattern: '{HTTP_X}' }, ['LG2200 0-8']],
    ['bad regex of a disabled rule', { ...tags, pattern: 'a(b', enabled: false }, ['LG2205 1-2']],
    ['nested repeats', { ...tags, pattern: '(a+)+' }, ['LG2201 0-5']],
    ['bad regex in a condition', { ...tags, conditions: [condition('{URL}', '*')] }, ['LG2200 0-1']],
    [
      'condition without a pattern',
      { ...tags, conditions: [{ ...condition('{URL}', ''), pattern: undefined as never }] },
      ['LG2222'],
    ],
    ['no pattern', { ...tags, pattern: null }, ['LG2220']],
    ['unclosed brace', { ...tags, value: 'x{R:0' }, ['LG2210 1-2']],
    ['unknown map', { ...tags, value: '{Nope:{R:0}}' }, ['LG2211 0-12']],
    ['group', { ...tags, pattern: '(a)', value: '{R:1}{R:2}' }, ['LG2213 5-10']],
    ['group of a negated pattern', { ...tags, negate: true, value: '{R:0}' }, ['LG2213 0-5']],
    ['no condition', { ...tags, value: '{C:1}' }, ['LG2213 0-5']],
    [
      'groups of all conditions count',
      { ...tags, value: '{C:2}', conditions: [condition('{URL}', '(a)'), condition('{URL}', '(b)')] },
      [],
    ],
    [
      'but not without trackAllCaptures',
      { ...tags, value: '{C:2}', trackAll: false, conditions: [condition('{URL}', '(a)'), condition('{URL}', '(b)')] },
      ['LG2213 0-5'],
    ],
    ['unknown variable', { ...tags, value: '{ORIGINAL_HOST}' }, ['LG2215 0-15']],
    ['Wildcard without tags', { pattern: '*x*', syntax: 'Wildcard', value: '' }, ['LG2240 0-3']],
    ['the same in a disabled rule', { pattern: '*x*', syntax: 'Wildcard', value: '', enabled: false }, []],
    ['customTags without the flag', { ...tags, customTags: 't' }, ['LG2241 0-1']],
    ['the flag without customTags', { tags: ['CustomTags'], value: 'x' }, ['LG2241']],
    ['header that frames the message', { variable: 'RESPONSE_Content_Length', value: '' }, ['LG2227 0-23']],
    ['no header name', { variable: 'RESPONSE_a b', value: '' }, ['LG2227 0-12']],
    ['status', { variable: 'RESPONSE_STATUS', value: '200' }, ['LG2244 0-15']],
    ['variable and tags', { ...tags, variable: 'RESPONSE_X' }, ['LG2242 0-10']],
    ['negative occurrences', { ...tags, occurrences: -1 }, ['LG2243']],
    ['occurrences of a header', { variable: 'RESPONSE_X', value: '', occurrences: 1 }, ['LG2243']],
    ['negated pattern on the whole body', { pattern: 'x', negate: true, value: '' }, ['LG2243']],
  ])('%s', (_, rule, codes) => {
    expect(found([rule])).toEqual(codes);
  });

  test('preConditions, used or not', () => {
    const preConditions = {
      used: [condition('{RESPONSE_X}{R:0}{NO_SUCH}', 'a)')],
      spare: [condition('{NO_SUCH}', '(a')],
    };
    expect(found([{ tags: ['A'], value: 'x', preCondition: 'USED' }], { preConditions })).toEqual([
      'LG2200 1-2',
      'LG2213 12-17',
      'LG2215 17-26',
      'LG2205 0-1',
    ]);
  });

  test('in inbound rules RESPONSE_ variables are unknown', () => {
    expect(found([], { inbound: [{ to: '/{RESPONSE_X}' }, { type: 'AbortRequest' }] })).toEqual(['LG2215 1-13']);
  });

  test('faults of outbound rules are 500.52', () => {
    const [diagnostic] = check([{ tags: ['A'], value: '{Nope:x}' }]);
    expect(diagnostic?.iis).toBeUndefined();
    expect(diagnostic?.message).toContain('500.52');
  });
});
