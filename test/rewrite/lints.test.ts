import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { loadFile } from '../../src/config/load-config.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { writeFiles } from '../config/written.ts';
import { cpuTime } from '../cpu-time.ts';

const OURS = /^LG23|^LG2201|^LG2236/;

function check(xml: string): { diagnostics: Diagnostic[]; text: string } {
  const { config } = loadFile(join(writeFiles({ 'applicationHost.config': xml }), 'applicationHost.config'));
  const diagnostics: Diagnostic[] = [];
  if (config) checkPublication(config, reportInto(diagnostics));
  return { diagnostics: diagnostics.filter(({ code }) => OURS.test(code)), text: xml };
}

/** Each finding with the text that it points at, or the name of the element. */
function lint(xml: string): string[] {
  const { diagnostics, text } = check(xml);
  return diagnostics.map(({ code, span }) => `${code} ${text.slice(span.start, span.end).replace(/^<(\w+).*/s, '$1')}`);
}

interface RuleXml {
  readonly name: string;
  readonly url?: string;
  readonly wildcard?: boolean;
  readonly stop?: boolean;
  readonly enabled?: boolean;
  readonly any?: boolean;
  /** Input, pattern, more attributes. */
  readonly when?: readonly (readonly [input: string, pattern: string, more?: string])[];
  readonly set?: string;
  /** A Rewrite; other actions as attributes. */
  readonly to?: string;
  readonly action?: string;
}

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function rule({
  name,
  url = '.*',
  wildcard,
  stop = true,
  enabled = true,
  any,
  when,
  set,
  to,
  action,
}: RuleXml): string {
  const conditions = when?.map(
    ([input, pattern, more = '']) => `<add input="${input}" pattern="${escaped(pattern)}" ${more} />`,
  );
  return `<rule name="${name}" stopProcessing="${stop}" enabled="${enabled}"${wildcard ? ' patternSyntax="Wildcard"' : ''}>
    <match url="${escaped(wildcard && url === '.*' ? '*' : url)}" />
    ${conditions ? `<conditions logicalGrouping="${any ? 'MatchAny' : 'MatchAll'}">${conditions.join('')}</conditions>` : ''}
    ${set ? `<serverVariables><set name="${set}" value="x" /></serverVariables>` : ''}
    <action ${action ?? `type="Rewrite" url="${escaped(to ?? 'https://pool/{R:0}')}"`} />
  </rule>`;
}

interface HostXml {
  readonly bindings?: readonly string[];
  readonly farms?: string;
  readonly global?: readonly RuleXml[];
  readonly site?: readonly RuleXml[];
  readonly proxy?: boolean;
}

function host({ bindings = [], farms = '', global = [], site = [], proxy = true }: HostXml): string {
  const binding = (each: string) => {
    const [protocol, information] = each.split(' ');
    return `<binding protocol="${protocol}" bindingInformation="${information}" />`;
  };
  return `<configuration>
  <system.applicationHost><sites><site name="S" id="1"><application path="/" />
    <bindings>${bindings.map(binding).join('')}</bindings></site></sites></system.applicationHost>
  <webFarms>${farms}</webFarms>
  <system.webServer><proxy enabled="${proxy}" /><rewrite>
    <globalRules>${global.map(rule).join('\n')}</globalRules>
    <rules>${site.map(rule).join('\n')}</rules>
  </rewrite></system.webServer>
</configuration>`;
}

const HOST = '{HTTP_HOST}';
const global = (...rules: RuleXml[]) => lint(host({ global: rules }));
const answers = 'type="CustomResponse" statusCode="403"';

describe('LG2300: rules that no request reaches', () => {
  const of = (...rules: RuleXml[]) => global(...rules).filter((found) => found.startsWith('LG2300'));

  test("the * of Microsoft's walkthrough", () => {
    const ssl = (name: string): RuleXml => ({
      name,
      wildcard: true,
      when: [['{HTTPS}', 'on'], [HOST, '*']], // biome-ignore format: one line
      to: `https://${name}/{R:0}`,
    });
    const xml = host({ global: [ssl('webext'), ssl('meet'), { ...ssl('webext-plain'), when: [['{HTTPS}', 'off']] }] });
    expect(lint(xml)).toEqual(['LG2300 meet']);
    const { diagnostics, text } = check(xml);
    expect(diagnostics[0]?.advice).toContain('"*" holds for every host');
    const { span } = diagnostics[0]!.related!;
    expect(text.slice(span.start, span.end)).toBe('webext');
  });

  test.each<[string, RuleXml, RuleXml]>([
    ['the same conditions', { name: 'a', when: [[HOST, '^meet\\.']] }, { name: 'b', when: [[HOST, '^meet\\.']] }],
    ['a wider host', { name: 'a', wildcard: true, when: [[HOST, 'meet.*']] }, { name: 'b', wildcard: true, when: [[HOST, 'meet.contoso.com']] }], // biome-ignore format: one line
    ['one of more hosts', { name: 'a', when: [[HOST, '^(meet|dialin)\\.x$']] }, { name: 'b', when: [[HOST, '^dialin\\.x$']] }], // biome-ignore format: one line
    ['no condition', { name: 'a', url: '(.*)' }, { name: 'b', url: '^owa', when: [[HOST, 'x']] }],
    ['a redirect without stopProcessing', { name: 'a', stop: false, action: 'type="Redirect" url="https://else.example/"' }, { name: 'b' }], // biome-ignore format: one line
    ['a refusal', { name: 'a', url: '^owa', action: answers, stop: false }, { name: 'b', url: '^owa' }],
    ['a path of several', { name: 'a', url: '^(owa|ecp)$' }, { name: 'b', url: '^ecp$' }],
    ['both schemes', { name: 'a', when: [['{HTTPS}', '^o']] }, { name: 'b', when: [['{HTTPS}', 'off']] }],
    ['not the one, so the other', { name: 'a', when: [['{HTTPS}', 'on', 'negate="true"']] }, { name: 'b', when: [['{HTTPS}', '^OFF$']] }], // biome-ignore format: one line
    ['any of its conditions', { name: 'a', any: true, when: [[HOST, 'a'], [HOST, 'b']] }, { name: 'b', when: [[HOST, 'b'], ['{HTTPS}', 'on']] }], // biome-ignore format: one line
  ])('%s', (_, first, second) => {
    expect(of(first, second)).toEqual(['LG2300 b']);
  });

  test('of which one rewrites the path hides nothing behind it', () => {
    const rules: RuleXml[] = [
      { name: 'a', url: 'x' },
      { name: 'b', url: 'x', stop: false, to: 'y' },
      { name: 'c', url: 'x' },
    ];
    expect(of(...rules)).toEqual(['LG2300 b', 'LG2300 c']);
  });

  test('letter case does not count where it is ignored', () => {
    expect(of({ name: 'a', url: '^api/' }, { name: 'b', url: '^API/' })).toEqual(['LG2300 b']);
    expect(of({ name: 'a', url: '^\\d' }, { name: 'b', url: '^\\D' })).toEqual([]);
    expect(of({ name: 'a', url: '^[A-z]' }, { name: 'b', url: '^[a-z]' })).toEqual([]);
  });

  test.each<[string, RuleXml[]]>([
    ['an earlier rule that goes on', [{ name: 'a', stop: false, to: 'x{R:0}' }, { name: 'b' }]],
    ['an earlier rule that is off', [{ name: 'a', enabled: false }, { name: 'b' }]],
    [
      'another scheme',
      [
        { name: 'a', when: [['{HTTPS}', 'on']] },
        { name: 'b', when: [['{HTTPS}', 'off']] },
      ],
    ],
    [
      'a narrower host',
      [
        { name: 'a', when: [[HOST, '^a$']] },
        { name: 'b', when: [[HOST, '^(a|b)$']] },
      ],
    ],
    ['letter case that counts', [{ name: 'a', when: [[HOST, '^a$', 'ignoreCase="false"']] }, { name: 'b', when: [[HOST, '^a$']] }]], // biome-ignore format: one line
    ['any of more conditions', [{ name: 'a', when: [[HOST, 'a']] }, { name: 'b', any: true, when: [[HOST, 'a'], [HOST, 'b']] }]], // biome-ignore format: one line
    ['a URL that was rewritten in between', [{ name: 'a', url: '^x$' }, { name: 'm', url: '^y$', stop: false, to: 'x' }, { name: 'b', url: '^x$' }]], // biome-ignore format: one line
    ['a variable that a rule sets', [{ name: 'm', stop: false, set: 'HTTP_HOST', action: 'type="None"' }, { name: 'a', when: [[HOST, 'x']] }, { name: 'b', when: [[HOST, 'x']] }]], // biome-ignore format: one line
    ['what an earlier condition captured', [{ name: 'a', when: [['{URL}', '(.)'], ['{C:1}', 'x']] }, { name: 'b', when: [['{URL}', '(.)'], ['{C:1}', 'x']] }]], // biome-ignore format: one line
    ['a Rewrite without url', [{ name: 'a', stop: false, action: 'type="Redirect"' }, { name: 'b' }]],
  ])('%s leaves the later one alone', (_, rules) => {
    expect(of(...rules)).toEqual([]);
  });

  test('rules of a site behind a global rule', () => {
    const xml = host({
      global: [{ name: 'g', when: [[HOST, '^meet\\.']] }],
      site: [{ name: 's', url: '^x', when: [[HOST, '^meet\\.']], to: 'y' }, { name: 't', to: 'z' }], // biome-ignore format: one line
    });
    expect(lint(xml)).toEqual(['LG2300 s', 'LG2306 g']);
  });

  describe('LG2306: rules of both lists for one request', () => {
    const secure: RuleXml = { name: 'g', when: [[HOST, '^meet\\.x$'], ['{HTTPS}', '^on$']] }; // biome-ignore format: one line
    const plain: RuleXml = { ...secure, when: [[HOST, '^meet\\.x$'], ['{HTTPS}', '^off$']] }; // biome-ignore format: one line
    const toHttps: RuleXml = { name: 's', url: '(.*)', when: [['{HTTPS}', '^OFF$']], action: 'type="Redirect" url="https://x/{R:1}"' }; // biome-ignore format: one line
    const both = ['http *:80:', 'https *:443:'];

    test.each<[string, HostXml]>([
      ['another scheme', { bindings: both, global: [secure], site: [toHttps] }],
      ['no binding for the scheme', { bindings: ['https *:443:'], global: [plain], site: [toHttps] }],
      ['no binding for the host', { bindings: ['http *:80:owa.x'], global: [plain], site: [toHttps] }],
      ['another host', { bindings: both, global: [plain], site: [{ ...toHttps, when: [[HOST, '^owa\\.x$']] }] }],
      ['another path', { bindings: both, global: [{ name: 'g', url: '^api/(.*)' }], site: [{ ...toHttps, url: '^$', when: [] }] }], // biome-ignore format: one line
      ['a rule before it answers', { bindings: both, global: [{ name: 'a', url: '^api/', action: answers }, { name: 'g', url: '^api/x' }], site: [{ ...toHttps, when: [] }] }], // biome-ignore format: one line
    ])('%s: there is none', (_, xml) => {
      expect(lint(host(xml)).filter((found) => found.startsWith('LG2306'))).toEqual([]);
    });

    test.each<[string, HostXml, string]>([
      ['the host of one, the scheme of the other', { bindings: both, global: [{ name: 'f' , when: [['{HTTPS}', '^on$']] }, plain], site: [toHttps] }, 'LG2306 g'], // biome-ignore format: one line
      ['the host of one, the path of the other', { bindings: ['http *:80:meet.x'], global: [plain], site: [{ ...toHttps, url: '^ews/' }] }, 'LG2306 g'], // biome-ignore format: one line
    ])('%s: told at the global rule', (_, xml, expected) => {
      expect(lint(host(xml))).toContain(expected);
    });
  });

  test('one catch-all is told once', () => {
    expect(lint(host({ global: [{ name: 'g' }], site: [{ name: 's' }] }))).toEqual(['LG2236 g']);
  });

  test('10,000 rules are compared in bounded time', () => {
    const rules = Array.from(
      { length: 10_000 },
      (_, n): RuleXml => ({
        name: `r${n}`,
        when: [[HOST, n % 2 ? `^h${n}\\.x$` : `^h${n}\\.`]],
      }),
    );
    const { config } = loadFile(join(writeFiles({ 'applicationHost.config': host({ global: rules }) }), 'applicationHost.config')); // biome-ignore format: one line
    expect(cpuTime(() => checkPublication(config!, reportInto([]))).milliseconds).toBeLessThan(15_000);
  });
});

describe('LG2301: redirects that go round', () => {
  const redirect = (to: string, more: Partial<RuleXml> = {}): RuleXml => ({
    name: 'r',
    url: '(.*)',
    action: `type="Redirect" url="${to}"`,
    ...more,
  });
  const of = (...rules: RuleXml[]) => global(...rules).filter((found) => found.startsWith('LG2301'));

  test.each<[string, RuleXml[]]>([
    ['https without a condition', [redirect('https://{HTTP_HOST}/{R:1}')]],
    ['itself', [redirect('/x', { url: '^x$' })]],
    ['below itself, ever deeper', [redirect('/app/{R:1}')]],
    ['letter case that is ignored', [redirect('{ToLower:{R:0}}', { url: '^[A-Z]+$' })]],
    ['two rules and back', [redirect('/b', { url: '^a$' }), redirect('/a', { name: 's', url: '^b$' })]],
    ['a query that stays', [redirect('/x', { url: '^x$', when: [['{QUERY_STRING}', 'a=(.*)']] })]],
  ])('%s', (_, rules) => {
    expect(of(...rules)[0]).toMatch(/^LG2301 /);
  });

  test.each<[string, RuleXml[]]>([
    ['http to https', [redirect('https://{HTTP_HOST}/{R:1}', { when: [['{HTTPS}', '^off$']] })]],
    ['unless https already', [redirect('https://{HTTP_HOST}/{R:1}', { when: [['{HTTPS}', 'on', 'negate="true"']] })]],
    ['by the port', [redirect('https://{HTTP_HOST}/{R:1}', { when: [['{SERVER_PORT_SECURE}', '0']] })]],
    ['a proxy in front that tells the scheme', [redirect('https://{HTTP_HOST}/{R:1}', { when: [['{HTTP_X_FORWARDED_PROTO}', '^http$']] })]], // biome-ignore format: one line
    ['to www', [redirect('https://www.contoso.com/{R:1}', { when: [[HOST, '^contoso\\.com$']] })]],
    ['without a trailing slash', [redirect('{R:1}', { url: '(.+)/$' })]],
    ['with one', [redirect('{R:1}/', { url: '(.*[^/])$' })]],
    ['letter case that counts', [redirect('{ToLower:{R:0}}', { url: '.*[A-Z].*', when: [['{URL}', '[A-Z]', 'ignoreCase="false"']] })]], // biome-ignore format: one line
    ['the start page', [redirect('/start', { url: '^$' })]],
    ['a prefix taken off', [redirect('{R:1}', { url: '^app/(.*)$' })]],
    ['another rule that stops it', [{ name: 'stop', url: '^x/', to: 'y' }, redirect('/x/{R:1}')]],
    ['a cookie that the server sets', [redirect('/login', { when: [['{HTTP_COOKIE}', 'session=', 'negate="true"']] })]],
  ])('%s arrives', (_, rules) => {
    expect(of(...rules)).toEqual([]);
  });

  test('a host of ours is followed, a foreign one is not', () => {
    const rules: RuleXml[] = [redirect('https://b.x/', { when: [[HOST, '^a\\.x$']] }), redirect('https://a.x/', { name: 's', when: [[HOST, '^b\\.x$']] })]; // biome-ignore format: one line
    const bindings = ['https *:443:a.x', 'https *:443:b.x'];
    expect(lint(host({ bindings, global: rules }))).toEqual(['LG2301 https://b.x/', 'LG2301 https://a.x/']);
    expect(lint(host({ bindings: ['https *:443:a.x'], global: rules }))).toEqual(['LG2304 ^b\\.x$']);
  });
});

describe('LG2302 to LG2304: hosts, bindings and farms', () => {
  const bindings = ['http *:80:www.x', 'https *:8443:*.y', 'http 203.0.113.5:8080:'];
  const own = (to: string, more: Partial<HostXml> = {}) =>
    lint(host({ bindings, global: [{ name: 'r', url: '^a', to }], ...more })).filter((found) => /LG2302/.test(found));

  test('a binding that is no farm', () => {
    expect(own('http://WWW.x/')).toEqual(['LG2302 WWW.x']);
    expect(own('https://a.y:8443{URL}')).toEqual(['LG2302 a.y:8443']);
    expect(own('http://203.0.113.5:8080/')).toEqual(['LG2302 203.0.113.5:8080']);
    expect(own('http://a.y:{SERVER_PORT}/')).toEqual(['LG2302 a.y:{SERVER_PORT}']);
  });

  test('another port, another host, a farm', () => {
    expect(own('https://www.x/')).toEqual([]);
    expect(own('http://x/')).toEqual([]);
    expect(own('/x')).toEqual([]);
    expect(own('http://www.x/', { farms: '<webFarm name="www.x" enabled="true"><server address="a" /></webFarm>' })).toEqual([]); // biome-ignore format: one line
  });

  test('a farm needs a rule, unless any may be computed', () => {
    const farms = '<webFarm name="used" enabled="true" /><webFarm name="spare" enabled="true" /><webFarm name="off" enabled="false" />'; // biome-ignore format: one line
    const with_ = (to: string, more: Partial<RuleXml> = {}) =>
      lint(host({ farms, global: [{ name: 'r', to, ...more }] }));
    expect(with_('https://USED/{R:0}')).toEqual(['LG2303 spare']);
    expect(with_('https://used/{R:0}', { enabled: false })).toEqual(['LG2303 used', 'LG2303 spare']);
    expect(with_('https://{HTTP_HOST}/{R:0}')).toEqual([]);
    expect(with_('{Map:{HTTP_HOST}}')).toEqual([]);
    expect(lint(host({ farms }))).toEqual([]);
  });

  const bound = (pattern: string, some: readonly string[], wildcard = false) =>
    lint(host({ bindings: some, global: [{ name: 'r', wildcard, when: [[HOST, pattern]], action: answers }] }));

  test('a host without a binding', () => {
    expect(bound('^shop\\.x$', ['http *:80:www.x'])).toEqual(['LG2304 ^shop\\.x$']);
    expect(bound('^(www|shop)\\.x$', ['http *:80:www.x'])).toEqual(['LG2304 ^(www|shop)\\.x$']);
    // A wildcard of a binding stands for one label.
    expect(bound('^a\\.b\\.x$', ['http *:80:*.x'])).toEqual(['LG2304 ^a\\.b\\.x$']);
    expect(bound('shop.*', ['http *:80:www.x'], true)).toEqual(['LG2304 shop.*']);
  });

  test('a binding for it, for any host, or none at all', () => {
    expect(bound('^shop\\.x$', ['http *:80:shop.x'])).toEqual([]);
    expect(bound('^shop\\.x$', ['http *:80:*.x'])).toEqual([]);
    expect(bound('^shop\\.x$', ['http *:80:www.x', 'http *:81:'])).toEqual([]);
    expect(bound('^shop\\.x$', [])).toEqual([]);
    expect(bound('shop.*', ['http *:80:shop.x'], true)).toEqual([]);
    expect(bound('^shop\\.x:8080$', ['http *:8080:shop.x'])).toEqual([]);
  });
});

describe('LG2305: redirects to where the client wants', () => {
  const of = (url: string, to: string, ...when: NonNullable<RuleXml['when']>) =>
    global({ name: 'r', url, when, action: `type="Redirect" url="${to}"` }).filter((found) => /LG2305/.test(found));

  test.each<[string, string, ...NonNullable<RuleXml['when']>]>([
    ['^go/(.*)', 'https://{R:1}'],
    ['^go/(.*)', '//{R:1}'],
    ['^go/(.*)', 'https://{R:1}.x/'],
    ['^go/([a-z.]+)$', 'https://{R:1}/'],
    ['^go', '{HTTP_REFERER}'],
    ['^go', 'https://{HTTP_X_FORWARDED_HOST}/'],
    ['^go', '{UrlDecode:{QUERY_STRING}}'],
    ['^go', '{C:1}', ['{QUERY_STRING}', 'url=(.*)']],
    ['^go', '{UrlDecode:{C:1}}', ['{QUERY_STRING}', 'url=([^&]+)']],
    ['^go', 'https://{C:1}/', ['{URL}', '^/go/(.*)']],
    ['^go', 'https://{C:1}/', ['{HTTP_HOST}', '(.*)'], ['{HTTP_COOKIE}', 'h=(.*)']],
  ])('%s to %s', (url, to, ...when) => {
    expect(of(url, to, ...when)).toHaveLength(1);
  });

  test.each<[string, string, ...NonNullable<RuleXml['when']>]>([
    ['(.*)', 'https://{HTTP_HOST}/{R:1}'],
    ['(.*)', 'https://{HTTP_HOST}{REQUEST_URI}'],
    ['(.*)', 'https://www.{SERVER_NAME}/{R:1}'],
    ['(.*)', 'https://{C:1}/{R:1}', ['{HTTP_HOST}', '^www\\.(.+)$']],
    ['(.*)', '{C:1}://www.x/{R:1}', ['{CACHE_URL}', '^(https?)://']],
    ['(.*)', '{R:1}'],
    ['(.*)', '/{R:1}'],
    ['(.*)', '{C:1}', ['{Map:{REQUEST_URI}}', '(.+)']],
    ['(.*)', '{C:1}', ['{URL}', '^/old(.*)']],
    ['(.*)', 'https://{Map:{R:1}}/'],
    ['^(de|en)/(.*)', 'https://{R:1}/{R:2}'],
    ['^t/([a-z0-9-]+)/(.*)', 'https://{R:1}.contoso.com/{R:2}'],
    ['(.*)', 'https://www.x/?to={QUERY_STRING}'],
  ])('%s to %s is fine', (url, to, ...when) => {
    expect(of(url, to, ...when)).toEqual([]);
  });

  test('it points at what is computed', () => {
    expect(of('^go/(.*)', 'https://{R:1}')).toEqual(['LG2305 {R:1}']);
  });
});

// ---- Lync ------------------------------------------------------------------------------------------------------

const lyncFarm = (attributes = 'httpPort="8080" httpsPort="4443"', timeout = 'timeout="00:16:00"') =>
  `<webFarm name="Lync" enabled="true"><server address="10.0.0.20" enabled="true"><applicationRequestRouting ${attributes} /></server><applicationRequestRouting><protocol ${timeout} /></applicationRequestRouting></webFarm>`;
const NAMES = ['webext', 'meet', 'dialin', 'lyncdiscover'];
const bindingsFor = (names: readonly string[]) => names.flatMap((name) => [`https *:443:${name}.x.com`, `http *:80:${name}.x.com`]); // biome-ignore format: one line
const all: RuleXml = { name: 'lync', when: [['{HTTPS}', 'on']], to: 'https://Lync/{R:0}' };
const http: RuleXml = { name: 'discover', when: [[HOST, '^lyncdiscover\\.']], to: 'http://Lync/{R:0}' };
const lync = (more: Partial<HostXml> = {}) =>
  lint(host({ bindings: bindingsFor(NAMES), farms: lyncFarm(), global: [all, http], ...more }));

describe('LG2310 to LG2314: what a Lync publication lacks', () => {
  test('nothing, when all is there', () => {
    expect(lync()).toEqual([]);
  });

  test.each(NAMES)('%s', (missing) => {
    const { diagnostics } = check(
      host({ bindings: bindingsFor(NAMES.filter((name) => name !== missing)), farms: lyncFarm(), global: [all] }),
    );
    const [found] = diagnostics.filter(({ code }) => code === 'LG2310');
    expect(found?.message).toContain(missing === 'webext' ? 'the external web services' : `${missing}.x.com`);
  });

  test('a SIP domain without discovery', () => {
    const bindings = [...bindingsFor(NAMES), 'https *:443:meet.y.com'];
    const { diagnostics } = check(host({ bindings, farms: lyncFarm(), global: [all, http] }));
    expect(diagnostics.map(({ code, message }) => [code, message.includes('lyncdiscover.y.com')])).toEqual([['LG2310', true]]); // biome-ignore format: one line
  });

  /** Of rules that name hosts by patterns, on listeners that take any host. */
  const lacking = (...patterns: string[]) => {
    const global = patterns.map((pattern, at): RuleXml => ({ ...all, name: `r${at}`, when: [[HOST, pattern]] }));
    const { diagnostics } = check(host({ bindings: ['https *:443:', 'http *:80:'], farms: lyncFarm(), global }));
    return diagnostics
      .filter(({ code }) => code === 'LG2310')
      .map(({ message }) => /needs (.*) too, and no/.exec(message)?.[1]?.replace(/( and )?the name of the external web services$/, '')); // biome-ignore format: one line
  };

  test.each<[string[], string[]]>([
    [['^meet\\..+', '^dialin\\..+'], ['the name "lyncdiscover" of each domain']],
    [['^meet\\..+\\.com$', '^lyncdiscover\\..+'], ['the name "dialin" of each domain']],
    [['^dialin\\.[a-z]+\\.net$', '^lyncdiscover\\.[a-z]+\\.net$'], ['the name "meet" of each domain']],
    [['^lyncdiscover\\..+'], []],
    [['^meet\\..+', '^dialin\\.x\\.com$'], ['lyncdiscover.x.com']],
    [['^meet\\.x\\.com$', '^dialin\\..+', '^lyncdiscover\\..+', '^webext\\..+'], []],
    [['^meet\\..+', '^dialin\\..+', '^lyncdiscover\\.x\\.com$', '^webext\\..+'], []],
    [['^meet\\.x\\.com$', '^dialin\\..+', '^lyncdiscover\\.y\\.com$', '^webext\\..+'], ['lyncdiscover.x.com']],
  ])('of names that only patterns give, none is made up: %j', (patterns, expected) => {
    expect(lacking(...patterns).filter((text) => text !== '')).toEqual(expected);
  });

  test('nor where something else is told of such a name', () => {
    const redirect: RuleXml = { name: 'to https', url: '(.*)', when: [['{HTTPS}', 'off'], [HOST, '^lyncdiscover\\..+']], action: 'type="Redirect" url="https://{HTTP_HOST}/{R:1}"' }; // biome-ignore format: one line
    const patterns = ['^meet\\..+', '^dialin\\..+', '^lyncdiscover\\..+', '^webext\\..+', '^lyncdiscoverinternal\\..+'];
    const global = [
      redirect,
      ...patterns.map((pattern): RuleXml => ({ ...all, name: pattern, when: [[HOST, pattern]] })),
    ];
    const { diagnostics } = check(host({ bindings: ['https *:443:', 'http *:80:'], farms: lyncFarm(), global }));
    expect(diagnostics.map(({ code, message }) => `${code} ${/any name that matches "[^"]*"/.exec(message)}`)).toEqual([
      'LG2320 any name that matches "^lyncdiscoverinternal\\..+"',
      'LG2314 any name that matches "^lyncdiscover\\..+"',
    ]);
  });

  test('simple URLs may be paths of one name', () => {
    expect(lync({ bindings: bindingsFor(['sfb', 'lyncdiscover']) })).toEqual([]);
    const paths: RuleXml = { ...all, name: 'paths', url: '^(meet|dialin|x)', when: [[HOST, '^sfb']] };
    expect(lync({ bindings: bindingsFor(['sfb', 'lyncdiscover', 'meet']), global: [paths, all, http] })).toEqual([]);
  });

  const list = (folders: string): RuleXml => ({ ...all, name: 'list', url: `^(${folders})(/.*)?$`, when: [[HOST, '^webext\\.']] }); // biome-ignore format: one line
  const rest: RuleXml = { ...all, name: 'rest', when: [[HOST, '^(meet|dialin|lyncdiscover)\\.']] };

  test('paths that a list leaves out', () => {
    const folders = 'abs|autodiscover|certprov|collabcontent|dialin|fonts|groupexpansion|hybridconfig|lwa|lwaclient|passiveauth|persistentchat|phoneconferencing|reach|requesthandlerext|rgsclients|scheduler|storage|ucwa|webticket'; // biome-ignore format: one line
    const { diagnostics } = check(
      host({ bindings: bindingsFor(NAMES), farms: lyncFarm(), global: [list(folders), rest] }),
    );
    expect(diagnostics.map(({ code, message }) => [code, /: ([^.]*)\.$/.exec(message)?.[1]])).toEqual([
      ['LG2311', '/DataCollabWeb, /Meet'],
    ]);
    expect(lync({ global: [list(`${folders}|meet|datacollabweb`), rest] })).toEqual([]);
  });

  test('another rule that publishes the rest', () => {
    const more: RuleXml = { ...all, name: 'more', when: [[HOST, '^webext\\.']] };
    expect(lync({ global: [list('abs|ucwa|reach|webticket'), rest, more] })).toEqual([]);
  });

  test('a list that is no list of Lync', () => {
    expect(lint(host({ global: [{ name: 'shop', url: '^(meet|cart|checkout)(/.*)?$' }] }))).toEqual([]);
  });

  test('a farm that gives up too soon', () => {
    expect(lync({ farms: lyncFarm(undefined, 'timeout="00:03:19"') })).toEqual(['LG2312 protocol']);
    expect(lync({ farms: lyncFarm(undefined, 'timeout="00:03:20"') })).toEqual([]);
  });

  test('ports of the internal web site', () => {
    expect(lync({ farms: lyncFarm('httpPort="8080" httpsPort="443"') })).toEqual(['LG2313 server']);
    expect(lync({ farms: lyncFarm('httpPort="80" httpsPort="4443"') })).toEqual(['LG2313 server']);
    expect(lync({ farms: lyncFarm('httpPort="80" httpsPort="4443"'), global: [all] })).toEqual([]);
  });

  test('a redirect that catches lyncdiscover', () => {
    const redirect: RuleXml = { name: 'to https', url: '(.*)', when: [['{HTTPS}', 'off']], action: 'type="Redirect" url="https://{HTTP_HOST}/{R:1}"' }; // biome-ignore format: one line
    expect(lync({ global: [redirect, all] })).toEqual(['LG2314 to https']);
    expect(lync({ global: [all, http, redirect] })).toEqual([]);
    const except: RuleXml = { ...redirect, when: [...redirect.when!, [HOST, '^lyncdiscover\\.', 'negate="true"']] };
    expect(lync({ global: [except, all, http] })).toEqual([]);
    const noHttp = NAMES.map((name) => `https *:443:${name}.x.com`);
    expect(lync({ bindings: noHttp, global: [redirect, all] })).toEqual([]);
  });
});

describe('LG2320 and LG2321: what must stay inside', () => {
  test('names', () => {
    expect(lync({ bindings: bindingsFor([...NAMES, 'lyncdiscoverinternal']) })).toEqual(['LG2320 binding']);
    expect(lync({ bindings: bindingsFor([...NAMES, 'admin']) })).toEqual(['LG2320 binding']);
    const other = `${lyncFarm()}<webFarm name="Other" enabled="true"><server address="10.0.0.9" /></webFarm>`;
    const admin: RuleXml = { name: 'admin', when: [[HOST, '^admin\\.']], to: 'https://Other/{R:0}' };
    expect(lync({ farms: other, bindings: bindingsFor([...NAMES, 'admin']), global: [admin, all, http] })).toEqual([]);
    expect(lint(host({ bindings: ['https *:443:admin.x.com'], global: [{ ...admin, to: 'https://pool/{R:0}' }] }))).toEqual([]); // biome-ignore format: one line
  });

  test.each(['cscp', 'OcsPowerShell', 'PowerShell', 'locationinformation'])('/%s', (folder) => {
    expect(global({ name: 'r', url: `^(owa|${folder})(/.*)?$` })).toEqual([`LG2321 ${folder}`]);
    expect(global({ name: 'no', url: `^${folder}`, action: answers }, { name: 'r', url: `^(owa|${folder})(/.*)?$` })).toEqual([]); // biome-ignore format: one line
    expect(global({ name: 'r', url: `^(?!${folder}).*` })).toEqual([]);
    expect(global({ name: 'r', url: '.*' })).toEqual([]);
  });
});

describe('no false alarms', () => {
  const folder = join(import.meta.dirname, '../../config');
  const shipped = ['applicationHost.config', ...globSync('examples/*/applicationHost.config', { cwd: folder })];

  test.each(shipped)('%s', (file) => {
    expect(lint(readFileSync(join(folder, file), 'utf8'))).toEqual([]);
  });

  /** In the style of a public deployment script: one farm and two rules for each name. */
  const farmOf = (name: string, ports: string) =>
    `<webFarm name="${name}" enabled="true"><server address="${name}" enabled="true"><applicationRequestRouting ${ports} /></server><applicationRequestRouting><protocol timeout="00:16:00"><cache enabled="false" /></protocol></applicationRequestRouting></webFarm>`;
  const scripted = ['webext', 'meet', 'dialin', 'lyncdiscover', 'officewebapps'].map((label) => `${label}.contoso.com`);
  const rules = scripted.flatMap((name): RuleXml[] => {
    const pattern = `${name.split('.')[0]}.*`;
    return [
      { name: `ARR_${name}_loadbalance_SSL`, wildcard: true, when: [['{HTTPS}', 'on'], [HOST, pattern]], to: `https://${name}/{R:0}` }, // biome-ignore format: one line
      { name: `ARR_${name}_loadbalance`, wildcard: true, when: [['{HTTPS}', 'off'], [HOST, pattern]], to: `http://${name}/{R:0}` }, // biome-ignore format: one line
    ];
  });
  const farms = scripted.map((name) => farmOf(name, name.startsWith('office') ? 'httpPort="80" httpsPort="443"' : 'httpPort="8080" httpsPort="4443"')).join(''); // biome-ignore format: one line

  test('one farm for each name, with and without bindings', () => {
    const bindings = scripted.flatMap((name) => [`https *:443:${name}`, `http *:80:${name}`]);
    expect(lint(host({ bindings, farms, global: rules }))).toEqual([]);
    expect(lint(host({ bindings: ['https *:443:', 'http *:80:'], farms, global: rules }))).toEqual([]);
    expect(lint(host({ farms, global: rules }))).toEqual([]);
  });

  test('the list of a popular guide lacks what it lacks, and nothing else', () => {
    const guide: RuleXml = {
      name: 'Lync',
      url: '((?:^dialin|^id|^Abs|^autodiscover|^CertProv|^CollabContent|^Fonts|^GroupExpansion|^HybridConfig|^lwa|^mcx|^PassiveAuth|^PersistentChat|^Reach|^RequestHandlerExt|^RgsClients|^Scheduler|^Storage|^ucwa|^WebTicket).*)',
      when: [['{HTTPS}', 'on'], [HOST, '(webext.contoso.com|dialin.contoso.com|meet.contoso.com)']], // biome-ignore format: one line
      to: 'https://Lync/{R:0}',
    };
    const discover: RuleXml = { name: 'discover', url: '(.*)', when: [[HOST, 'lyncdiscover.contoso.com']], to: 'https://Lync/{R:0}' }; // biome-ignore format: one line
    const bindings = ['https *:443:', 'http *:80:'];
    const { diagnostics } = check(host({ bindings: [...bindings, ...NAMES.map((name) => `https *:443:${name}.contoso.com`)], farms: lyncFarm(), global: [guide, discover] })); // biome-ignore format: one line
    expect(diagnostics.map(({ code }) => code)).toEqual(['LG2311']);
    expect(diagnostics[0]?.message).toContain('/DataCollabWeb, /Meet, /PhoneConferencing');
    expect(diagnostics[0]?.message).toContain('any path of meet.contoso.com');
  });
});
