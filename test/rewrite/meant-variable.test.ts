/** Text that is meant as a variable or back-reference: told with what IIS writes. */
import { describe, expect, test } from 'vitest';
import { escaped, findings, type RuleXml, rulesXml } from './told.ts';

const DOLLAR = '$';

/** Code, place, and what is to be written. */
function cures(xml: string): string[] {
  return findings(xml, /LG22(1[015]|35|49|50)/).map(({ diagnostic: { code, advice }, text }) => {
    const cure = /^Write (\{.*\})(?: and set appendQueryString="false")?\.$/.exec(advice)?.[1];
    return `${code} ${text}${cure === undefined ? '' : ` ${cure}`}`;
  });
}
const one = (rule: RuleXml) => cures(rulesXml([rule]));
const outbound = (value: string, place: string) =>
  cures(
    rulesXml(
      [{ set: [['HTTP_ACCEPT_ENCODING', '']] }],
      `<outboundRules><rule name="o"><match ${place} pattern="(.*)" /><action type="Rewrite" value="${escaped(value)}" /></rule></outboundRules>`,
    ),
  );

test.each([
  ['HTTP_HOST', 'LG2249 HTTP_HOST {HTTP_HOST}'],
  ['http_host', 'LG2249 http_host {HTTP_HOST}'],
  ['HTTP-HOST', 'LG2249 HTTP-HOST {HTTP_HOST}'],
  ['HTTPS', 'LG2249 HTTPS {HTTPS}'],
  ['REQUEST_URI', 'LG2249 REQUEST_URI {REQUEST_URI}'],
  ['[HTTP_HOST]', 'LG2249 [HTTP_HOST] {HTTP_HOST}'],
  ['(HTTP_HOST)', 'LG2249 (HTTP_HOST) {HTTP_HOST}'],
  ['#HTTP_HOST#', 'LG2249 #HTTP_HOST# {HTTP_HOST}'],
  ['@{HTTP_HOST}', 'LG2249 @{HTTP_HOST} {HTTP_HOST}'],
  ['%{HTTP_HOST}', 'LG2249 %{HTTP_HOST} {HTTP_HOST}'],
  [`${DOLLAR}{HTTP_HOST}`, `LG2249 ${DOLLAR}{HTTP_HOST} {HTTP_HOST}`],
  ['%HTTP_HOST%', 'LG2249 %HTTP_HOST% {HTTP_HOST}'],
  ['$host', 'LG2249 $host {HTTP_HOST}'],
  ['$http_x_forwarded_proto', 'LG2249 $http_x_forwarded_proto {HTTP_X_FORWARDED_PROTO}'],
  ['$1', 'LG2249 $1 {R:1}'],
  ['%1', 'LG2249 %1 {C:1}'],
  ['{ToLower:HTTP_HOST}', 'LG2249 HTTP_HOST {HTTP_HOST}'],
  ['{{HTTP_HOST}}', 'LG2210 { {HTTP_HOST}'],
  ['{{{HTTP_HOST}}}', 'LG2210 { {HTTP_HOST}'],
  ['{HTTP:Upgrade}', 'LG2211 {HTTP:Upgrade} {HTTP_UPGRADE}'],
  ['%{HTTP:X-Forwarded-Proto}', 'LG2211 {HTTP:X-Forwarded-Proto} {HTTP_X_FORWARDED_PROTO}'],
  ['{ENV:HTTPS}', 'LG2211 {ENV:HTTPS} {HTTPS}'],
  ['{R: 1}', 'LG2211 {R: 1} {R:1}'],
  ['{HTTP-HOST}', 'LG2215 {HTTP-HOST} {HTTP_HOST}'],
  ['{ HTTP_HOST }', 'LG2215 { HTTP_HOST } {HTTP_HOST}'],
  ['{$host}', 'LG2215 {$host} {HTTP_HOST}'],
  [`${DOLLAR}{host}`, 'LG2215 {host} {HTTP_HOST}'],
  ['{%REMOTE_ADDR%}', 'LG2215 {%REMOTE_ADDR%} {REMOTE_ADDR}'],
  ['{REMOTE_ADR}', 'LG2215 {REMOTE_ADR} {REMOTE_ADDR}'],
  ['{QUERYSTRING}', 'LG2215 {QUERYSTRING} {QUERY_STRING}'],
  ['{X-Forwarded-For}', 'LG2215 {X-Forwarded-For} {HTTP_X_FORWARDED_FOR}'],
  ['{User-Agent}', 'LG2215 {User-Agent} {HTTP_USER_AGENT}'],
  ['{R1}', 'LG2215 {R1} {R:1}'],
  ['{$1}', 'LG2215 {$1} {R:1}'],
  ['{C_1}', 'LG2215 {C_1} {C:1}'],
  ['{NO_SUCH_THING_AT_ALL}', 'LG2215 {NO_SUCH_THING_AT_ALL}'],
])('the input %s', (input, told) => {
  expect(one({ when: [[input, '^x$']] })).toEqual([told]);
});

test.each([
  ['http://app01/$1', 'LG2249 $1 {R:1}'],
  ['http://app01$1', 'LG2235 $1 {R:1}'],
  ['http://app01/\\1', 'LG2249 \\1 {R:1}'],
  ['http://app01/%1', 'LG2249 %1 {C:1}'],
  ['http://app01/R:1', 'LG2249 R:1 {R:1}'],
  ['http://app01/[R:1]', 'LG2249 [R:1] {R:1}'],
  ['http://app01$request_uri', 'LG2235 $request_uri {REQUEST_URI}'],
  ['http://app01/?$args', 'LG2249 $args {QUERY_STRING}'],
  ['http://app01/QUERY_STRING', 'LG2249 QUERY_STRING {QUERY_STRING}'],
  ['http://app01/%{QUERY_STRING}', 'LG2249 %{QUERY_STRING} {QUERY_STRING}'],
  [`http://app01/${DOLLAR}{1}`, 'LG2215 {1} {R:1}'],
  ['http://app01/{{R:1}}', 'LG2210 { {R:1}'],
])('the URL %s', (to, told) => {
  expect(one({ to })).toEqual([told]);
});

const advice = (code: RegExp, rule: RuleXml) => findings(rulesXml([rule]), code).map(({ text, diagnostic }) => [text, diagnostic.advice]); // biome-ignore format: one line

const FROM_URL =
  'IIS has no variable of the scheme: make input="{CACHE_URL}" pattern="^(https?)://" the last condition and write {C:1}, or ask a rewrite map for {HTTPS}, which is "on" or "off".';
const BY_HTTPS = 'IIS has no variable of the scheme: compare {HTTPS}, which is "on" or "off".';

test('the scheme, of which IIS has no variable', () => {
  expect(advice(/LG2249/, { set: [['HTTP_X', '$scheme']] })).toEqual([['$scheme', FROM_URL]]);
  expect(advice(/LG2249/, { when: [['$scheme', '^https$']] })).toEqual([['$scheme', BY_HTTPS]]);
  // That the scheme is none then goes without saying.
  expect(advice(/LG22(15|38)/, { to: '{REQUEST_SCHEME}://app01/{R:1}' })).toEqual([['{REQUEST_SCHEME}', FROM_URL]]);
  expect(advice(/LG2215/, { when: [['{SCHEME}', '^https$']] })).toEqual([['{SCHEME}', BY_HTTPS]]);
  expect(advice(/LG2249/, { set: [['HTTP_X', '$proxy_host']] })).toEqual([
    ['$proxy_host', 'IIS has no variable for this: leave it out, and write a scheme as http or https.'],
  ]);
});

test('one finding for several in one text, and for the host that they are not', () => {
  const redirect = (url: string, more = '') => ({ action: `type="Redirect" url="${url}" ${more}` });
  expect(advice(/LG22(31|33|35|49)/, redirect('https://$host$request_uri'))).toEqual([
    ['$host$request_uri', 'Write "https://{HTTP_HOST}{REQUEST_URI}" and set appendQueryString="false".'],
  ]);
  expect(advice(/LG22(31|33|35|49)/, redirect('https://$host/', 'appendQueryString="false"'))).toEqual([
    ['$host', 'Write {HTTP_HOST}.'],
  ]);
  expect(advice(/LG22(33|35|49)/, { to: 'http://app01$request_uri' })).toEqual([
    ['$request_uri', 'Write {REQUEST_URI} and set appendQueryString="false".'],
  ]);
  expect(advice(/LG2249/, { set: [['HTTP_X', '$host:$server_port']] })).toEqual([
    ['$host:$server_port', 'Write "{HTTP_HOST}:{SERVER_PORT}".'],
  ]);
  expect(advice(/LG22(45|49)/, { to: '$scheme://app01/{R:1}' })).toEqual([['$scheme', FROM_URL]]);
  expect(advice(/LG2249/, { to: 'http://app01/?a=$1&b=$2', url: '(a)(b)' })[0]?.[1]).toBe(
    'Write "http://app01/?a={R:1}&amp;b={R:2}".',
  );
  // Where the host is none, or no farm, for want of the braces.
  expect(advice(/LG22(30|35|37|49)/, { to: 'http://$host/' })).toEqual([['$host', 'Write {HTTP_HOST}.']]);
});

test('a word that is the name of a variable, and compares as a word', () => {
  expect(advice(/LG2250/, { when: [['https', '^on$']] })).toEqual([
    ['https', 'Write {HTTPS}; or remove the condition.'],
  ]);
  expect(advice(/LG2250/, { when: [['HTTP_HOST}', '^a$']] })[0]?.[1]).toBe(
    'Write {HTTP_HOST}; or remove the condition.',
  );
});

test('the other letter of a back-reference, where that has the group', () => {
  expect(advice(/LG2213/, { to: 'http://app01/{C:1}' })[0]?.[1]).toMatch(/^Write \{R:1\},/);
  expect(advice(/LG2213/, { url: '.*', when: [['{URL}', '(.*)']], to: 'http://app01/{R:1}' })[0]?.[1]).toMatch(
    /^Write \{C:1\},/,
  );
  expect(advice(/LG2213/, { url: '.*', to: 'http://app01/{C:1}' })[0]?.[1]).toMatch(/^Add a condition/);
});

test.each([
  'http://app01/odata/$metadata',
  'http://app01/{R:1}/$value?$filter=a',
  'http://app01/a%20b%2F%1F',
  'http://app01/HTTP_GUIDE.html',
  'http://app01/100%',
  'http://app01/us$5',
  'http://app01/x_HTTP_HOST',
  'http://app01:81/{R:1}#c:1',
])('the URL %s may be meant', (to) => {
  expect(one({ to })).toEqual([]);
});

test.each(['HTTPS', 'https', 'URL', '{HTTP_HOST}:443', 'user@{HTTP_HOST}', '{R:1}', ''])(
  'the value "%s" may be meant',
  (value) => {
    expect(one({ set: [['HTTP_X', value]] })).toEqual([]);
  },
);

test('a value without braces', () => {
  expect(one({ set: [['HTTP_X', 'HTTP_ACCEPT_ENCODING']] })).toEqual([
    'LG2249 HTTP_ACCEPT_ENCODING {HTTP_ACCEPT_ENCODING}',
  ]);
  expect(one({ set: [['HTTP_X', 'REMOTE_ADDR']] })).toEqual(['LG2249 REMOTE_ADDR {REMOTE_ADDR}']);
});

test('a number is a group where there are so many', () => {
  expect(one({ url: '(a)(b)', to: 'http://app01/$2' })).toEqual(['LG2249 $2 {R:2}']);
  expect(one({ url: '(a)(b)', to: 'http://app01/$3' })).toEqual([]);
});

test('words for people are not looked into', () => {
  expect(one({ action: 'type="CustomResponse" statusCode="403" statusDescription="$1 of HTTP_HOST"' })).toEqual([]);
});

describe('outbound rules', () => {
  test('headers and tags', () => {
    expect(outbound('$1; Secure', 'serverVariable="RESPONSE_SET_COOKIE"')).toEqual(['LG2249 $1 {R:1}']);
    expect(outbound('https://%{HTTP_HOST}/', 'filterByTags="A"')).toEqual(['LG2249 %{HTTP_HOST} {HTTP_HOST}']);
  });

  test('a script in a body has signs of its own', () => {
    expect(outbound("<script>x.replace(/a/, '$1')</script>", '')).toEqual([]);
  });

  test('a preCondition', () => {
    const rules = `<outboundRules><rule name="o" preCondition="p"><match serverVariable="RESPONSE_X" pattern="x" /><action type="None" /></rule>
      <preConditions><preCondition name="p"><add input="RESPONSE_CONTENT_TYPE" pattern="html" /></preCondition></preConditions></outboundRules>`;
    expect(cures(rulesXml([], rules))).toEqual(['LG2249 RESPONSE_CONTENT_TYPE {RESPONSE_CONTENT_TYPE}']);
  });
});

test('keys and values of maps are not expanded', () => {
  const map = `<rewriteMaps><rewriteMap name="M"><add key="/a" value="/b/{R:1}" /><add key="/c" value="{guid}" /></rewriteMap>
    <rewriteMap name="N"><add key="{HTTP_HOST}/a" value="/b" /></rewriteMap></rewriteMaps>`;
  expect(findings(rulesXml([{}], map), /LG2249/).map(({ text }) => text)).toEqual(['/a', '{HTTP_HOST}/a']);
});
