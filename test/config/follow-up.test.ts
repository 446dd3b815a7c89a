/** A refused value or section is one finding: what hangs on it is not told as well. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { checkLoaded } from '../../src/service/check-config.ts';
import { writeFiles } from './written.ts';

function codes(files: Readonly<Record<string, string>>): string[] {
  const first = Object.keys(files)[0] ?? '';
  return checkLoaded(loadFile(join(writeFiles(files), first))).diagnostics.map(({ code }) => code);
}

const rules = (inside: string) => ({ 'rules.config': `<rules><rule name="r">${inside}</rule></rules>` });

it.each([
  ['an empty url', '<match url="" /><action type="None" />', 'LG2004'],
  ['an untrimmed url', '<match url="x" /><action type="Redirect" url=" /y" />', 'LG2004'],
  ['a forbidden status', '<match url="x" /><action type="CustomResponse" statusCode="302" />', 'LG2004'],
  ['a misnamed url', '<match pattern="x" /><action type="None" />', 'LG2001'],
  [
    'a misnamed pattern',
    '<match url="x" /><conditions><add input="{URL}" value="x" /></conditions><action type="None" />',
    'LG2001',
  ],
])('%s', (_, inside, code) => {
  expect(codes(rules(inside))).toEqual([code]);
});

it('matchType that global rules do not have', () => {
  const inside =
    '<match url="x" /><conditions><add input="{URL}" matchType="IsFile" /></conditions><action type="None" />';
  expect(codes({ 'a.config': `<globalRules><rule name="r">${inside}</rule></globalRules>` })).toEqual(['LG2004']);
});

it('what else is wrong in the same element is told', () => {
  expect(codes(rules('<match url="(" foo="1" /><action type="Nothing" url="/{R:3}" />'))).toEqual([
    'LG2200',
    'LG2001',
    'LG2004',
  ]);
});

it('maps whose file cannot be read may define any name', () => {
  const rule = '<rule name="r"><match url="(.*)" /><action type="Redirect" url="/{Names:{R:1}}" /></rule>';
  const config = (maps: string) =>
    `<configuration><system.webServer><rewrite>${maps}<rules>${rule}</rules></rewrite></system.webServer></configuration>`;
  expect(codes({ 'web.config': config('<rewriteMaps configSource="maps.config" />') })).toEqual(['LG1001']);
  expect(codes({ 'web.config': config('<rewriteMaps />') })).toEqual(['LG2211']);
});

it('variables that a refused section allows are not called forbidden', () => {
  const allowed = '<allowedServerVariables><add name="HTTP_X" /></allowedServerVariables>';
  const rule =
    '<rule name="r"><match url="x" /><serverVariables><set name="HTTP_X" value="1" /></serverVariables><action type="None" /></rule>';
  expect(
    codes({
      'web.config': `<configuration><system.webServer><rewrite>${allowed}<rules>${rule}</rules></rewrite></system.webServer></configuration>`,
    }),
  ).toEqual(['LG1012']);
});
