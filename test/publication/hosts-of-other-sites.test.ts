/** LG2304: a host that another site takes never comes to a rule of this one, whose binding takes many. */
import { expect, test } from 'vitest';
import { ruleXml, told } from '../rewrite/told.ts';

function of(own: readonly string[], others: readonly string[], host: string): string[] {
  const bindings = (all: readonly string[]) =>
    all
      .map((each) => `<binding protocol="${each.split(' ')[0]}" bindingInformation="${each.split(' ')[1]}" />`)
      .join('');
  const rule = ruleXml({ when: [['{HTTP_HOST}', host]] });
  return told(
    'LG2304',
    `<configuration><system.applicationHost><sites>
      <site name="A" id="1"><application path="/" /><bindings>${bindings(own)}</bindings></site>
      <site name="B" id="2"><application path="/" /><bindings>${bindings(others)}</bindings></site></sites></system.applicationHost>
      <location path="A"><system.webServer><rewrite><rules>${rule}</rules></rewrite></system.webServer></location></configuration>`,
  );
}

const X = '^x\\.contoso\\.com$';

test.each<[string, string[], string[], string]>([
  ['by a wildcard', ['http *:80:*.contoso.com'], ['http *:80:x.contoso.com'], X],
  ['as any', ['http *:80:'], ['http *:80:x.contoso.com'], X],
  ['as any, where the other has a wildcard', ['http *:80:'], ['http *:80:*.contoso.com'], X],
  [
    'at the only address',
    ['http *:80:', 'http 10.0.0.1:80:'],
    ['http *:80:x.contoso.com', 'http 10.0.0.1:80:x.contoso.com'],
    X,
  ],
])('taken away: %s', (_, own, others, host) => {
  expect(of(own, others, host)).toEqual([host]);
});

test.each<[string, string[], string[], string]>([
  ['on another port', ['http *:80:', 'https *:443:'], ['http *:80:x.contoso.com'], X],
  ['at another address', ['http *:80:', 'http 10.0.0.1:80:'], ['http *:80:x.contoso.com'], X],
  ['named by both at ports of their own', ['http *:80:x.contoso.com'], ['http *:8080:x.contoso.com'], X],
  ['one of two hosts', ['http *:80:'], ['http *:80:x.contoso.com'], '^(x|y)\\.contoso\\.com$'],
  ['a pattern for many', ['http *:80:'], ['http *:80:x.contoso.com'], 'contoso'],
])('some are left: %s', (_, own, others, host) => {
  expect(of(own, others, host)).toEqual([]);
});
