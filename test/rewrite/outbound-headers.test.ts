import { describe, expect, test } from 'vitest';
import { ExchangeError } from '../../src/errors.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { headersAfter, type OutboundText, runHead } from './outbound-configs.ts';
import { condition, map } from './rule-configs.ts';

const location = (value: string) => ['Location', value];
const header = (variable: string, pattern: string, value: string): OutboundText => ({ variable, pattern, value });

function failureOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ExchangeError) return `${error.status}.${error.subStatus} ${error.reason}`;
    throw error;
  }
  throw new Error('nothing failed');
}

describe("the vendor's Location sample (4.3)", () => {
  const rules: OutboundText[] = [
    {
      preCondition: 'IsRedirection',
      variable: 'RESPONSE_Location',
      pattern: '^http://[^/]+/(.*)',
      conditions: [condition('{ORIGINAL_HOST}', '.+'), condition('{URL}', '^/(webmail|payroll)/.*')],
      value: 'http://{ORIGINAL_HOST}/{C:1}/{R:1}',
    },
  ];
  const sample = (trackAll: boolean, more: { status?: number; target?: string; inbound?: boolean } = {}) =>
    headersAfter(
      rules.map((rule) => ({ ...rule, trackAll })),
      {
        target: more.target ?? '/webmail/inbox',
        status: more.status ?? 302,
        headers: location('http://webmail.internal/login.aspx?x'),
        preConditions: { isredirection: [condition('{RESPONSE_STATUS}', '3\\d\\d')] },
        inbound:
          more.inbound === false
            ? []
            : [{ url: '^(.*)', set: [['ORIGINAL_HOST', '{HTTP_HOST}']], to: 'http://webmail.internal/{R:1}' }],
        set: { allowedServerVariables: ['ORIGINAL_HOST'] },
      },
    );

  test('without trackAllCaptures {C:1} is of the last condition', () => {
    expect(sample(false)).toEqual(location('http://www.mysite.com/webmail/login.aspx?x'));
  });

  test('with trackAllCaptures it is so too, the first condition having no groups', () => {
    expect(sample(true)).toEqual(location('http://www.mysite.com/webmail/login.aspx?x'));
  });

  test('preCondition, path as the client sees it, and variables of inbound rules count', () => {
    const unchanged = location('http://webmail.internal/login.aspx?x');
    expect(sample(true, { status: 200 })).toEqual(unchanged);
    expect(sample(true, { target: '/other/' })).toEqual(unchanged);
    expect(sample(true, { inbound: false })).toEqual(unchanged);
  });
});

describe('headers', () => {
  test.each<[string, OutboundText[], string[], string[]]>([
    [
      'an absent header is the empty string',
      [header('RESPONSE_X_CUSTOM_HEADER', '^$', 'v')],
      [],
      ['X-CUSTOM-HEADER', 'v'],
    ],
    ['a present one is not', [header('RESPONSE_X_A', '^$', 'v')], ['x-a', '1'], ['x-a', '1']],
    [
      '.* sets what is absent',
      [header('RESPONSE_Strict_Transport_Security', '.*', 'max-age=1')],
      [],
      ['Strict-Transport-Security', 'max-age=1'],
    ],
    ['.+ does not', [header('RESPONSE_X_A', '.+', 'v')], [], []],
    [
      'a dash in the name',
      [header('RESPONSE_Cache-Control', '.*', 'no-store')],
      ['cache-control', 'x'],
      ['cache-control', 'no-store'],
    ],
    ['an empty value removes the header', [header('RESPONSE_SERVER', '.+', '')], ['A', 'b', 'Server', 'x'], ['A', 'b']],
    ['the whole value is replaced', [header('RESPONSE_X', 'b', 'z')], ['X', 'abc'], ['X', 'z']],
    ['replace="false" keeps', [{ ...header('RESPONSE_X', '.*', 'z'), replace: false }], ['X', 'abc'], ['X', 'abc']],
    ['replace="false" sets what is absent', [{ ...header('RESPONSE_X', '.*', 'z'), replace: false }], [], ['X', 'z']],
    ['negate', [{ ...header('RESPONSE_X', 'b', '{R:0}z'), negate: true }], ['X', 'a', 'X', 'b'], ['X', 'z', 'X', 'b']],
    [
      'ignoreCase="false"',
      [{ ...header('RESPONSE_X', 'A', 'z'), ignoreCase: false }],
      ['X', 'a', 'X', 'A'],
      ['X', 'a', 'X', 'z'],
    ],
    [
      'Wildcard',
      [{ ...header('RESPONSE_X', 'a*c', '{R:1}'), syntax: 'Wildcard' }],
      ['X', 'abbc', 'X', 'abbcd'],
      ['X', 'bb', 'X', 'abbcd'],
    ],
    [
      'ExactMatch',
      [{ ...header('RESPONSE_X', 'a.c', '1'), syntax: 'ExactMatch' }],
      ['X', 'A.C', 'X', 'abc'],
      ['X', '1', 'X', 'abc'],
    ],
    [
      'one rule feeds the next',
      [header('RESPONSE_X', '(.*)', '{R:1}1'), header('RESPONSE_X', '(.*)', '{R:1}2')],
      ['X', 'a'],
      ['X', 'a12'],
    ],
    [
      'a removed header is absent for the next',
      [header('RESPONSE_X', '.+', ''), header('RESPONSE_X', '^$', 'n')],
      ['X', 'a'],
      ['X', 'n'],
    ],
    [
      'stopProcessing ends the list for this header',
      [
        { ...header('RESPONSE_X', '(.*)', '{R:1}1'), stop: true },
        header('RESPONSE_X', '(.*)', '{R:1}2'),
        header('RESPONSE_Y', '.*', 'y'),
      ],
      ['X', 'a'],
      ['X', 'a1', 'Y', 'y'],
    ],
    [
      'and for its line alone',
      [{ ...header('RESPONSE_X', 'a', 'A'), stop: true }, header('RESPONSE_X', '(.*)', '{R:1}2')],
      ['X', 'a', 'X', 'b'],
      ['X', 'A', 'X', 'b2'],
    ],
    [
      'a rule that did not match stops nothing',
      [{ ...header('RESPONSE_X', 'q', 'A'), stop: true }, header('RESPONSE_X', '(.*)', '{R:1}2')],
      ['X', 'a'],
      ['X', 'a2'],
    ],
    [
      'None stops, too',
      [{ variable: 'RESPONSE_X', pattern: '.*', stop: true }, header('RESPONSE_X', '.*', 'z')],
      [],
      [],
    ],
    ['disabled', [{ ...header('RESPONSE_X', '.*', 'z'), enabled: false }], ['X', 'a'], ['X', 'a']],
    [
      'a preCondition that is missing never holds',
      [{ ...header('RESPONSE_X', '.*', 'z'), preCondition: 'p' }],
      ['X', 'a'],
      ['X', 'a'],
    ],
    [
      'an empty preCondition is none',
      [{ ...header('RESPONSE_X', '.*', 'z'), preCondition: '' }],
      ['X', 'a'],
      ['X', 'z'],
    ],
    [
      'a header that frames the message',
      [header('RESPONSE_Content_Length', '.*', '1'), header('RESPONSE_Transfer-Encoding', '.*', 'x')],
      [],
      [],
    ],
    ['RESPONSE_STATUS', [header('RESPONSE_STATUS', '.*', '500')], [], []],
    ['a name that is none', [header('RESPONSE_a b', '.*', '1'), header('RESPONSE_', '.*', '1')], [], []],
    ['without a pattern', [{ variable: 'RESPONSE_X', pattern: null, value: 'z' }], ['X', 'a'], ['X', 'a']],
    ['server variable before tags', [{ ...header('RESPONSE_X', '.*', 'z'), tags: ['A'] }], ['X', 'a'], ['X', 'z']],
    ['blanks around a value go', [header('RESPONSE_X', '.*', ' z ')], ['X', 'a'], ['X', 'z']],
    ['characters beyond latin1 are UTF-8', [header('RESPONSE_X', '.*', '\u20ac')], [], ['X', '\xe2\x82\xac']],
  ])('%s', (_, rules, headers, expected) => {
    expect(headersAfter(rules, { headers })).toEqual(expected);
  });

  test('each Set-Cookie is a place of its own, for the preCondition as well', () => {
    const headers = ['Set-Cookie', 'a=1; Domain=x.local', 'set-cookie', 'b=2; HttpOnly', 'Set-Cookie', 'c=3'];
    const rules = [
      header('RESPONSE_Set_Cookie', '^(.*; ?domain=)x\\.local(.*)', '{R:1}{HTTP_HOST}{R:2}'),
      { ...header('RESPONSE_Set_Cookie', '.+', '{R:0}; HttpOnly'), preCondition: 'NotYet' },
    ];
    const preConditions = {
      NotYet: [
        condition('{RESPONSE_Set_Cookie}', '.'),
        condition('{RESPONSE_Set_Cookie}', '; HttpOnly', { negate: true }),
      ],
    };
    expect(headersAfter(rules, { headers, preConditions })).toEqual([
      ...['Set-Cookie', 'a=1; Domain=www.mysite.com; HttpOnly', 'set-cookie', 'b=2; HttpOnly'],
      ...['Set-Cookie', 'c=3; HttpOnly'],
    ]);
  });

  test('variables: of the answer, of the request, set by rules, maps and functions', () => {
    const value = (expression: string, more: object = {}) =>
      headersAfter([header('RESPONSE_X', '.*', expression)], {
        target: '/a%20b/?q=1',
        status: 404,
        headers: ['Content-Type', 'text/html', 'Vary', 'A', 'vary', 'B'],
        request: { headers: { 'user-agent': 'curl' } },
        set: { rewriteMaps: [map('M', { k: 'v' })], allowedServerVariables: ['MINE', 'RESPONSE_VARY'] },
        inbound: [
          {
            set: [
              ['MINE', 'm'],
              ['RESPONSE_VARY', 'no'],
            ],
            to: 'http://farm/inner',
          },
        ],
        ...more,
      }).at(-1);
    expect(value('{RESPONSE_STATUS} {response_content-type} {RESPONSE_VARY} {RESPONSE_NONE}')).toBe(
      '404 text/html A, B',
    );
    expect(value('{URL}|{QUERY_STRING}|{HTTP_USER_AGENT}|{HTTP_HOST}|{REQUEST_METHOD}')).toBe(
      '/a b/|q=1|curl|www.mysite.com|GET',
    );
    expect(value('{MINE}{M:k}{ToUpper}{ToLower:A}{HTTP_X_ORIGINAL_URL}{IIS_WasUrlRewritten}')).toBe('mva/a b/1');
    expect(value('{IIS_WasUrlRewritten}-', { inbound: [] })).toBe('-');
  });

  test('a variable that is no header is for later rules alone', () => {
    const rules = [
      header('HTTP_ACCEPT_ENCODING', '^(.*)', '{R:1}+br'),
      header('MY_OWN', '^$', 'x'),
      header('RESPONSE_X', '.*', '{HTTP_ACCEPT_ENCODING} {MY_OWN}'),
    ];
    expect(headersAfter(rules, { request: { headers: { 'accept-encoding': 'gzip' } } })).toEqual(['X', 'gzip+br x']);
  });

  test('captures of conditions are kept by default, the opposite of inbound', () => {
    const conditions = [condition('{URL}', '^/([a-z]+)/([0-9]+)/$'), condition('{QUERY_STRING}', 'p2=([a-z]+)')];
    const valueWith = (trackAll: boolean) =>
      headersAfter([{ ...header('RESPONSE_X', '.*', '{C:0}|{C:1}|{C:2}|{C:3}'), conditions, trackAll }], {
        target: '/article/23/?p1=123&p2=abc',
      })[1];
    expect(valueWith(true)).toBe('/article/23/|article|23|abc');
    expect(valueWith(false)).toBe('p2=abc|abc||');
  });
});

describe('where rules are in force', () => {
  test('none: nothing is opened', () => {
    expect(runHead([])).toBeUndefined();
    expect(runHead([{ enabled: false, variable: 'RESPONSE_X', value: '1' }])).toBeUndefined();
    expect(runHead([{ variable: 'RESPONSE_X', value: '1', preCondition: 'missing' }])).toBeUndefined();
    expect(runHead([{ tags: ['CustomTags'], customTags: 'missing', value: '1' }])).toBeUndefined();
    expect(runHead([{ negate: true, value: '1' }])).toBeUndefined();
  });
});

describe('failures', () => {
  test.each([['%0d%0aX-Evil:1'], ['%0a'], ['%00']])('%s in a value is 400 and never reaches a header', (raw) => {
    const rules = [header('RESPONSE_X', '.*', '{UrlDecode:{QUERY_STRING}}')];
    expect(failureOf(() => headersAfter(rules, { target: `/?${raw}` }))).toBe(
      '400.601 outbound rule "out": the value for X holds a control character',
    );
  });

  test.each<[string, OutboundText, string]>([
    ['unknown map', header('RESPONSE_X', '.*', '{Nope:x}'), 'The expression "{Nope:x}" cannot be expanded.'],
    [
      'in a condition',
      { ...header('RESPONSE_X', '.*', 'x'), conditions: [condition('{Nope:x}', '.')] },
      'The expression "{Nope:x}" cannot be expanded.',
    ],
    ['too complex', header('RESPONSE_X', '^(?=(a+)+$)', 'x'), 'match too complex'],
  ])('%s is 500.52', (_, rule, reason) => {
    const run = () => headersAfter([rule], { headers: ['X', `${'a'.repeat(40)}b`] });
    expect(failureOf(run)).toBe(`500.52 outbound rule "out": ${reason}`);
  });

  test('whatever values are made of, no header holds a line end', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 40 }), (value) => {
        const rules = [header('RESPONSE_X', '.*', '{UrlDecode:{HTTP_X_IN}}')];
        try {
          const after = headersAfter(rules, {
            request: { headers: { 'x-in': encodeURIComponent(value.toWellFormed()) } },
          });
          for (const each of after) expect(each).toMatch(/^[\t\x20-\x7e\x80-\xff]*$/);
        } catch (error) {
          expect(error).toBeInstanceOf(ExchangeError);
        }
      }),
      { numRuns: runs(300) },
    );
  });
});
