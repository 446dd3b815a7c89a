/** Where rules lead whose scheme or host is computed: what is let through, what is refused, and what the check says beforehand. */
import { describe, expect, test } from 'vitest';
import { readTarget, textOf } from '../../src/rewrite/action-target.ts';
import { isRefused, parseTarget } from '../../src/rewrite/target.ts';
import { readTemplate } from '../../src/rewrite/template.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { check, codes } from './checked-rules.ts';
import { condition, map, type RequestText, type RuleText, ruleSet, run } from './rule-configs.ts';

const HTTPS: RequestText = { scheme: 'https', localPort: 443 };
const ON = { proxy: true };

/** `scheme://host:port/path`, with `!` where the host counts as the request's choice; else what became of it. */
function goesTo(
  rule: RuleText,
  path: string,
  from: RequestText = {},
  rewriteMaps = [] as ReturnType<typeof map>[],
): string {
  const outcome = run({ site: ruleSet([{ stop: true, append: false, ...rule }], { rewriteMaps }) }, path, from);
  if (outcome.kind === 'redirect') return outcome.location;
  if (outcome.kind === 'error') return `${outcome.badRequest ? 400 : 500}: ${outcome.message}`;
  if (outcome.kind !== 'proxy') return outcome.kind;
  const { scheme, host, port, target, literalHost } = outcome;
  return `${literalHost ? '' : '!'}${scheme}://${host}${port === undefined ? '' : `:${port}`}${target}`;
}

describe('one reading of a URL', () => {
  const read = (url: string, type: 'Rewrite' | 'Redirect' = 'Rewrite') => {
    const target = readTarget(readTemplate(url).parts, type);
    if (target.kind !== 'absolute') return target.kind;
    const written = (parts: readonly { from: number; to: number }[]) =>
      parts.map(({ from, to }) => url.slice(from, to));
    expect(url.slice(target.from, target.to)).toBe(written(target.host).join(''));
    return [written(target.scheme), written(target.host), written(target.rest)];
  };

  test.each<[string, unknown]>([
    ['', 'path'],
    ['a/b', 'path'],
    ['/a?b=http://c', 'path'],
    ['//a/b', 'path'],
    ['a{R:1}://b', [['a', '{R:1}'], ['b'], []]],
    ['{R:1}', 'open'],
    ['{C:1}/a://b', 'open'],
    ['ftp://a/b', 'other'],
    ['C:\\a', 'other'],
    ['\\\\a\\b', 'other'],
    ['http://a', [['http'], ['a'], []]],
    ['HTTPS://a:81/b', [['HTTPS'], ['a:81'], ['/b']]],
    ['http://a?b', [['http'], ['a'], ['?b']]],
    ['http://a\\b', [['http'], ['a'], ['\\b']]],
    ['http:///a', [['http'], [], ['/a']]],
    ['http://a{URL}', [['http'], ['a'], ['{URL}']]],
    ['http://{URL}', [['http'], ['{URL}'], []]],
    ['http://a{C:1}/b', [['http'], ['a', '{C:1}'], ['/b']]],
    ['http://{M:{R:1}}.b:81/{R:2}?c', [['http'], ['{M:{R:1}}', '.b:81'], ['/', '{R:2}', '?c']]],
    ['{C:1}://a/{R:1}', [['{C:1}'], ['a'], ['/', '{R:1}']]],
    ['http{C:1}://a', [['http', '{C:1}'], ['a'], []]],
    ['{C:1}{C:2}://a', [['{C:1}', '{C:2}'], ['a'], []]],
  ])('%s', (url, expected) => {
    expect(read(url)).toEqual(expected);
  });

  test('a Redirect may keep the scheme, or have any other', () => {
    expect(read('//a/b', 'Redirect')).toEqual([[], ['a'], ['/b']]);
    expect(read('mailto:a@b', 'Redirect')).toBe('other');
    expect(read('ms-word:ofe|u|{R:1}', 'Redirect')).toBe('other');
    expect(read('https:a', 'Redirect')).toBe('path');
  });

  test('text is told from what is computed', () => {
    expect(textOf(readTemplate('ab').parts)).toBe('ab');
    expect(textOf([])).toBe('');
    expect(textOf(readTemplate('a{R:1}').parts)).toBeUndefined();
  });
});

describe('a computed scheme', () => {
  const cache = condition('{CACHE_URL}', '^(https?)://');
  const to = '{C:1}://app01.contoso.local:9002/{R:1}';
  const protocols = [map('Protocol', { ON: 'https', OFF: 'http' })];

  test.each<[string, RuleText, string, string, ReturnType<typeof map>[]?]>([
    ['taken from CACHE_URL', { url: '(.*)', conditions: [cache], to }, 'http://app01.contoso.local:9002/a', 'https://app01.contoso.local:9002/a'],
    ['looked up', { url: '(.*)', to: '{Protocol:{HTTPS}}://app/{R:1}' }, 'http://app/a', 'https://app/a', protocols],
    ['of which a letter is captured', { url: '(.*)', conditions: [condition('{HTTPS}s', '^on(s)|offs$')], to: 'http{C:1}://app/{R:1}' }, 'http://app/a', 'https://app/a'],
    ['in two pieces', { url: '(.*)', conditions: [condition('{CACHE_URL}', '^(http)(s?):')], to: '{C:1}{C:2}://app/{R:1}' }, 'http://app/a', 'https://app/a'],
    ['in another case', { url: '(.*)', conditions: [condition('{CACHE_URL}', '^(https?):')], to: '{ToLower:{C:1}}://app/{R:1}' }, 'http://app/a', 'https://app/a'],
    ['of a redirect', { url: '(.*)', type: 'Redirect', conditions: [cache], to: '{C:1}://www.contoso.com/{R:1}' }, 'http://www.contoso.com/a', 'https://www.contoso.com/a'],
  ])('%s', (_, rule, plain, secure, rewriteMaps = []) => {
    expect(goesTo(rule, '/a', {}, rewriteMaps)).toBe(plain);
    expect(goesTo(rule, '/a', HTTPS, rewriteMaps)).toBe(secure);
    expect(codes([{ stop: true, append: false, ...rule }], { ...ON, set: { rewriteMaps } })).toEqual([]);
  }); // biome-ignore format: one line

  test.each([
    'https://evil.example/?',
    'http://evil.example/',
    'http://evil.example#',
    'ftp',
    '',
    'http:',
    ' http',
    'http\\',
  ])('that comes out as %j names no host', (sent) => {
    for (const type of ['Rewrite', 'Redirect'] as const) {
      const rule: RuleText = { type, conditions: [condition('{HTTP_X}', '(.*)')], to: '{C:1}://app/' };
      const outcome = goesTo(rule, '/', { headers: { x: sent } });
      expect(outcome).toBe(
        `500: ${JSON.stringify(sent).replaceAll('\\\\', '\\')} before "://" is neither http nor https`,
      );
    }
  });

  test.each<[string, RuleText, string[]]>([
    ['by the request', { conditions: [condition('{HTTP_X_FORWARDED_PROTO}', '(.+)')], to: '{C:1}://app/' }, ['LG2238']],
    ['that can be a wrong one', { conditions: [condition('{HTTPS}', '(on)?')], to: 'http{C:1}://app/' }, ['LG2238']],
    ['that is always a wrong one', { to: '{HTTPS}://app/' }, ['LG2235']],
    ['that is a wrong one in a redirect', { type: 'Redirect', to: '{HTTPS}://www.contoso.com/' }, ['LG2235']],
  ])('%s is told', (_, rule, expected) => {
    expect(codes([{ stop: true, ...rule }], ON)).toEqual(expected);
  });

  test('keeps no other check from being made', () => {
    const rule = { url: '(.*)', conditions: [cache], to: '{C:1}://backend.contoso.test{UNENCODED_URL}' };
    expect(codes([rule, { url: 'x' }])).toEqual(['LG2233', 'LG2230', 'LG2234', 'LG2232']);
    const open = { type: 'Redirect' as const, conditions: [condition('{QUERY_STRING}', '(.*)')], to: '{Protocol:{HTTPS}}://{C:1}/' };
    expect(codes([open], { ...ON, set: { rewriteMaps: protocols } })).toEqual(['LG2305']);
  }); // biome-ignore format: one line
});

describe('a fixed host, and something behind it', () => {
  const slash = condition('{CACHE_URL}', '(/depot/.*)');

  test.each<[string, RuleText, string]>([
    ['a group that begins with a slash', { conditions: [slash], to: 'http://backend.contoso.local{C:1}' }, 'http://backend.contoso.local/depot/x'],
    ['with a port', { url: '^depot(/.*)$', to: 'http://backend:81{R:1}' }, 'http://backend:81/x'],
    ['a group that may be empty', { url: '^depot/x(/.*)?$', to: 'http://backend{R:1}' }, 'http://backend/'],
    ['all that matched', { conditions: [condition('{URL}', '^/depot.*')], to: 'http://backend{C:0}' }, 'http://backend/depot/x'],
    ['a port, and a group that can but begin with a slash', { url: '^(?:depot|shop)(/.*)?$', to: 'http://backend:81{R:1}' }, 'http://backend:81/x'],
    ['all that a wildcard took', { syntax: 'Wildcard', url: '*', conditions: [condition('{REQUEST_URI}', '/depot/*')], to: 'http://backend{C:0}' }, 'http://backend/depot/x'],
    ['the first star of a path', { syntax: 'Wildcard', url: '*', conditions: [condition('{URL}', '*/x')], to: 'http://backend{C:1}' }, 'http://backend/depot'],
    ['all of a path', { conditions: [condition('{REQUEST_URI}', '(.*)')], to: 'http://backend{C:1}' }, 'http://backend/depot/x'],
    ['the begin of a path', { conditions: [condition('{REQUEST_URI}', '^([^?]+)/x$')], to: 'http://backend{C:1}' }, 'http://backend/depot'],
    ['in small letters', { conditions: [condition('{URL}', '^(/.*)')], to: 'http://backend{ToLower:{C:1}}' }, 'http://backend/depot/x'],
    ['one and another', { url: '^depot(/x)?(/.*)?$', to: 'http://backend{R:1}{R:2}' }, 'http://backend/x'],
    ['a slash or a question mark', { conditions: [condition('{REQUEST_URI}', '^/depot((?:/|\\?).*)?$')], to: 'http://backend{C:1}' }, 'http://backend/x'],
    ['a negated match, which captures nothing', { url: '^shop(.*)', negate: true, to: 'http://backend{R:1}' }, 'http://backend/'],
    ['no condition that captures', { conditions: [condition('{URL}', '^/shop(.*)', { negate: true })], to: 'http://backend{C:1}' }, 'http://backend/'],
    ['a group that is not there', { url: '^depot', to: 'http://backend{R:7}' }, 'http://backend/'],
    ['either of two', { conditions: [condition('{URL}', '^(/depot.*|/shop.*)')], to: 'http://backend{C:1}' }, 'http://backend/depot/x'],
  ])('%s', (_, rule, expected) => {
    expect(goesTo(rule, '/depot/x')).toBe(expected);
    // That a reference is empty is told for itself.
    const empty = ['LG2213', 'LG2214'] as const;
    expect(codes([{ stop: true, append: false, ...rule }], ON).filter((code) => !empty.some((each) => each === code))).toEqual([]);
  }); // biome-ignore format: one line

  test.each(['.evil.example/', '@evil.example/', ':99/', '-x', '\\evil', '%2eevil', 'x:y@z'])('%s makes another host of it', (sent) => {
    const rule = { conditions: [condition('{HTTP_X}', '(.*)')], to: 'http://backend{C:1}' };
    expect(goesTo(rule, '/', { headers: { x: sent } })).toMatch(/^(!|400: )/);
    expect(goesTo(rule, '/', { headers: { x: `/${sent}` } })).toMatch(/^http:\/\/backend\//);
    expect(goesTo(rule, '/', { headers: {} })).toBe('http://backend/');
    expect(codes([{ stop: true, append: false, ...rule }], ON)).toEqual(['LG2231']);
  }); // biome-ignore format: one line

  test('is no name where text goes on behind it', () => {
    const rule = { url: '(.*)', to: 'http://app-{R:1}.contoso.local/' };
    expect(goesTo(rule, '/7')).toBe('!http://app-7.contoso.local/');
    expect(goesTo(rule, '/')).toBe('!http://app-.contoso.local/');
    expect(codes([{ stop: true, ...rule }], ON)).toEqual(['LG2231']);
  });

  test('the message names what may follow, and the cure', () => {
    const [finding] = check([{ url: '(.*)', to: 'http://backend{R:1}', stop: true }], ON);
    expect(finding?.message).toContain('The host is "backend" only where {R:1} begins with a slash or is empty');
    expect(finding?.advice).toContain('"http://backend/{R:1}"');
  });
});

describe('a fixed host, and a number behind its colon', () => {
  const sent = condition('{HTTP_X}', '^([0-9]{1,6})$');

  test.each<[string, RuleText, string]>([
    ['captured from the path', { url: '^(\\d+)/(.*)$', to: 'http://app01:{R:1}/{R:2}' }, 'http://app01:8080/x'],
    ['of a header', { conditions: [sent], to: 'http://app01:{C:1}/' }, 'http://app01:81/'],
    ['of the request', { to: 'http://app01:{SERVER_PORT}/' }, 'http://app01:80/'],
    ['with digits before it', { url: '^\\d\\d(\\d\\d)/', to: 'http://app01:90{R:1}/' }, 'http://app01:9080/'],
    ['of a host that a map gives', { url: '^(\\d+)/(.*)$', to: 'http://{M:{R:2}}:{R:1}/{R:2}' }, 'http://app07:8080/x'],
    ['of a URL that a map gives', { url: '^(\\d+)/(.*)$', to: '{U:{R:2}}:{R:1}/{R:2}' }, 'https://app08:8080/x'],
    ['and a path behind it', { url: '^(\\d+)(/.*)$', to: 'http://app01:{R:1}{R:2}' }, 'http://app01:8080/x'],
  ])('%s', (_, rule, expected) => {
    const maps = [map('M', { x: 'app07' }, { defaultValue: 'app09' }), map('U', { x: 'https://app08' }, { defaultValue: 'http://app09' })];
    expect(goesTo(rule, '/8080/x', { headers: { x: '81' } }, maps)).toBe(expected);
    expect(codes([{ stop: true, append: false, ...rule }], { ...ON, set: { rewriteMaps: maps } })).toEqual([]);
  }); // biome-ignore format: one line

  test.each(['0', '65536', '999999'])('%s is no port', (sentPort) => {
    expect(goesTo({ conditions: [sent], to: 'http://app01:{C:1}/' }, '/', { headers: { x: sentPort } })).toMatch(/^400: /);
  }); // biome-ignore format: one line

  test.each(['(.*)', '(\\d*)', '(\\d+)?', '(\\w+)', '([\\d.]+)', '(\\d+)|x'])('%s may hold something else', (pattern) => {
    const rule = { conditions: [condition('{HTTP_X}', pattern)], to: 'http://app01:{C:1}/' };
    expect(codes([{ stop: true, ...rule }], ON)).toEqual(['LG2231']);
    for (const evil of ['80@evil.example', '80.evil.example', ':80', 'x', '80 '])
      expect(goesTo(rule, '/', { headers: { x: evil } })).not.toMatch(/^https?:\/\/(?!app01:80\/)/);
  }); // biome-ignore format: one line

  test('what a rule sets in the place of the number names no other host', () => {
    for (const evil of ['80@evil.example', '80.evil.example', '@evil.example:80', '80/../', '.evil.example:80']) {
      const rule: RuleText = { conditions: [condition('{HTTP_X}', '(.*)')], set: [['SERVER_PORT', '{C:1}']], to: 'http://app01:{SERVER_PORT}/' };
      const outcome = run({ site: ruleSet([rule], { allowedServerVariables: ['SERVER_PORT'] }) }, '/', { headers: { x: evil } });
      if (outcome.kind === 'error') expect(outcome.badRequest).toBe(true);
      else expect(outcome).toMatchObject(/^80/.test(evil) && evil.includes('/') ? { host: 'app01', port: 80 } : { literalHost: false });
    }
  }); // biome-ignore format: one line
});

describe('what is no whole host', () => {
  test.each(['http://internal-{HTTP_HOST}/', 'http://app01.{HTTP_HOST}/', 'http://internal-{R:0}:81/'])('%s', (to) => {
    const [finding, more] = check([{ to, stop: true }], ON);
    expect(finding?.code).toBe('LG2231');
    expect(finding?.message).toContain('is computed from the request');
    expect(more).toBeUndefined();
  }); // biome-ignore format: one line
});

test('a port that may hold more than digits is told, with the cure', () => {
  const of = (to: string, url = '.*') => check([{ url, to, stop: true }], ON)[0];
  expect(of('http://app01:{R:1}/', '^(.*)/')?.message).toContain('The port is {R:1}, which may hold more than digits');
  expect(of('http://app01:{R:1}/', '^(.*)/')?.advice).toContain('nothing but digits: (\\d+)');
  expect(of('http://app01:{HTTP_X}/')?.advice).toContain('{SERVER_PORT}');
  expect(of('http://app01:{R:1}/', '^(\\d+)/')).toBeUndefined();
});

describe('the cure', () => {
  const cure = (rule: RuleText) =>
    check([{ stop: true, append: false, ...rule }], ON).find(({ code }) => code === 'LG2231')?.advice;

  test.each<[string, RuleText, string, string]>([
    ['^api(.*)$', { url: '^api(/.*)?$' }, '/api/x', '/x'],
    ['^api(.+)', { url: '^api(/.+)' }, '/api/x', '/x'],
    ['^api(.*)?$', { url: '^api(/.*)?$' }, '/api', '/'],
    ['^(a|b)(c)(.*)$', { url: '^(a|b)(c)(/.*)?$', to: 'http://app01{R:3}' }, '/ac/x', '/x'],
    ['^[(]\\(api(.*)', { url: '^[(]\\(api(/.*)?' }, '/((api/x', '/x'],
    ['(.*)', { to: 'http://app01/{R:1}' }, '/api/x', '/api/x'],
    ['^api/(.*)$', { to: 'http://app01/{R:1}' }, '/api/x', '/x'],
    ['^api/?(.*)$', { to: 'http://app01/{R:1}' }, '/api/x', '/x'],
    ['^((a).*)$', { to: 'http://app01/{R:1}' }, '/a/x', '/a/x'],
  ])('of %s makes the rule work', (url, cured, path, expected) => {
    const rule = { url, to: (cured.to ?? 'http://app01{R:1}').replace('01/', '01') };
    expect(cure(rule)).toContain(`"${cured.url ?? cured.to}"`);
    expect(goesTo({ ...rule, ...cured }, path)).toBe(`http://app01${expected}`);
    expect(cure({ ...rule, ...cured })).toBeUndefined();
  }); // biome-ignore format: one line

  test('of a wildcard and of a condition', () => {
    expect(cure({ syntax: 'Wildcard', url: 'api*', to: 'http://app01{R:1}' })).toContain('"api/*", and into the URL: "http://app01/{R:1}"');
    const uri = [condition('{REQUEST_URI}', '^/api(.*)$')];
    expect(cure({ conditions: uri, to: 'http://app01{C:1}' })).toContain('"^/api(/.*)?$"');
    expect(cure({ url: '^api([^x]+)', to: 'http://app01{R:1}' })).toContain('Begin the group ([^x]+)');
    expect(cure({ to: 'http://app01{QUERY_STRING}' })).toContain('"http://app01/?{QUERY_STRING}"');
  }); // biome-ignore format: one line

  test('is no rewrite map where there is one', () => {
    const rewriteMaps = [map('M', { a: 'http://app01' }, { defaultValue: 'http://app02' })];
    const advice = (to: string) => check([{ url: '^([^/]+)/(.*)$', to, stop: true }], { ...ON, set: { rewriteMaps } })[0]?.advice;
    expect(advice('{M:{R:1}}{R:2}')).toBe('Write the slash into the URL: "{M:{R:1}}/{R:2}".');
    expect(advice('http://{M:{R:1}}{R:2}.x/')).not.toContain('take it from a rewrite map');
    expect(advice('http://{R:1}/')).toContain('take it from a rewrite map');
  }); // biome-ignore format: one line

  test('the status is the one that most requests get', () => {
    const message = (to: string) => check([{ to, stop: true }], ON)[0]?.message;
    expect(message('http://app01:8080{R:0}')).toContain('answered with 400, or with 403 where');
    expect(message('http://app01{R:0}')).toContain('answered with 403, or with 400 where');
    for (const [to, path, expected] of [
      ['http://app01:8080{R:0}', '/x', /^400: /],
      ['http://app01:80{R:0}', '/81', /^!http:\/\/app01:8081/],
      ['http://app01{R:0}', '/x', /^!http:\/\/app01x/],
      ['http://app01{R:0}', '/@x', /^400: /],
    ] as const) {
      expect(goesTo({ to }, path)).toMatch(expected);
    }
  });
});

describe('a host of the administrator’s own', () => {
  const houses = [
    map('Houses', { lab: '10.9.8.7', hall: 'hall.contoso.local:81/app', old: 'http://old.contoso.local/' }),
  ];
  const byHouse = condition('{Houses:{R:1}}', '(.+)');

  test.each<[string, RuleText, string]>([
    ['taken by a condition', { url: '^([^/]+)/(.*)$', conditions: [byHouse], to: 'http://{C:1}/{R:2}' }, 'http://10.9.8.7/x'],
    ['looked up in place', { url: '^([^/]+)/(.*)$', to: 'http://{Houses:{R:1}}/{R:2}' }, 'http://10.9.8.7/x'],
    ['between text', { url: '^([^/]+)/(.*)$', to: 'http://{Houses:{R:1}}.contoso.local:90/{R:2}' }, 'http://10.9.8.7.contoso.local:90/x'],
    ['with a path of the request behind it', { url: '^([^/]+)(/.*)$', to: 'http://{Houses:{R:1}}{R:2}' }, 'http://10.9.8.7/x'],
    ['out of the words of a pattern', { url: '^(lab|hall)/(.*)$', to: 'http://{R:1}.contoso.local/{R:2}' }, 'http://lab.contoso.local/x'],
    ['out of the words of a condition', { conditions: [condition('{HTTP_HOST}', '^(www|shop)\\.')], to: 'http://{C:1}.inner/{R:0}' }, 'http://www.inner/lab/x'],
  ])('%s', (_, rule, expected) => {
    expect(goesTo(rule, '/lab/x', {}, houses)).toBe(expected);
  }); // biome-ignore format: one line

  test('a value may bring a port and the begin of a path, and be a whole URL', () => {
    const to = 'http://{Houses:{R:1}}/{R:2}';
    expect(goesTo({ url: '^([^/]+)/(.*)$', to }, '/hall/x', {}, houses)).toBe('http://hall.contoso.local:81/app/x');
    const whole = { url: '^([^/]+)/(.*)$', to: '{Houses:{R:1}}{R:2}' };
    expect(goesTo(whole, '/old/x', {}, houses)).toBe('http://old.contoso.local/x');
    const open = [map('Houses', { lab: 'http://10.9.8.7' })];
    expect(goesTo(whole, '/lab/.evil.example', {}, open)).toMatch(/^!http:\/\/10\.9\.8\.7\.evil\.example\//);
    expect(codes([{ ...whole, stop: true, append: false }], { ...ON, set: { rewriteMaps: open } })).toEqual(['LG2231']);
  });

  test('with a URL of a map before a group that begins with a slash', () => {
    const rewriteMaps = [map('Urls', { lab: 'http://10.9.8.7' }, { defaultValue: 'http://10.9.8.8' })];
    const rule = { url: '^([^/]+)(/.*)$', to: '{Urls:{R:1}}{R:2}' };
    expect(goesTo(rule, '/lab/x', {}, rewriteMaps)).toBe('http://10.9.8.7/x');
    expect(codes([{ ...rule, stop: true, append: false }], { ...ON, set: { rewriteMaps } })).toEqual([]);
  });

  test('where the map gives nothing, what comes next may be a URL of the request', () => {
    const rewriteMaps = [map('Urls', { lab: 'http://10.9.8.7/' })];
    const rule = { conditions: [condition('{QUERY_STRING}', 'u=(.*)')], to: '{Urls:{R:0}}{C:1}' };
    expect(goesTo(rule, '/x?u=http://evil.example/', {}, rewriteMaps)).toBe('!http://evil.example/');
    expect(codes([{ ...rule, stop: true, append: false }], { ...ON, set: { rewriteMaps } })).toEqual(['LG2231']);
  });

  test('what is captured from the request is none, though it be called like one', () => {
    const rule = { conditions: [condition('{HTTP_X}', '(.+)')], to: 'http://{C:1}/' };
    expect(goesTo(rule, '/', { headers: { x: '10.9.8.7' } }, houses)).toBe('!http://10.9.8.7/');
    const mixed = { conditions: [byHouse, condition('{HTTP_X}', '(.+)')], url: '^([^/]+)', to: 'http://{C:1}/' };
    expect(goesTo(mixed, '/lab', { headers: { x: 'evil.example' } }, houses)).toBe('!http://evil.example/');
    const all = { ...mixed, trackAll: true };
    expect(goesTo(all, '/lab', { headers: { x: 'evil.example' } }, houses)).toBe('!http://10.9.8.7/');
  });

  test('a map of 50,000 hosts', () => {
    const many = [map('Houses', Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`h${n}`, `10.1.${n >> 8}.${n & 255}`])))];
    expect(goesTo({ url: '(.*)', to: 'http://{Houses:{R:1}}/' }, '/h49999', {}, many)).toBe('http://10.1.195.79/');
  }); // biome-ignore format: one line

  test('that is this proxy itself, or unknown while the proxy is off, is told', () => {
    const rule = { url: '^([^/]+)/(.*)$', conditions: [byHouse], to: 'http://{C:1}/{R:2}', stop: true };
    expect(codes([rule], { set: { rewriteMaps: [map('Houses', { a: '10.9.8.7' })] } })).toEqual(['LG2230']);
    expect(codes([rule], { set: { rewriteMaps: [map('Houses', { a: 'myfarm' })] } })).toEqual([]);
    expect(codes([rule], { ...ON, set: { rewriteMaps: [map('Houses', { a: '10.9.8.7' })] } })).toEqual([]);
  });
});

describe('by chance', () => {
  const rewriteMaps = [
    map('M', { evil: 'app07', x: 'app08:81', y: 'app09/z' }),
    map('D', { evil: 'app07' }, { defaultValue: 'app05' }),
    map('U', { evil: 'http://app07', x: 'https://app08/' }, { defaultValue: 'http://app05' }),
  ];
  const pieces = ['app01', 'app02.x', ':', ':81', '80', '.', '-', '/', '?', '{C:1}', '{C:0}', '{R:0}', '{R:1}', '{M:{C:1}}', '{D:{R:1}}', '{U:{C:1}}', '{ToLower:{C:1}}', '{SERVER_PORT}', '{URL}', '{HTTP_X}', '{C:7}'];
  const url = fc
    .tuple(fc.constantFrom('http://', 'https://app01', 'http://app02', '', '{U:{C:1}}'), fc.array(fc.constantFrom(...pieces), { maxLength: 5 }))
    .map(([begin, parts]) => begin + parts.join(''));
  const pattern = fc.constantFrom('(.*)', '^(.*)$', '(/.*)', '(/.*)?', '^x(.*)', '(\\d+)', '(\\d*)', '^(\\d+)$', '((?:/|\\?).*)?', '(one|x)', '^(one|x)$', '(.)', '[a-z]*', '^/(.*)');
  const ours = fc.record({
    to: url,
    url: pattern,
    negate: fc.boolean(),
    input: fc.constantFrom('{HTTP_X}', '{REQUEST_URI}', '{URL}', '{QUERY_STRING}', '{M:{HTTP_X}}'),
    pattern,
    syntax: fc.constantFrom('ECMAScript' as const, 'Wildcard' as const),
    star: fc.constantFrom('*', '/*', '*x', '/e*'),
    no: fc.constantFrom(false, false, false, true),
  });
  const sent = fc.array(fc.constantFrom('evil', 'x', '/', '.', ':', '81', '0', '?', '@', '\\', '-', '#', 'http://evil'), { maxLength: 4 }).map((parts) => parts.join(''));
  const ruleOf = ({ to, url: path, negate, input, pattern: when, syntax, star, no }: Sample): RuleText =>
    syntax === 'ECMAScript'
      ? { to, url: path, negate, conditions: [condition(input, when, { negate: no })], stop: true, append: false }
      : { to, url: '*', syntax, conditions: [condition(input, star, { negate: no })], stop: true, append: false };
  type Sample = typeof ours extends fc.Arbitrary<infer T> ? T : never;

  test('no request chooses a host that counts as written, and where nothing is told it chooses none at all', () => {
    fc.assert(
      fc.property(ours, fc.array(fc.tuple(sent, sent), { minLength: 4, maxLength: 4 }), (sample, requests) => {
        const rule = ruleOf(sample);
        const found = codes([rule], { ...ON, set: { rewriteMaps } });
        for (const [header, path] of requests) {
          const at = `/${encodeURI(path).replaceAll('#', '%23')}`;
          if (isRefused(parseTarget(at))) continue;
          const outcome = run({ site: ruleSet([rule], { rewriteMaps }) }, at, { headers: { x: header } });
          if (outcome.kind === 'proxy' && outcome.literalHost) expect(outcome.host).toMatch(/^[^:]*$/);
          if (outcome.kind === 'proxy' && outcome.literalHost) expect(outcome.host).not.toMatch(/evil/);
          // Without a scheme in the files a path is meant, and most often it is one.
          const chosen = outcome.kind === 'proxy' && !outcome.literalHost && /^http|^\{U/.test(rule.to ?? '');
          if (chosen) expect([found, outcome.host]).toEqual([expect.arrayContaining(['LG2231']), outcome.host]);
        }
      }),
      { numRuns: runs(1500) },
    );
  });
}); // biome-ignore format: one line
