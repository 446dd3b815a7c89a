/** A condition that compares something else than was meant is told as that: what follows from it for hosts is not told as well. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

const NAMES = ['meet', 'dialin', 'lyncdiscover', 'webext'];

function rule(name: string, input: string, pattern = `${name}.contoso.com`, syntax = 'Wildcard'): string {
  return `<rule name="${name}" patternSyntax="${syntax}" stopProcessing="true"><match url="*" />
<conditions><add input="${input}" pattern="${pattern}" /></conditions>
<action type="Rewrite" url="http://${name}.contoso.com/{R:0}" /></rule>`;
}

function farm(name: string): string {
  return `<webFarm name="${name}.contoso.com"><server address="${name}.contoso.local">
<applicationRequestRouting httpPort="8080" httpsPort="4443" /></server>
<applicationRequestRouting><affinity useCookie="true" /><protocol timeout="00:16:00" /></applicationRequestRouting></webFarm>`;
}

/** @param meet the rule for meet.contoso.com */
function codes(meet: string): string[] {
  const rules = [meet, ...[...NAMES.slice(1), 'mail'].map((name) => rule(name, '{HTTP_HOST}'))];
  const folder = writeFiles({
    'config/applicationHost.config': `<configuration><system.applicationHost><sites>
<site name="All" id="1"><bindings><binding protocol="http" bindingInformation="*:80:" />
<binding protocol="http" bindingInformation="*:80:mail.contoso.com" /></bindings></site>
</sites></system.applicationHost><system.webServer><proxy enabled="true" /><rewrite><globalRules>
${rules.join('\n')}</globalRules></rewrite></system.webServer>
<webFarms>${[...NAMES, 'mail'].map(farm).join('\n')}</webFarms></configuration>`,
    'config/settings.json': '{ "certificates": [] }',
  });
  return [...new Set(checkConfig(join(folder, 'config')).diagnostics.map(({ code }) => code))];
}

test('as it should be', () => {
  expect(codes(rule('meet', '{HTTP_HOST}'))).toEqual([]);
});

test.each([
  ['a variable with changed letters', rule('meet', '{HTTP_HSOT}'), 'LG2252'],
  ['a variable without braces', rule('meet', 'HTTP_HOST'), 'LG2249'],
  ['an expression as a wildcard', rule('meet', '{HTTP_HOST}', '^meet\\.contoso\\.com$'), 'LG2203'],
  ['a URL', rule('meet', '{HTTP_HOST}', 'https://meet.contoso.com'), 'LG2304'],
  ['a path', rule('meet', '{HTTP_HOST}', 'meet.contoso.com/*'), 'LG2304'],
  ['a blank', rule('meet', '{HTTP_HOST}', 'meet.contoso.com '), 'LG2304'],
])('%s', (_name, meet, code) => {
  expect(codes(meet)).toEqual([code]);
});
