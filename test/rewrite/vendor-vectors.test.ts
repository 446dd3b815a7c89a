/** The test vectors of the vendor's documents, and the rows of its reference that no other test names. */
import { describe, expect, test } from 'vitest';
import { headerOfVariable } from '../../src/rewrite/server-variables.ts';
import { condition, map, type RequestText, type RuleText, ruleSet, run, target } from './rule-configs.ts';

/** What a rule makes of a request, as the query `v` of its target. */
function expand(expression: string, rule: RuleText = {}, path = '/', from: RequestText = {}, more = {}): string {
  const set = ruleSet([{ ...rule, to: `/x?v=${expression}`, append: false }], more);
  const outcome = run({ site: set }, path, from);
  return 'target' in outcome ? outcome.target.replace(/^\/x\?v=/, '') : JSON.stringify(outcome);
}

describe('vectors', () => {
  test('ECMAScript: 07/article.html', () => {
    expect(expand('{R:1},{R:2}', { url: '([0-9]+)/([a-z]+)\\.html' }, '/07/article.html')).toBe('07,article');
  });

  test('Wildcard: contoso/test.html', () => {
    expect(expand('{R:1},{R:2}', { url: '*/*.html', syntax: 'Wildcard' }, '/contoso/test.html')).toBe('contoso,test');
  });

  test('condition: www.foo.com', () => {
    const conditions = [condition('{HTTP_HOST}', '^(www\\.)(.*)$')];
    expect(expand('{C:0},{C:1},{C:2}', { conditions }, '/', { host: 'www.foo.com' })).toBe('www.foo.com,www.,foo.com');
  });

  test('a rule in /content and one at the site, for /content/default.aspx?tabid=2', () => {
    const path = '/content/default.aspx?tabid=2';
    const below = ruleSet([{ basePath: '/content', url: '^(.*)$', to: '/x?v={R:1}', append: false }]);
    expect(run({ scopes: [{ path: '/content', ruleSet: below }] }, path)).toMatchObject({
      target: '/x?v=default.aspx',
    });
    expect(expand('{R:1},{QUERY_STRING}', { url: '^(.*)$' }, path)).toBe('content/default.aspx,tabid=2');
  });

  test('a rewrite map: an entry is taken, a miss fails the condition', () => {
    const rewriteMaps = [map('StaticRewrites', { '/diagnostic': '/default.aspx?tabid=2&subtabid=29' })];
    const rules: RuleText[] = [
      { url: '.*', conditions: [condition('{StaticRewrites:{REQUEST_URI}}', '(.+)')], to: '{C:1}', append: false },
    ];
    const site = ruleSet(rules, { rewriteMaps });
    expect(run({ site }, '/diagnostic')).toMatchObject({ target: '/default.aspx?tabid=2&subtabid=29' });
    expect(run({ site }, '/default.aspx')).toMatchObject({ kind: 'none', target: '/default.aspx' });
  });

  test('trackAllCaptures over two conditions, and without it', () => {
    const conditions = [condition('{URL}', '^/([a-zA-Z]+)/([0-9]+)/$'), condition('{QUERY_STRING}', 'p2=([a-z]+)')];
    const path = '/article/23/?p1=123&p2=abc';
    expect(expand('{C:0},{C:1},{C:2},{C:3}', { conditions, trackAll: true }, path)).toBe('/article/23/,article,23,abc');
    expect(expand('{C:1}', { conditions }, path)).toBe('abc');
  });

  test('User-Agent is {HTTP_USER_AGENT}, HTTP_X_ORIGINAL_HOST is x-original-host', () => {
    expect(expand('{HTTP_USER_AGENT}', {}, '/', { headers: { 'user-agent': 'curl' } })).toBe('curl');
    const outcome = run({ global: ruleSet([{ set: [['HTTP_X_ORIGINAL_HOST', '{HTTP_HOST}']] }]) }, '/');
    expect(outcome).toMatchObject({ setVariables: new Map([['HTTP_X_ORIGINAL_HOST', 'www.mysite.com']]) });
    expect(headerOfVariable('HTTP_X_ORIGINAL_HOST')).toBe('x-original-host');
  });

  test('a distributed rule that sets a variable which is not allowed', () => {
    expect(run({ site: ruleSet([{ set: [['HTTP_X', '1']] }]) }, '/')).toMatchObject({
      kind: 'error',
      global: false,
      message:
        'The server variable "HTTP_X" is not allowed to be set. Add the server variable name to the allowed server variable list.',
    });
  });

  test('Rewrite to http://farm/{R:0}', () => {
    expect(run({ global: ruleSet([{ to: 'http://myFarm/{R:0}' }]) }, '/a/b')).toMatchObject({
      kind: 'proxy',
      host: 'myfarm',
      literalHost: true,
      target: '/a/b',
    });
  });
});

describe('evaluation', () => {
  test.each(['Redirect', 'CustomResponse', 'AbortRequest'] as const)('%s ends the list', (type) => {
    const rules: RuleText[] = [{ type, to: '/y', status: 403, name: 'first' }, { type: 'AbortRequest', name: 'second' }]; // biome-ignore format: one line
    expect(run({ site: ruleSet(rules) }, '/x')).toMatchObject({ rule: 'first' });
  });

  test('variables are set by a rule that does nothing else, and only where it matches', () => {
    const rules: RuleText[] = [{ url: '^a$', type: 'None', set: [['MINE', 'yes']] }, { to: '/x?v={MINE}', append: false }]; // biome-ignore format: one line
    const site = ruleSet(rules, { allowedServerVariables: ['mine'] });
    expect(run({ site }, '/a')).toMatchObject({ target: '/x?v=yes' });
    expect(run({ site }, '/b')).toMatchObject({ target: '/x?v=' });
  });

  test('conditions are not asked where the pattern failed', () => {
    const broken = condition('{nosuchmap:x}', '.*');
    expect(target([{ url: '^a$', conditions: [broken], to: 'y' }], '/b')).toBe('/b');
  });

  test('the pattern of a condition is not expanded', () => {
    expect(expand('yes', { syntax: 'ExactMatch', url: 'a', conditions: [condition('{{HTTP_HOST}', '{HTTP_HOST}')] }, '/a')).toContain('cannot be expanded'); // biome-ignore format: one line
    expect(target([{ syntax: 'ExactMatch', url: 'a', conditions: [condition('{HTTP_HOST}', '{HTTP_HOST}')], to: 'y' }], '/a')).toBe('/a'); // biome-ignore format: one line
  });
});

describe('back-references', () => {
  test('work beyond 9, are empty for a group that took no part, and in any letter case', () => {
    expect(expand('{R:10}{R:12}', { url: '(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)(k)(l)' }, '/abcdefghijkl')).toBe('jl');
    expect(expand('[{R:1}{R:2}]', { url: '(a)|(b)' }, '/b')).toBe('[b]');
    expect(expand('{r:1}{c:1}', { url: '(a)', conditions: [condition('b', '(b)')] }, '/a')).toBe('ab');
  });

  test('a negated condition first, and the captures of the positive one after it', () => {
    const conditions = [condition('{URL}', '^/(no)', { negate: true }), condition('{HTTP_HOST}', '^(\\w+)\\.')];
    expect(expand('{C:1}', { conditions }, '/yes')).toBe('www');
  });

  test('{R:n} in the input of a condition and in a variable', () => {
    const rule: RuleText = { url: '^(\\w+)/(\\w+)$', conditions: [condition('{R:2}', '^b(.)$')], set: [['V', '{R:1}-{C:1}']] }; // biome-ignore format: one line
    expect(expand('{V}', rule, '/a/bc', {}, { allowedServerVariables: ['V'] })).toBe('a-c');
  });
});

describe('expressions', () => {
  const rewriteMaps = [
    map('m', { 'https://a.b:8443/c?d': 'whole', '/x?a=%20&b': 'encoded' }),
    map('ToLower', { A: 'mapped' }),
  ];

  test('the name ends at the first colon, the argument holds further ones', () => {
    expect(expand('{m:https://a.b:8443/c?d}', {}, '/', {}, { rewriteMaps })).toBe('whole');
    expect(
      expand('{m:{CACHE_URL}}', {}, '/c', { scheme: 'https', host: 'a.b', localPort: 8443 }, { rewriteMaps }),
    ).toBe('');
  });

  test('a key with a query is compared as the client sent it', () => {
    expect(expand('{m:{REQUEST_URI}}', {}, '/x?a=%20&b', {}, { rewriteMaps })).toBe('encoded');
    expect(expand('{m:{REQUEST_URI}}', {}, '/x?a=+&b', {}, { rewriteMaps })).toBe('');
  });

  test('a function goes before a map of the same name', () => {
    expect(expand('{ToLower:A}', {}, '/', {}, { rewriteMaps })).toBe('a');
  });

  test('{REQUEST_URI} with appendQueryString doubles the query', () => {
    expect(run({ site: ruleSet([{ to: 'http://farm{REQUEST_URI}' }]) }, '/a?b')).toMatchObject({ target: '/a?b&b' });
  });
});

describe('server variables of http://www.mysite.com/content/default.aspx?tabid=2&subtabid=3', () => {
  const path = '/content/default.aspx?tabid=2&subtabid=3';
  test.each([
    ['HTTP_HOST', 'www.mysite.com'],
    ['SERVER_NAME', 'www.mysite.com'],
    ['SERVER_PORT', '80'],
    ['SERVER_PORT_SECURE', '0'],
    ['HTTPS', 'OFF'],
    ['QUERY_STRING', 'tabid=2&subtabid=3'],
    ['REQUEST_URI', '/content/default.aspx?tabid=2&subtabid=3'],
    ['URL', '/content/default.aspx'],
    ['PATH_INFO', '/content/default.aspx'],
    ['SCRIPT_NAME', '/content/default.aspx'],
    ['REQUEST_FILENAME', '/content/default.aspx'],
    ['UNENCODED_URL', '/content/default.aspx?tabid=2&subtabid=3'],
    ['HTTP_URL', '/content/default.aspx?tabid=2&subtabid=3'],
    ['CACHE_URL', 'http://www.mysite.com:80/content/default.aspx'],
    ['REQUEST_METHOD', 'GET'],
    ['HTTP_METHOD', 'GET'],
    ['REMOTE_ADDR', '192.0.2.1'],
    ['REMOTE_PORT', '50000'],
    ['LOCAL_ADDR', '198.51.100.1'],
    ['SERVER_ADDR', '198.51.100.1'],
    ['HTTP_VERSION', 'HTTP/1.1'],
    ['IIS_WasUrlRewritten', ''],
    ['INSTANCE_META_PATH', '/LM/W3SVC/7'],
    ['INSTANCE_NAME', 'site'],
    ...['ALL_HTTP', 'APPL_MD_PATH', 'APP_POOL_ID', 'AUTH_TYPE', 'AUTH_USER', 'CERT_SUBJECT', 'CRYPT_KEYSIZE', 'DOCUMENT_ROOT', 'FORWARDED_URL', 'LOGON_USER', 'REMOTE_USER', 'REQUEST_FLAGS', 'SSI_EXEC_DISABLED', 'NO_SUCH'].map((name): [string, string] => [name, '']), // biome-ignore format: one line
  ])('{%s}', (name, value) => {
    expect(expand(`{${name}}`, {}, path)).toBe(value);
  });

  test('{IIS_WasUrlRewritten} and {HTTP_X_ORIGINAL_URL} after a rewrite', () => {
    const rules: RuleText[] = [{ url: '^content', to: 'y' }, { url: '^y$', to: '/x?v={IIS_WasUrlRewritten},{HTTP_X_ORIGINAL_URL}', append: false }]; // biome-ignore format: one line
    expect(target(rules, path)).toBe('/x?v=1,/content/default.aspx');
  });
});
