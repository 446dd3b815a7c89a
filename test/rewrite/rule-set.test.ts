import { describe, expect, test } from 'vitest';
import { isRefused, parseTarget } from '../../src/rewrite/target.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { condition, map, type RuleText, ruleSet, run, target } from './rule-configs.ts';

function site(rules: readonly RuleText[], path: string, from = {}, more = {}) {
  return run({ site: ruleSet(rules, more) }, path, from);
}

describe('what a rule sees', () => {
  test('the path without its slash, the query only as a variable', () => {
    const rules = [{ url: '^content/default\\.aspx$', to: '/x?q={QUERY_STRING}', append: false }];
    expect(target(rules, '/content/default.aspx?tabid=2')).toBe('/x?q=tabid=2');
  });

  test('relative to the level that holds it', () => {
    const rules = ruleSet([{ basePath: '/content', url: '^default\\.aspx$', to: 'other.aspx' }]);
    expect(run({ scopes: [{ path: '/content', ruleSet: rules }] }, '/Content/default.aspx')).toMatchObject({
      kind: 'none',
      target: '/content/other.aspx',
    });
    expect(run({ scopes: [{ path: '/content', ruleSet: rules }] }, '/contents/default.aspx')).toMatchObject({
      target: '/contents/default.aspx',
    });
  });

  test('an inherited rule keeps its own base path', () => {
    const rules = ruleSet([{ url: '^content/a$', to: 'b' }]);
    expect(run({ scopes: [{ path: '/content', ruleSet: rules }] }, '/content/a')).toMatchObject({ target: '/b' });
  });

  test('the site root is the empty string', () => {
    expect(target([{ url: '^$', to: 'home' }], '/')).toBe('/home');
    expect(target([{ url: '^/a', to: 'b' }], '/a')).toBe('/a');
  });

  test('a space is a space, a decoded question mark belongs to the path', () => {
    expect(target([{ url: '^a b$', to: 'c' }], '/a%20b')).toBe('/c');
    expect(target([{ url: '^(.*)$', to: '/x/{R:1}' }], '/a%3Fb%23c?d')).toBe('/x/a%3Fb%23c?d');
  });

  test('what an earlier rule made of it', () => {
    const rules = [
      { url: '^a$', to: 'b?x=1' },
      { url: '^b$', to: 'c?{QUERY_STRING}&y={URL}', append: false },
    ];
    expect(target(rules, '/a?z')).toBe('/c?x=1&z&y=/b');
  });
});

describe('order and end', () => {
  const rules: RuleText[] = [
    { name: 'off', url: '.*', to: 'off', enabled: false },
    { name: 'none', url: 'zzz', to: 'zzz', stop: true },
    { name: 'stops', url: '^a', to: 'b', stop: true },
    { name: 'later', url: '.*', to: 'c' },
  ];

  test('a rule that matched stops, one that did not does not', () => {
    expect(target(rules, '/a')).toBe('/b');
    expect(target(rules, '/x')).toBe('/c');
  });

  test('stopProcessing counts with the action None too', () => {
    expect(
      target(
        [
          { url: '.*', stop: true },
          { url: '.*', to: 'c' },
        ],
        '/a',
      ),
    ).toBe('/a');
  });

  test('global rules come first; one that took the request is final', () => {
    const global = ruleSet([
      { name: 'g', url: '^a$', to: 'http://farm/{R:0}', stop: true },
      { url: '^b$', to: 'c', stop: true },
    ]);
    const rest = ruleSet([{ url: '.*', type: 'AbortRequest', name: 's' }]);
    expect(run({ global, site: rest }, '/a')).toMatchObject({ kind: 'proxy', host: 'farm', rule: 'g' });
    expect(run({ global, site: rest }, '/b')).toMatchObject({ kind: 'abort', rule: 's' });
    expect(run({ global, site: ruleSet([{ url: '^c$', to: 'd' }]) }, '/b')).toMatchObject({ target: '/d' });
  });

  test('the deepest scope counts, segment by segment', () => {
    const scopes = [
      { path: '/a/b', ruleSet: ruleSet([{ url: '.*', to: '/deep' }]) },
      { path: '/a', ruleSet: ruleSet([{ url: '.*', to: '/middle' }]) },
    ];
    const rules = { scopes, site: ruleSet([{ url: '.*', to: '/root' }]) };
    expect(run(rules, '/A/B/c')).toMatchObject({ target: '/deep' });
    expect(run(rules, '/a/bc')).toMatchObject({ target: '/middle' });
    expect(run(rules, '/ab')).toMatchObject({ target: '/root' });
  });

  test('negate, and no captures from a negated match', () => {
    expect(target([{ url: '^(owa)', negate: true, to: '/x{R:0}{R:1}' }], '/owa')).toBe('/owa');
    expect(target([{ url: '^(owa)', negate: true, to: '/x{R:0}{R:1}' }], '/ews')).toBe('/x');
  });

  test('a rule without a pattern matches every URL; a Rewrite without url does nothing', () => {
    expect(target([{ url: null, to: 'x' }], '/a')).toBe('/x');
    expect(target([{ type: 'Rewrite' }], '/a')).toBe('/a');
  });
});

describe('conditions', () => {
  const uri = condition('{REQUEST_URI}', '^/([a-zA-Z]+)/([0-9]+)/');
  const query = condition('{QUERY_STRING}', 'p2=([a-z]+)');
  const to = '/x?0={C:0}&1={C:1}&2={C:2}&3={C:3}';

  test('trackAllCaptures numbers the groups on', () => {
    const exact = condition('{URL}', '^/([a-zA-Z]+)/([0-9]+)/$');
    expect(
      target([{ conditions: [exact, query], trackAll: true, to, append: false }], '/article/23/?p1=123&p2=abc'),
    ).toBe('/x?0=/article/23/&1=article&2=23&3=abc');
  });

  test('without it the last one that matched supplies them', () => {
    expect(target([{ conditions: [uri, query], to, append: false }], '/article/23/?p1=123&p2=abc')).toBe(
      '/x?0=p2=abc&1=abc&2=&3=',
    );
  });

  test('{C:n} in an input is of the condition before', () => {
    const conditions = [condition('{HTTP_HOST}', '^([a-z]+)\\.'), condition('{C:1}:{R:1}', '^(www):(a)$')];
    expect(target([{ url: '^(.)', conditions, to: '/{C:2}{c:1}' }], '/a')).toBe('/awww');
  });

  test('the vector of the vendor', () => {
    const conditions = [condition('{HTTP_HOST}', '^(www\\.)(.*)$')];
    expect(target([{ conditions, to: '/{C:0}-{C:1}-{C:2}' }], '/', { host: 'www.foo.com' })).toBe(
      '/www.foo.com-www.-foo.com',
    );
  });

  test('a negated last condition leaves the captures of the one before', () => {
    const conditions = [condition('{HTTP_HOST}', '^(\\w+)'), condition('{URL}', '^/(no)', { negate: true })];
    expect(target([{ conditions, to: '/{C:1}' }], '/yes')).toBe('/www');
    expect(target([{ conditions, to: '/{C:1}' }], '/no')).toBe('/no');
  });

  test('all, any, none', () => {
    const yes = condition('a', 'a');
    const no = condition('a', 'b');
    const went = (conditions: readonly (typeof yes)[], any: boolean) =>
      target([{ conditions, any, to: 'x' }], '/a') === '/x';
    expect([went([yes, no], false), went([yes, yes], false), went([no, yes], true), went([no, no], true)]).toEqual([
      false,
      true,
      true,
      false,
    ]);
    expect([went([], false), went([], true)]).toEqual([true, true]);
  });

  test('captures do not leak from a rule that failed', () => {
    const rules: RuleText[] = [
      { conditions: [condition('{HTTP_HOST}', '(www)'), condition('a', 'b')], to: 'never' },
      { url: '.*', to: '/x{C:1}' },
    ];
    expect(target(rules, '/a')).toBe('/x');
  });

  test('there are no files', () => {
    const file = (negate: boolean) => condition('{REQUEST_FILENAME}', '', { matchType: 'IsFile', negate });
    expect(target([{ conditions: [file(true)], to: 'index.php' }], '/a')).toBe('/index.php');
    expect(target([{ conditions: [file(false)], to: 'index.php' }], '/a')).toBe('/a');
  });

  test('the pattern syntax of the rule is that of its conditions', () => {
    const conditions = [condition('{HTTP_HOST}', '*.mysite.*')];
    expect(target([{ url: '*', syntax: 'Wildcard', conditions, to: '/{C:1}/{C:2}' }], '/')).toBe('/www/com');
  });
});

describe('rewrite maps', () => {
  const rewriteMaps = [
    map('Redirects', { '/diagnostic': '/default.aspx?tabid=2&subtabid=29' }),
    map('cased', { Key: 'upper', key: 'lower' }, { ignoreCase: false, defaultValue: 'none' }),
    map('odd', [
      ['__proto__', 'p'],
      ['constructor', 'c'],
    ]),
  ];
  const go = (to: string, path: string) => {
    const outcome = site([{ url: '^(.*)$', to }], path, {}, { rewriteMaps });
    return outcome.kind === 'none' ? outcome.target : outcome;
  };

  test('the idiom of the vendor', () => {
    const rules = [
      { url: '(.*)', conditions: [condition('{redirects:{REQUEST_URI}}', '(.+)')], to: '{C:1}', append: false },
    ];
    expect(site(rules, '/Diagnostic', {}, { rewriteMaps })).toMatchObject({
      target: '/default.aspx?tabid=2&subtabid=29',
    });
    expect(site(rules, '/default.aspx', {}, { rewriteMaps })).toMatchObject({ target: '/default.aspx' });
  });

  test('case and default', () => {
    expect(go('/{cased:{R:1}}', '/Key')).toBe('/upper');
    expect(go('/{cased:{R:1}}', '/key')).toBe('/lower');
    expect(go('/{cased:{R:1}}', '/KEY')).toBe('/none');
  });

  test.each([
    ['__proto__', '/p'],
    ['constructor', '/c'],
    ['toString', '/'],
    ['hasOwnProperty', '/'],
  ])('the key %s is a key like others', (key, expected) => {
    expect(go('/{odd:{R:1}}', `/${key}`)).toBe(expected);
  });

  test.each(['{__proto__:x}', '{constructor:x}', '{missing:{R:1}}', '{toString:1}', '/a{R:1', '/{ToLower:{R:1}'])(
    '%s cannot be expanded',
    (to) => {
      expect(go(to, '/a')).toMatchObject({
        kind: 'error',
        global: false,
        badRequest: false,
        message: `The expression "${to}" cannot be expanded.`,
        rule: 'rule',
      });
    },
  );
});

describe('expressions', () => {
  test.each([
    ['{ToLower:{R:1}}', '/A%C3%84', 'a%C3%A4'],
    ['{tolower:{R:1}X}', '/A', 'ax'],
    ['q?u={UrlEncode:{ToLower:{R:1}}}', '/A%20%C3%84%2Fb', 'q?u=a%20%C3%A4%2Fb'],
    ['q?u={UrlDecode:%7B{QUERY_STRING}%7D}', '/a', 'q?u={}'],
    ['q?u={HtmlEncode:<{R:1}&"\'>}', '/a', 'q?u=&lt;a&amp;&quot;&%2339;&gt;'],
    ['a}b', '/x', 'a%7Db'],
    ['$1', '/x', '$1'],
    ['{R:7}{C:1}{NO_SUCH}y', '/x', 'y'],
    ['{__proto__}y', '/x', 'y'],
  ])('%s on %s', (to, path, expected) => {
    expect(target([{ url: '^(.*)$', to, append: false }], path)).toBe(`/${expected}`);
  });

  test.each([
    ['HTTP_HOST', 'www.mysite.com:8443'],
    ['SERVER_NAME', 'www.mysite.com'],
    ['server_port', '443'],
    ['SERVER_PORT_SECURE', '1'],
    ['HTTPS', 'ON'],
    ['QUERY_STRING', 'tabid=2&s=%20'],
    ['REQUEST_URI', '/content/d%C3%A9fault.aspx?tabid=2&s=%20'],
    ['UNENCODED_URL', '/content/d%C3%A9fault.aspx?tabid=2&s=%20'],
    ['REQUEST_METHOD', 'GET'],
    ['REMOTE_ADDR', '192.0.2.1'],
    ['REMOTE_PORT', '50000'],
    ['LOCAL_ADDR', '198.51.100.1'],
    ['HTTP_USER_AGENT', 'curl'],
    ['HTTP_X_MISSING', ''],
    ['HTTP_X_ORIGINAL_URL', ''],
    ['SERVER_PROTOCOL', 'HTTP/1.1'],
    ['INSTANCE_ID', '7'],
    ['CACHE_URL', 'https://www.mysite.com:443/content/d%C3%A9fault.aspx'],
    ['LOGON_USER', ''],
  ])('{%s}', (name, expected) => {
    const from = {
      host: 'www.mysite.com:8443',
      scheme: 'https' as const,
      localPort: 443,
      headers: { 'user-agent': 'curl', 'x-original-url': '/evil', logon_user: 'x' },
    };
    const rules = [{ to: `/x?v={${name}}`, append: false }];
    expect(target(rules, '/content/d%C3%A9fault.aspx?tabid=2&s=%20', from)).toBe(`/x?v=${expected}`);
  });
});

describe('Rewrite', () => {
  test.each([
    ['x', '/a?q', '/x?q'],
    ['x?y', '/a?q', '/x?y&q'],
    ['x?', '/a?q', '/x?q'],
    ['x', '/a?', '/x?'],
    ['?y', '/a/b?q', '/a/b?y&q'],
    ['', '/a/b?q', '/?q'],
    ['{C:1}', '/a/b', '/'],
    ['x#y', '/a', '/x%23y'],
    ['/x y?a b', '/a', '/x%20y?a%20b'],
    ['x?q=ä', '/a?\xe4', '/x?q=%C3%A4&\xe4'],
    ['/a/../b', '/a', '/b'],
    ['//x', '/a', '/x'],
  ])('%j on %s', (to, path, expected) => {
    expect(target([{ to }], path)).toBe(expected);
  });

  test('appendQueryString="false" drops the query', () => {
    expect(target([{ to: 'x', append: false }], '/a?q')).toBe('/x');
    expect(target([{ to: 'x?y', append: false }], '/a?q')).toBe('/x?y');
  });

  test.each([
    ['http://farm/{R:0}', 'http', 'farm', undefined, true, '/a%20b?q'],
    ['HTTPS://Farm.Name:4443/x', 'https', 'farm.name', 4443, true, '/x?q'],
    ['http://farm', 'http', 'farm', undefined, true, '/?q'],
    ['http://farm?z', 'http', 'farm', undefined, true, '/?z&q'],
    ['http://my farm/', 'http', 'my farm', undefined, true, '/?q'],
    ['https://farm{URL}', 'https', 'farm', undefined, true, '/a%20b?q'],
    ['https://[::1]:8443/', 'https', '[::1]', 8443, true, '/?q'],
    ['http://{HTTP_HOST}/{R:0}', 'http', 'www.mysite.com', undefined, false, '/a%20b?q'],
    ['http://x{HTTP_HOST}/{R:0}', 'http', 'xwww.mysite.com', undefined, false, '/a%20b?q'],
  ])('%s goes out', (to, scheme, host, port, literalHost, wire) => {
    expect(site([{ to }], '/a%20b?q')).toMatchObject({
      kind: 'proxy',
      scheme,
      host,
      port,
      literalHost,
      target: wire,
      rule: 'rule',
      setVariables: undefined,
      rewritten: wire !== '/a%20b?q',
    });
  });

  test.each(['evil.com:80:90', 'a@b', 'a/b', 'a#b', 'a\\b', '[x', 'a:99999', 'a:0', '', 'a b', 'a%00'])(
    'a Host of %j cannot choose the host',
    (host) => {
      const outcome = site([{ to: 'http://{HTTP_HOST}/' }], '/', { host });
      if (outcome.kind === 'proxy') expect(outcome).toMatchObject({ host: 'a', literalHost: false });
      else expect(outcome).toMatchObject({ kind: 'error', badRequest: true });
    },
  );

  test('a Host with letters beyond ASCII is its name in ASCII, and has no more say than any other', () => {
    const outcome = site([{ to: 'http://{HTTP_HOST}/' }], '/', { host: 'ä' });
    expect(outcome).toMatchObject({ kind: 'proxy', host: 'xn--4ca', literalHost: false });
  });

  test('a capture with the signs of a host border cannot move it', () => {
    expect(site([{ url: '^(.*)$', to: 'http://{R:1}.internal/' }], '/evil.com%3Fx')).toMatchObject({
      kind: 'error',
      badRequest: true,
    });
    expect(site([{ url: '^(.*)$', to: 'http://{R:1}.internal/' }], '/evil.com%23')).toMatchObject({
      kind: 'error',
      badRequest: true,
    });
    expect(site([{ url: '^(.*)$', to: 'http://farm{R:1}/' }], '/.evil.com')).toMatchObject({
      host: 'farm.evil.com',
      literalHost: false,
    });
  });

  test.each(['C:\\inetpub\\x', '\\\\server\\x', 'ftp://x/'])('%s is no URL', (to) => {
    expect(site([{ to }], '/a')).toMatchObject({ kind: 'error', badRequest: false });
  });

  test('dot segments that a query brings are resolved, and refused above the root', () => {
    const rules = [{ conditions: [condition('{QUERY_STRING}', 'p=(.*)')], to: 'http://farm/app/{C:1}', append: false }];
    expect(target(rules, '/?p=../secret')).toBe('/secret');
    expect(site(rules, '/?p=../../secret')).toMatchObject({ kind: 'error', badRequest: true });
    expect(target(rules, '/?p=..\\secret')).toBe('/secret');
  });

  test('{UNENCODED_URL} is encoded again, unless useOriginalURLEncoding is false', () => {
    const rules = [{ to: 'http://farm{UNENCODED_URL}', append: false }];
    expect(target(rules, '/a%20b?c=%20')).toBe('/a%2520b?c=%20');
    const more = { useOriginalURLEncoding: false };
    expect(site(rules, '/a%20b/%E4/\xe4?c=%20', {}, more)).toMatchObject({ target: '/a%20b/%E4/\xe4?c=%20' });
    expect(site(rules, '/a/%2e%2e/b%20c', {}, more)).toMatchObject({ target: '/b%20c' });
  });

  test('the original URL is known after a rewrite', () => {
    const rules = [
      { url: '^a$', to: 'b' },
      { url: '^b$', to: 'c?o={HTTP_X_ORIGINAL_URL}&w={IIS_WasUrlRewritten}' },
    ];
    expect(target(rules, '/a')).toBe('/c?o=/a&w=1');
  });
});

test('a URL that is a host and a group comes out as if there were more to put together', () => {
  const path = fc
    .array(fc.constantFrom('a', 'B/', '/', '%20', '%C3%A4', '%3F', '%25', '..', '.', '%5C', '+', ';'), { maxLength: 5 })
    .map((parts) => `/x${parts.join('')}`);
  const pattern = fc.constantFrom('.*', '(.*)', '^(.*)$', '^(x)?(.*)', '^x(.*)', '([^/]*)/?(.*)', '*', 'x*');
  const earlier = fc.constantFrom(undefined, '/y/{R:0}', 'http://one//{R:0}', '{UNENCODED_URL}', 'y?z');
  const more = fc.record({ append: fc.boolean(), negate: fc.boolean(), basePath: fc.constantFrom('/', '/x') });
  fc.assert(
    fc.property(path, pattern, fc.nat(2), earlier, more, fc.boolean(), (from, url, group, before, rest, escapes) => {
      const syntax = url.endsWith('*') && !url.includes('.') ? 'Wildcard' : 'ECMAScript';
      const outcome = (to: string) => {
        const last: RuleText = { ...rest, url, syntax, to };
        const rules = before === undefined ? [last] : [{ to: before }, last];
        return run({ global: ruleSet(rules, { useOriginalURLEncoding: escapes }) }, from);
      };
      if (isRefused(parseTarget(from))) return;
      expect(outcome(`https://farm:8080/{R:${group}}`)).toEqual(outcome(`https://farm:8080/{R:${group}}{ABSENT}`));
    }),
    { numRuns: runs(2000) },
  );
});

describe('Redirect', () => {
  const go = (rule: RuleText, path: string, from = {}) => {
    const outcome = site([{ type: 'Redirect', ...rule }], path, from);
    return outcome.kind === 'redirect' ? outcome.location : outcome;
  };

  test.each([
    ['Permanent', 301],
    ['Found', 302],
    ['SeeOther', 303],
    ['Temporary', 307],
  ] as const)('%s is %i', (redirectType, status) => {
    expect(site([{ type: 'Redirect', redirectType, to: '/x' }], '/a')).toMatchObject({
      kind: 'redirect',
      status,
      location: 'http://www.mysite.com/x',
      rule: 'rule',
    });
  });

  test.each([
    ['https://{HTTP_HOST}/{R:1}', '/a%2Fb/%E4?q=%20', 'https://www.mysite.com/a%2Fb/%E4?q=%20'],
    ['https://{HTTP_HOST}/{R:1}', '/a/../b', 'https://www.mysite.com/b'],
    ['https://{HTTP_HOST}/{R:1}', '/\xe4?\xe4', 'https://www.mysite.com/%E4?%E4'],
    ['/x/{R:1}', '/100%25%3F', 'http://www.mysite.com/x/100%25%3F'],
    ['/x%20y', '/', 'http://www.mysite.com/x%20y'],
    ['/x y?ä=b c#f g', '/?q', 'http://www.mysite.com/x%20y?%C3%A4=b%20c&q#f%20g'],
    ['x', '/', 'http://www.mysite.com/x'],
    ['', '/a%20b?q', 'http://www.mysite.com/?q'],
    ['?x', '/a%20b?q', 'http://www.mysite.com/a%20b?x&q'],
    ['#x', '/a%20b', 'http://www.mysite.com/a%20b#x'],
    ['{R:1}', '/', 'http://www.mysite.com/'],
    ['//other.com/{R:1}', '/a', 'http://other.com/a'],
    ['/{R:1}', '//evil.com', 'http://www.mysite.com//evil.com'],
    ['/x/..%2f/{R:1}', '/a', 'http://www.mysite.com/x/..%2f/a'],
    ['mailto:a@b.com', '/', 'mailto:a@b.com'],
    ['{R:1}', '/javascript:alert(1)', 'http://www.mysite.com/javascript:alert(1)'],
    ['https://a.com', '/', 'https://a.com/'],
    ['https://a.com:8443?x', '/', 'https://a.com:8443/?x'],
  ])('%j on %s', (to, path, expected) => {
    expect(go({ url: '^(.*)$', to }, path)).toBe(expected);
  });

  test.each(['//evil.com', '/\\evil.com', '\\\\evil.com', '///evil.com'])(
    'a query of %j does not leave the site',
    (query) => {
      const rule = { conditions: [condition('{QUERY_STRING}', 'r=(.*)')], to: '{C:1}', append: false };
      expect(go(rule, `/?r=${query}`)).toBe('http://www.mysite.com/evil.com');
      expect(go({ ...rule, to: '/{C:1}' }, `/?r=${query}`)).toBe('http://www.mysite.com/evil.com');
    },
  );

  test('line ends cannot split the header', () => {
    const rule = {
      conditions: [condition('{UrlDecode:{QUERY_STRING}}', '([^]*)')],
      to: '/x/{C:1}?{C:1}#{C:1}',
      append: false,
    };
    expect(go(rule, '/?a%0d%0aSet-Cookie:b')).toBe(
      'http://www.mysite.com/x/a%0D%0ASet-Cookie:b?a%0D%0ASet-Cookie:b#a%0D%0ASet-Cookie:b',
    );
  });

  test('without a usable Host the address stands in', () => {
    expect(go({ to: '/x' }, '/', { host: '' })).toBe('http://198.51.100.1/x');
    expect(go({ to: '/x' }, '/', { host: 'a@b', localAddress: '::1', localPort: 8080 })).toBe('http://[::1]:8080/x');
    expect(go({ to: 'https://{HTTP_HOST}/' }, '/', { host: 'a@b' })).toMatchObject({ kind: 'error', badRequest: true });
  });
});

describe('other actions', () => {
  test('CustomResponse', () => {
    const rule: RuleText = {
      type: 'CustomResponse',
      status: 403,
      subStatus: 9,
      reason: 'No {R:0}',
      description: 'Go <{HTTP_HOST}>',
    };
    expect(site([rule], '/a')).toMatchObject({
      kind: 'respond',
      status: 403,
      subStatus: 9,
      reason: 'No a',
      body: 'Go <www.mysite.com>',
      rule: 'rule',
    });
  });

  test.each([undefined, 0, 42, 1000])('a status of %s fails', (status) => {
    expect(site([{ type: 'CustomResponse', ...(status === undefined ? {} : { status }) }], '/a')).toMatchObject({
      kind: 'error',
      badRequest: false,
    });
  });

  test('AbortRequest', () => {
    expect(site([{ type: 'AbortRequest' }], '/a')).toMatchObject({ kind: 'abort', rule: 'rule' });
  });
});

describe('server variables', () => {
  const allowed = { allowedServerVariables: ['http_x_original_host', 'HTTP_ACCEPT_ENCODING', 'MINE'] };

  test('are set before the action, and read afterwards', () => {
    const rules: RuleText[] = [
      {
        set: [
          ['HTTP_X_Original_Host', '{HTTP_HOST}'],
          ['mine', 'm'],
        ],
      },
      { to: 'http://farm/{MINE}{HTTP_X_ORIGINAL_HOST}', set: [['MINE', 'n']] },
    ];
    const outcome = site(rules, '/a', {}, allowed);
    expect(outcome).toMatchObject({ kind: 'proxy', target: '/nwww.mysite.com' });
    expect(outcome.kind === 'proxy' && [...(outcome.setVariables ?? [])]).toEqual([
      ['HTTP_X_ORIGINAL_HOST', 'www.mysite.com'],
      ['MINE', 'n'],
    ]);
  });

  test('replace="false" keeps what is there', () => {
    const rules: RuleText[] = [
      {
        set: [
          ['HTTP_ACCEPT_ENCODING', 'x', false],
          ['MINE', 'y', false],
        ],
      },
    ];
    const outcome = site(rules, '/a', { headers: { 'accept-encoding': 'gzip' } }, allowed);
    expect(outcome.kind === 'none' && [...(outcome.setVariables ?? [])]).toEqual([['MINE', 'y']]);
  });

  test('one that is not allowed fails, in a global rule it does not', () => {
    const rules: RuleText[] = [{ set: [['HTTP_X', '1']], to: 'http://farm/' }];
    expect(site(rules, '/a', {}, allowed)).toMatchObject({
      kind: 'error',
      global: false,
      badRequest: false,
      message:
        'The server variable "HTTP_X" is not allowed to be set. Add the server variable name to the allowed server variable list.',
      rule: 'rule',
    });
    expect(run({ global: ruleSet(rules) }, '/a')).toMatchObject({ kind: 'proxy' });
  });

  test('control characters are refused, other scripts become UTF-8', () => {
    const decoded: RuleText[] = [{ set: [['MINE', '{UrlDecode:{QUERY_STRING}}']] }];
    expect(site(decoded, '/?a%0d%0ab', {}, allowed)).toMatchObject({ kind: 'error', badRequest: true });
    expect(site(decoded, '/?a%00', {}, allowed)).toMatchObject({ kind: 'error', badRequest: true });
    const outcome = site(decoded, '/?%E2%82%AC', {}, allowed);
    expect(outcome.kind === 'none' && outcome.setVariables?.get('MINE')).toBe('\xe2\x82\xac');
  });

  test('headers that frame the message are left alone', () => {
    const global = ruleSet([
      {
        set: [
          ['HTTP_TRANSFER_ENCODING', 'chunked'],
          ['HTTP_CONNECTION', 'close'],
        ],
        to: 'http://farm/',
      },
    ]);
    expect(run({ global }, '/a')).toMatchObject({ kind: 'proxy', setVariables: undefined });
  });
});

test('a match that takes too long is an error, 500.51 in a global rule', () => {
  const rules = ruleSet([{ url: '^(?!x)(a+)+$', to: 'x' }]);
  const path = `/${'a'.repeat(200)}!`;
  expect(run({ site: rules }, path)).toMatchObject({ kind: 'error', global: false, message: 'match too complex' });
  expect(run({ global: rules }, path)).toMatchObject({ kind: 'error', global: true });
});
