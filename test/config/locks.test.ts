import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { unmark, writeFiles } from './written.ts';

const site =
  '<system.applicationHost><sites><site name="S" id="1"><application path="/" /><application path="/app" />' +
  '<bindings><binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost>';
const rewrite = (inside: string) => `<system.webServer><rewrite>${inside}</rewrite></system.webServer>`;
const host = (inside: string, extra = '') => `<configuration>${extra}${site}${inside}</configuration>`;
const web = (inside: string) => `<configuration>${inside}</configuration>`;
const rule = (name: string, more = '') => `<rule name="${name}"${more}><match url="x" /></rule>`;
const location = (path: string, attributes: string, inside: string) =>
  `<location path="${path}" ${attributes}>${inside}</location>`;

const names = ['applicationHost.config', 'sites/S/web.config', 'sites/S/app/web.config'];

/** What is refused where: `«…»` in the file of the level, outermost first; none: all is well. */
const cases: readonly (readonly [what: string, code: string, ...levels: string[]])[] = [
  [
    'an attribute',
    'LG1023',
    host(rewrite('<rules lockAttributes="useOriginalURLEncoding" />')),
    web(rewrite('<rules useOriginalURLEncoding="«true»" />')),
  ],
  [
    'every attribute but one',
    'LG1023',
    host(
      rewrite('<outboundRules lockAllAttributesExcept="" /><rules lockAllAttributesExcept="useOriginalURLEncoding" />'),
    ),
    web(rewrite('<outboundRules rewriteBeforeCache="«true»" /><rules useOriginalURLEncoding="true" />')),
  ],
  ['an element', 'LG1023', host(rewrite('<rules lockElements="clear" />')), web(rewrite('<rules><«clear» /></rules>'))],
  [
    'every element but one, two levels below',
    'LG1023',
    host(rewrite(`<rules lockAllElementsExcept="rule, remove">${rule('a')}</rules>`)),
    web(rewrite(`<rules><remove name="a" />${rule('b')}</rules>`)),
    web(rewrite('<rules><«clear» /></rules>')),
  ],
  [
    'all elements',
    'LG1023',
    host(rewrite('<rules lockElements="*" />')),
    web(rewrite('<rules><«rule» name="a" /></rules>')),
  ],
  [
    'a part of a section',
    'LG1023',
    host(rewrite('<outboundRules lockElements="preConditions" />')),
    web(rewrite('<outboundRules><«preConditions» /></outboundRules>')),
  ],
  [
    'an element inside a part',
    'LG1023',
    host(rewrite('<outboundRules><preConditions lockElements="preCondition" /></outboundRules>')),
    web(rewrite('<outboundRules><preConditions><«preCondition» name="p" /></preConditions></outboundRules>')),
  ],
  [
    'an entry against remove',
    'LG1023',
    host(rewrite(`<rules>${rule('a', ' lockItem="true"')}${rule('b')}</rules>`)),
    web(rewrite('<rules><remove name="b" /><«remove» name="A" /></rules>')),
  ],
  [
    'an entry against clear',
    'LG1023',
    web(`${site}${rewrite(`<rules>${rule('a', ' lockItem="true"')}</rules>`)}`),
    web(rewrite('<rules><«clear» /></rules>')),
  ],
  [
    'a whole section',
    'LG1023',
    host(rewrite('<rules lockItem="true" />')),
    web(rewrite('<rules><«rule» name="a" /></rules>')),
  ],
  ['nothing at its own level', '', host(rewrite(`<rules>${rule('a', ' lockItem="true"')}<clear /></rules>`))],
  [
    'nothing where it says false',
    '',
    host(rewrite(`<rules>${rule('a', ' lockItem="false"')}</rules>`)),
    web(rewrite('<rules><clear /></rules>')),
  ],
  [
    'a location of the same file',
    'LG1023',
    host(rewrite('<rules lockElements="clear" />') + location('S/app', '', rewrite('<rules><«clear» /></rules>'))),
  ],
  [
    'attributes of sections that nothing here reads',
    'LG1023',
    host('<system.webServer><httpErrors lockAttributes="defaultPath" /></system.webServer>'),
    web('<system.webServer><httpErrors defaultPath="«x»" errorMode="Custom" /></system.webServer>'),
  ],
  [
    'entries of sections that nothing here reads',
    'LG1023',
    host(
      '<system.webServer><modules><add type="t" name="M" lockItem="true" /><add name="N" /></modules></system.webServer>',
    ),
    web('<system.webServer><modules><remove name="n" /><«remove» name="m" /></modules></system.webServer>'),
  ],
  [
    'one kind of entry of sections that nothing here reads',
    '',
    host(
      '<system.webServer><staticContent><mimeMap fileExtension=".x" lockItem="true" /></staticContent></system.webServer>',
    ),
    web('<system.webServer><staticContent><mimeMap fileExtension=".y" /></staticContent></system.webServer>'),
  ],
  [
    'a section by location',
    'LG1012',
    host(location('S', 'overrideMode="Deny"', rewrite('<rules />'))),
    web(rewrite('<«rules» />')),
  ],
  [
    'a section by the old attribute',
    'LG1012',
    host(location('', 'allowOverride="false"', rewrite('<rules />'))),
    web(''),
    web(rewrite('<«rules» />')),
  ],
  [
    'a section of one folder',
    'LG1012',
    host(location('S/app', 'overrideMode="Deny"', rewrite('<rules />'))),
    web(rewrite('<rules />')),
    web(rewrite('<«rules» />')),
  ],
  [
    'a section where a file above reaches into the folder',
    'LG1012',
    host(location('S/app', 'overrideMode="Deny"', rewrite('<rules />'))),
    web(location('app', '', rewrite('<«rules» />'))),
  ],
  [
    'nothing where a deeper location allows it',
    '',
    host(
      location('', 'overrideMode="Deny"', rewrite('<rules />')) +
        location('S', 'overrideMode="Allow"', rewrite('<rewriteMaps /><rules />')),
    ),
    web(rewrite('<rules />')),
  ],
  [
    'a section in a web.config, for those below it',
    'LG1012',
    host(''),
    web(location('.', 'overrideMode="Deny"', rewrite(`<rules>${rule('a')}</rules>`))),
    web(rewrite('<«rules» />')),
  ],
  [
    'a section that a locked file would unlock',
    'LG1012',
    host(location('S', 'overrideMode="Deny"', rewrite('<rules />'))),
    web(location('app', 'overrideMode="Allow"', rewrite('<«rules» />'))),
  ],
  [
    'a section by its declaration',
    'LG1012',
    host(
      '',
      '<configSections><sectionGroup name="system.webServer"><sectionGroup name="rewrite">' +
        '<section name="rules" overrideModeDefault="Deny" /></sectionGroup></sectionGroup></configSections>',
    ),
    web(rewrite('<«rules» />')),
  ],
  [
    'a section for the server alone, whatever a location allows',
    'LG1012',
    host(
      location('', 'overrideMode="Allow"', rewrite('<rules />')),
      '<configSections><sectionGroup name="system.webServer"><sectionGroup name="rewrite">' +
        '<section name="rules" allowDefinition="AppHostOnly" /></sectionGroup></sectionGroup></configSections>',
    ),
    web(rewrite('<«rules» />')),
  ],
  [
    'a declaration that is there already',
    'LG1010',
    host(
      '',
      '<configSections><sectionGroup name="system.webServer"><section name="mine" /></sectionGroup></configSections>',
    ),
    web(
      '<configSections><sectionGroup name="system.webServer"><«section» name="mine" /></sectionGroup></configSections>',
    ),
  ],
];

describe('locks over the levels refuse', () => {
  it.each(cases.map(([what, code, ...levels]) => ({ what, code, levels })))('$what', ({ code, levels }) => {
    const marked = levels.map(unmark);
    const folder = writeFiles(Object.fromEntries(marked.map(({ text }, index) => [names[index] ?? '', text])));
    const found = loadConfig(folder).diagnostics.map(({ code, span, iis }) => ({
      code,
      file: span.file,
      place: [span.start, span.end],
      ...(code === 'LG1023' ? { text: iis?.text } : {}),
    }));
    const wanted = marked.flatMap(({ places }, index) =>
      places.map((place) => ({
        code,
        file: join(folder, names[index] ?? ''),
        place: [...place],
        ...(code === 'LG1023' ? { text: 'Lock violation' } : {}),
      })),
    );
    expect(found).toEqual(wanted);
    expect(wanted.length > 0).toBe(code !== '');
  });

  it('say where the lock stands', () => {
    const folder = writeFiles({
      'applicationHost.config': host(location('S', 'overrideMode="Deny"', rewrite('<rules />'))),
      'sites/S/web.config': web(rewrite('<rules />')),
    });
    const [found] = loadConfig(folder).diagnostics;
    expect(found?.related?.span.file).toBe(join(folder, 'applicationHost.config'));
  });

  it('come with a configSource too, and the limit of IIS holds for its file', () => {
    const folder = writeFiles({
      'applicationHost.config': host(''),
      'sites/S/web.config': web(rewrite('<rules configSource="r.config" lockElements="clear" />')),
      'sites/S/r.config': `<rules>${rule('a')}<!-- ${'x'.repeat(256_001)} --></rules>`,
      'sites/S/app/web.config': web(rewrite('<rules><clear /></rules>')),
      'sites/S/app/b/web.config': web(rewrite('<rules configSource="bad.config" />')),
      'sites/S/app/b/bad.config': '<rules>',
    });
    expect(
      loadConfig(folder).diagnostics.map(({ code, span, iis }) => [code, span.file.slice(folder.length), iis?.text]),
    ).toEqual([
      ['LG1023', '/sites/S/app/web.config', 'Lock violation'],
      ['LG1004', '/sites/S/r.config', 'Cannot read configuration file because it exceeds the maximum file size'],
      ['LG1002', '/sites/S/app/b/bad.config', 'Specified configSource cannot be parsed'],
    ]);
  });
});
