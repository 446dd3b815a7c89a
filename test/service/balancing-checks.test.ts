/** What is found in how farms choose servers, by the folders that each know a part of it. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { unmark, writeFiles } from '../config/written.ts';
import { applicationHost, farmRules, webFarm } from '../integration/environment.ts';

/** Each finding about affinity and balancing with its place and the related one, against the marks of the text. */
function expectFindings(marked: string, codes: readonly string[]): void {
  const { text, places } = unmark(marked);
  const { diagnostics } = checkLoaded(
    loadFile(join(writeFiles({ 'applicationHost.config': text }), 'applicationHost.config')),
  );
  const ours = diagnostics.filter(({ code }) => /^LG312/.test(code));
  expect(ours.map(({ code }) => code)).toEqual(codes);
  const spans = ours.flatMap(({ span, related }) => [span, ...(related ? [related.span] : [])]);
  const found = spans.map(({ start, end }) => [start, end] as const);
  expect(found.toSorted((one, other) => one[0] - other[0])).toEqual(places);
}

const servers = [{ address: '10.0.0.20' }];
const farm = (routing: string, name = 'fe') => webFarm(name, { servers, routing });
const one = (routing: string, rules = farmRules('fe', 'app.contoso.com')) =>
  applicationHost({ bindings: ['https *:443:'], farms: farm(routing), rules });
const two = (first: string, second: string, hosts: readonly [string, string], bindings = ['https *:443:']) =>
  applicationHost({
    bindings,
    farms: farm(first, 'one') + farm(second, 'two'),
    rules: farmRules('one', hosts[0]) + farmRules('two', hosts[1]),
  });
const cookie = (attributes = '') => `<affinity useCookie="true" ${attributes} />`;
const marked = (attributes = '') => `<«affinity» useCookie="true" ${attributes} />`;

test.each<[what: string, text: string, codes: readonly string[]]>([
  ['the same name and host', two(marked(), marked(), ['a.contoso.com', 'a.contoso.com']), ['LG3120']],
  [
    'where the names are written',
    two(cookie('cookieName="«A»"'), cookie('cookieName="«A»"'), ['a.contoso.com', 'a.contoso.com']),
    ['LG3120'],
  ],
  [
    'subdomains that share a Domain',
    two(marked('ignoreSubDomainClientAffinity="true"'), marked('ignoreSubDomainClientAffinity="true"'), [
      'a.contoso.com',
      'b.contoso.com',
    ]),
    ['LG3120'],
  ],
  ['any host for both', two(marked(), marked(), ['*', '*']), ['LG3120']],
  ['other hosts', two(cookie(), cookie(), ['a.contoso.com', 'b.contoso.com']), []],
  ['the host of a binding', two(marked(), marked(), ['*', '*'], ['https *:443:a.contoso.com']), ['LG3120']],
  [
    'a subdomain with a Domain of its own',
    two(cookie('ignoreSubDomainClientAffinity="true"'), cookie(), ['a.contoso.com', 'b.contoso.com']),
    [],
  ],
  ['other names', two(cookie(), cookie('cookieName="arraffinity"'), ['a.contoso.com', 'a.contoso.com']), []],
  ['one farm without a cookie', two(cookie(), '<affinity useHostName="true" />', ['*', '*']), []],
  ['one farm with rules for http and https', one(cookie()), []],
])('two farms and one cookie: %s', (_what, text, codes) => {
  expectFindings(text, codes);
});

test.each(['a b', 'a;b', 'a=b', 'a,b', 'naïve', 'a&#13;&#10;Set-Cookie:x', '"a"', '[a]', 'a/b'])(
  'no name of a cookie: %s',
  (name) => {
    const written = name.replaceAll('"', '&quot;');
    expectFindings(one(cookie(`cookieName="«${written}»"`)), ['LG3121']);
    // Nobody is bound by it.
    expectFindings(one(`<affinity cookieName="${written}" />`), []);
  },
);

test.each(['ARRAffinity', 'A', "!#$%'*+.^_`|~-"])('a name of a cookie: %s', (name) => {
  expectFindings(one(cookie(`cookieName="${name}"`)), []);
});

test.each<[what: string, routing: string, codes: readonly string[]]>([
  [
    'by free memory',
    '<affinity useHostName="true" hostAffinityProvider="«Microsoft.Web.Arr.HostNameMemory»" />',
    ['LG3122'],
  ],
  ['unknown', '<affinity useHostName="true" hostAffinityProvider="«Contoso.Provider»" />', ['LG3122']],
  ['by turns', '<affinity useHostName="true" hostAffinityProvider="microsoft.web.arr.hostnameroundrobin" />', []],
  ['not asked for', '<affinity hostAffinityProvider="Microsoft.Web.Arr.HostNameMemory" />', []],
  ['of servers', '<«affinity» useServerProvider="true" />', ['LG3123']],
  ['external cache', '<«affinity» useHostName="true" useExternalCache="true" />', ['LG3123']],
  ['external cache without hosts', '<affinity useExternalCache="true" hostCountersEnabled="false" />', []],
])('provider: %s', (_what, routing, codes) => {
  expectFindings(one(routing), codes);
});

const setting = (name: string) =>
  farmRules('fe', '*').replaceAll(
    '<action',
    `<serverVariables><set name="${name}" value="x" /></serverVariables><action`,
  );

test.each<[what: string, text: string, codes: readonly string[]]>([
  ['unknown', one('<loadBalancing algorithm="RequestHash" hashServerVariable="«HOST»" />'), ['LG3124']],
  ['always empty', one('<loadBalancing algorithm="RequestHash" hashServerVariable="«LOGON_USER»" />'), ['LG3124']],
  [
    'set by a rule',
    one('<loadBalancing algorithm="RequestHash" hashServerVariable="Tenant" />', setting('TENANT')),
    [],
  ],
  ['a header', one('<loadBalancing algorithm="RequestHash" hashServerVariable="HTTP_X_TENANT" />'), []],
  ['of a known name', one('<loadBalancing algorithm="RequestHash" hashServerVariable="remote_addr" />'), []],
  ['not asked for', one('<loadBalancing hashServerVariable="HOST" queryStringNames="a" />'), []],
  [
    'and parts of the query',
    one('<loadBalancing algorithm="RequestHash" hashServerVariable="HTTP_HOST" queryStringNames="«a»" />'),
    ['LG3125'],
  ],
])('hash of a server variable: %s', (_what, text, codes) => {
  expectFindings(text, codes);
});
