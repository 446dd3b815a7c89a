/** LG2322: a redirect to https at the port of an http binding, or with a port behind that of the request. */
import { expect, test } from 'vitest';
import { findings, type RuleXml, ruleXml, told } from '../rewrite/told.ts';

const BINDINGS = ['http *:8080:', 'https *:443:www.contoso.com'];

function of(
  url: string,
  {
    bindings = BINDINGS,
    global = false,
    when,
    ...more
  }: Partial<RuleXml> & { bindings?: string[]; global?: boolean } = {},
) {
  const rule = ruleXml({ when: when ?? [['{HTTPS}', '^OFF$']], action: `type="Redirect" url="${url}"`, ...more });
  const binding = (each: string) =>
    `<binding protocol="${each.split(' ')[0]}" bindingInformation="${each.split(' ')[1]}" />`;
  return told(
    'LG2322',
    `<configuration><system.applicationHost><sites><site name="S" id="1"><application path="/" />
      <bindings>${bindings.map(binding).join('')}</bindings></site></sites></system.applicationHost>
      <system.webServer><rewrite><globalRules>${global ? rule : ''}</globalRules><rules>${global ? '' : rule}</rules></rewrite></system.webServer></configuration>`,
  );
}

const HOST = 'https://{HTTP_HOST}/{R:1}';

test.each<[string, string, Parameters<typeof of>[1]]>([
  ['the Host', HOST, {}],
  ['a global rule', HOST, { global: true }],
  ['the Host with the URI', 'https://{HTTP_HOST}{URL}', {}],
  ['beside port 80', HOST, { bindings: ['http *:80:', ...BINDINGS] }],
  ['a binding with a name', HOST, { bindings: ['http *:8080:www.contoso.com', 'https *:443:www.contoso.com'] }],
  [
    'what a condition captures',
    'https://{C:1}/',
    {
      when: [
        ['{HTTPS}', 'off'],
        ['{HTTP_HOST}', '(.*)'],
      ],
    },
  ],
  ['the port by its name', 'https://{SERVER_NAME}:{SERVER_PORT}/', {}],
  ['another test for plain http', HOST, { when: [['{SERVER_PORT_SECURE}', '^0$']] }],
])('%s', (_, url, more) => {
  expect(of(url, more)).toEqual([url]);
});

test.each<[string, string, Parameters<typeof of>[1]]>([
  ['the name alone', 'https://{SERVER_NAME}/{R:1}', {}],
  ['port 80', HOST, { bindings: ['http *:80:', 'https *:443:www.contoso.com'] }],
  ['an https binding at that port', HOST, { bindings: ['http 10.0.0.1:8080:', 'https 10.0.0.2:8080:www.contoso.com'] }],
  [
    'captured without the port',
    'https://{C:1}/',
    {
      when: [
        ['{HTTPS}', 'off'],
        ['{HTTP_HOST}', '^([^:]+)'],
      ],
    },
  ],
  ['another host', 'https://other.example/', {}],
  ['for port 80 alone', HOST, { bindings: ['http *:80:', ...BINDINGS], when: [['{SERVER_PORT}', '^80$']] }],
  ['to http', 'http://{HTTP_HOST}/x', { url: '^a' }],
])('not told: %s', (_, url, more) => {
  expect(of(url, more)).toEqual([]);
});

const DOUBLED = 'https://{HTTP_HOST}:8443/{R:1}';
const ANY: RuleXml['when'] = [];

test.each<[string, string, Parameters<typeof of>[1]]>([
  ['the only binding', DOUBLED, { bindings: ['http 127.0.0.1:36780:'], when: ANY }],
  ['beside port 80', DOUBLED, { bindings: ['http *:80:', 'http *:8080:', 'https *:8443:www.contoso.com'] }],
  ['of https', DOUBLED, { bindings: ['https *:444:www.contoso.com'], when: ANY }],
  ['to http', 'http://{HTTP_HOST}:81/', { bindings: ['http *:8080:'], when: ANY }],
  ['a global rule', DOUBLED, { global: true }],
  ['with its own port', 'https://{HTTP_HOST}:{SERVER_PORT}/', {}],
  ['what a condition captures', 'https://{C:1}:8443/', { when: [['{HTTP_HOST}', '^(.*)$']] }],
])('two ports: %s', (_, url, more) => {
  expect(of(url, more)).toEqual([url]);
});

test.each<[string, string, Parameters<typeof of>[1]]>([
  ['the name alone', 'https://{SERVER_NAME}:8443/{R:1}', { bindings: ['http 127.0.0.1:36780:'], when: ANY }],
  ['ports that no Host needs', DOUBLED, { bindings: ['http *:80:', 'https *:443:www.contoso.com'] }],
  ['captured without the port', 'https://{C:1}:8443/', { when: [['{HTTP_HOST}', '^([^:]+)']] }],
  ['another host', 'https://other.example:8443/', {}],
  ['a port in the query', 'https://{SERVER_NAME}/?{HTTP_HOST}:80', { when: ANY }],
])('not two ports: %s', (_, url, more) => {
  expect(of(url, more)).toEqual([]);
});

test('the cure for two ports', () => {
  const xml = `<configuration><system.applicationHost><sites><site name="S" id="1"><application path="/" />
    <bindings><binding protocol="http" bindingInformation="127.0.0.1:36780:" /></bindings></site></sites></system.applicationHost>
    <system.webServer><rewrite><globalRules>${ruleXml({ action: `type="Redirect" url="${DOUBLED}"` })}</globalRules></rewrite></system.webServer></configuration>`;
  const [found] = findings(xml, /LG2322/);
  expect(found?.diagnostic.message).toContain('what comes to port 36780 is answered with 400');
  expect(found?.diagnostic.advice).toContain('"https://{SERVER_NAME}:8443/{R:1}"');
});
