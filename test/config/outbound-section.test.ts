import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig, loadFile } from '../../src/config/load-config.ts';
import { writeFiles } from './written.ts';

const settings = '{ "bindings": [{ "port": 8080, "protocol": "http", "site": "S" }] }';

test('an outbound rule with everything in it', () => {
  const file = join(
    writeFiles({
      'web.config': `<rewrite><outboundRules rewriteBeforeCache="true">
        <rule name="r" preCondition="p" patternSyntax="ExactMatch" stopProcessing="true">
          <match filterByTags="A, Img, CustomTags" customTags="t" serverVariable="RESPONSE_X" pattern="x" occurrences="2" ignoreCase="false" negate="true" />
          <conditions logicalGrouping="MatchAny"><add input="{URL}" pattern="y" /></conditions>
          <action type="Rewrite" value="z" replace="false" />
        </rule>
        <preConditions><preCondition name="P" logicalGrouping="MatchAny" patternSyntax="Wildcard"><add input="{RESPONSE_STATUS}" pattern="3*" negate="true" /></preCondition></preConditions>
        <customTags><tags name="T"><tag name="video" attribute="poster" /><tag name="a" attribute="ping" /></tags></customTags>
      </outboundRules></rewrite>`,
    }),
    'web.config',
  );
  const { config, diagnostics } = loadFile(file);
  expect(diagnostics).toEqual([]);
  const outbound = config?.sites[0]?.scopes[0]?.ruleSet.outbound;
  const text = (value: string) => expect.objectContaining({ value });
  expect(outbound?.rules).toEqual([
    {
      span: expect.anything(),
      name: text('r'),
      preCondition: text('p'),
      enabled: true,
      stopProcessing: true,
      patternSyntax: 'ExactMatch',
      match: {
        span: expect.anything(),
        filterByTags: ['A', 'Img', 'CustomTags'],
        customTags: text('t'),
        serverVariable: text('RESPONSE_X'),
        pattern: text('x'),
        occurrences: 2,
        ignoreCase: false,
        negate: true,
      },
      conditions: expect.objectContaining({ logicalGrouping: 'MatchAny', trackAllCaptures: true }),
      action: { span: expect.anything(), type: 'Rewrite', value: text('z'), replace: false },
    },
  ]);
  expect(outbound?.preConditions).toMatchObject([
    {
      name: { value: 'P' },
      patternSyntax: 'Wildcard',
      conditions: { logicalGrouping: 'MatchAny', entries: [{ pattern: { value: '3*' }, negate: true }] },
    },
  ]);
  expect(outbound?.customTags).toMatchObject([
    {
      name: { value: 'T' },
      tags: [
        { name: 'video', attribute: 'poster' },
        { name: 'a', attribute: 'ping' },
      ],
    },
  ]);
});

test('levels are merged in their order, each name against all of them', () => {
  const rule = (name: string, more = '') => `<rule name="${name}" ${more}><match pattern="x" /></rule>`;
  const section = (inside: string) => `<outboundRules>${inside}</outboundRules>`;
  const folder = writeFiles({
    'settings.json': settings,
    'applicationHost.config': `<configuration><system.webServer><rewrite>${section(
      `${rule('server')}${rule('gone')}<preConditions><preCondition name="p" /></preConditions>`,
    )}</rewrite></system.webServer></configuration>`,
    'sites/S/web.config': `<configuration><system.webServer><rewrite>${section(
      `<remove name="Gone" />${rule('site', 'preCondition="P"')}${rule('none', 'preCondition="q"')}`,
    )}</rewrite></system.webServer></configuration>`,
    'sites/S/app/web.config': `<configuration><system.webServer><rewrite>${section(
      `<clear />${rule('app', 'preCondition="p"')}`,
    )}</rewrite></system.webServer></configuration>`,
  });
  const { config, diagnostics } = loadConfig(folder);
  expect(diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
    'LG2009 There is no preCondition "q"; the rule is never run.',
  ]);
  const scopes = config?.sites[0]?.scopes.map(({ path, ruleSet }) => [
    path,
    ruleSet.outbound?.rules.map(({ name }) => name.value),
  ]);
  expect(scopes).toEqual([
    ['/app', ['app']],
    ['/', ['server', 'site', 'none']],
  ]);
  expect(config?.globalRules.outbound).toBeUndefined();
});

test('without outbound rules there is nothing in the model', () => {
  const file = join(
    writeFiles({ f: '<outboundRules><preConditions><preCondition name="p" /></preConditions></outboundRules>' }),
    'f',
  );
  expect(loadFile(file).config?.sites[0]?.scopes.map(({ ruleSet }) => ruleSet.outbound)).toEqual([undefined]);
});
