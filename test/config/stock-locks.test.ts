/** Sections that IIS locks by default: what applicationHost.config says of them decides, and without a word of it a warning does. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { checkConfig } from '../../src/service/check-config.ts';
import { writeFiles } from './written.ts';

const SITES =
  '<system.applicationHost><sites><site name="S" id="1"><application path="/" /><bindings>' +
  '<binding protocol="http" bindingInformation="*:80:" /></bindings></site></sites></system.applicationHost>';
const web = (inside: string) => `<configuration><system.webServer>${inside}</system.webServer></configuration>`;
const declared = (...sections: string[]) =>
  `<configSections><sectionGroup name="system.webServer">${sections.map((each) => `<section ${each} />`).join('')}</sectionGroup></configSections>`;

/** Codes, each with the element or text that it stands at. */
function levels(host: string, site: string, settings = '{ "certificates": [] }'): string[] {
  const folder = writeFiles({
    'applicationHost.config': `<configuration>${host}</configuration>`,
    'settings.json': settings,
    'sites/S/web.config': web(site),
  });
  const { diagnostics, sources } = checkConfig(folder);
  return diagnostics.map(({ code, span }) => `${code} ${sources.get(span.file)?.slice(span.start, span.end)}`);
}

function alone(inside: string): string[] {
  const file = join(writeFiles({ 'web.config': web(inside) }), 'web.config');
  return loadFile(file).diagnostics.map(({ code, severity }) => `${code} ${severity}`);
}

describe('a web.config by itself', () => {
  it.each([
    '<webSocket enabled="true" />',
    '<serverRuntime uploadReadAheadSize="49152" />',
    '<asp enableParentPaths="true" />',
    '<isapiFilters><filter name="a" path="a.dll" /></isapiFilters>',
    '<cgi />',
    '<httpLogging dontLog="true" />',
    '<security><access sslFlags="None" /></security>',
    '<security><ipSecurity /></security>',
    '<security><authentication><anonymousAuthentication enabled="true" /></authentication></security>',
    '<security><authentication><windowsAuthentication enabled="false" /></authentication></security>',
    '<webdav><authoring enabled="false" /></webdav>',
  ])('%s is locked by default', (inside) => {
    expect(alone(inside)).toEqual(['LG1022 warning']);
  });

  it.each([
    '<handlers><add name="a" path="*" verb="*" modules="M" /></handlers>',
    '<modules runAllManagedModulesForAllRequests="true" />',
    '<httpErrors errorMode="Detailed" />',
    '<httpProtocol><customHeaders><clear /></customHeaders></httpProtocol>',
    '<staticContent><mimeMap fileExtension=".x" mimeType="text/x" /></staticContent>',
    '<security><requestFiltering /><authorization><add accessType="Allow" users="*" /></authorization></security>',
    '<defaultDocument /><directoryBrowse /><urlCompression /><validation /><httpCompression /><caching />',
  ])('%s may stand there', (inside) => {
    expect(alone(inside)).toEqual([]);
  });

  it.each(['proxy enabled="true"', 'diskCache', 'fastCgi', 'globalModules'])('<%s> is for the server alone', (name) => {
    expect(alone(`<${name} />`)).toEqual(['LG1012 error']);
  });

  it('a <proxy> that is refused is the one finding: the rule that needs it is not judged by it', () => {
    const rule = '<rule name="r" stopProcessing="true"><match url="(.*)" /><action type="Rewrite" url="http://b/{R:1}" /></rule>'; // biome-ignore format: one line
    const site = `<proxy enabled="true" /><rewrite><rules>${rule}</rules></rewrite>`;
    expect(levels(SITES, site)).toEqual(['LG1012 proxy']);
  });

  it('nothing is known of where a fragment stands', () => {
    const file = join(writeFiles({ f: '<system.webServer><webSocket enabled="true" /></system.webServer>' }), 'f');
    expect(loadFile(file).diagnostics).toEqual([]);
  });
});

describe('with an applicationHost.config', () => {
  const socket = '<webSocket enabled="true" />';
  const proxy = '<proxy enabled="true" />';
  const deny = declared('name="webSocket" overrideModeDefault="Deny"');
  it.each<[string, string, string, string[]]>([
    ['that says nothing of it', SITES, socket, ['LG1022 webSocket']],
    ['that declares other sections', `${declared('name="own"')}${SITES}`, socket, ['LG1022 webSocket']],
    ['that declares it open', `${declared('name="webSocket" overrideModeDefault="Allow"')}${SITES}`, socket, []],
    ['that declares it without a word', `${declared('name="webSocket"')}${SITES}`, socket, []],
    ['that declares it locked', `${deny}${SITES}`, socket, ['LG1012 webSocket']],
    ['that unlocks it', `${SITES}<location path="" overrideMode="Allow"><system.webServer><webSocket /></system.webServer></location>`, socket, []],
    ['that declares it locked, and unlocks it for the site', `${deny}${SITES}<location path="S" overrideMode="Allow"><system.webServer><webSocket /></system.webServer></location>`, socket, []],
    ['that locks it once more', `${SITES}<location path="S" overrideMode="Deny"><system.webServer><webSocket /></system.webServer></location>`, socket, ['LG1012 webSocket']],
    ['proxy: declared open', `${declared('name="proxy" overrideModeDefault="Allow"')}${SITES}`, proxy, []],
    ['proxy: declared for the server alone', `${declared('name="proxy" overrideModeDefault="Deny" allowDefinition="AppHostOnly"')}${SITES}`, proxy, ['LG1012 proxy']],
    ['proxy: no location unlocks it', `${SITES}<location path="" overrideMode="Allow"><system.webServer><proxy enabled="true" /></system.webServer></location>`, proxy, ['LG1012 proxy']],
    ['proxy: not for one site there either', `${SITES}<location path="S"><system.webServer><proxy enabled="true" /></system.webServer></location>`, '', ['LG1012 proxy']],
  ])('%s', (_, host, site, expected) => {
    expect(levels(host, site)).toEqual(expected);
  }); // biome-ignore format: one row, one line

  it('to acknowledge that it is not carried out makes it no better on IIS', () => {
    const settings = '{ "certificates": [], "acknowledge": ["webSocket"] }';
    expect(levels(SITES, socket, settings)).toEqual(['LG1022 webSocket']);
  });

  it.each<[string, string, string, string]>([
    [
      '<security><authentication><anonymousAuthentication enabled="false" /></authentication></security>',
      'LG1017 <anonymousAuthentication enabled="false" />',
      'LG1022 anonymousAuthentication',
      'Guard it in another place and then move it to applicationHost.config, into <location path="S"> if only this site needs it, and add "security/authentication/anonymousAuthentication" to "acknowledge" in settings.json.',
    ],
    [
      '<webSocket enabled="false" />',
      'LG1016 <webSocket enabled="false" />',
      'LG1022 webSocket',
      'If that is not needed here, remove it or move it to applicationHost.config, into <location path="S"> if only this site needs it, and add "webSocket" to "acknowledge" in settings.json.',
    ],
  ])('locked, and not carried out either: %s', (site, one, acknowledged, advice) => {
    expect(levels(SITES, site)).toEqual([one]);
    const settings =
      '{ "certificates": [], "acknowledge": ["security/authentication/anonymousAuthentication", "webSocket"] }';
    expect(levels(SITES, site, settings)).toEqual([acknowledged]);
    const folder = writeFiles({
      'applicationHost.config': `<configuration>${SITES}</configuration>`,
      'settings.json': '{ "certificates": [] }',
      'sites/S/web.config': web(site),
    });
    const [found] = checkConfig(folder).diagnostics;
    expect(found?.message).toMatch(/ IIS refuses it in a web\.config unless applicationHost\.config unlocks it, /);
    expect([found?.advice, found?.iis?.status]).toEqual([advice, '500.19']);
    // There it stands where IIS reads it, and the finding is what is left of it.
    const moved = `${SITES}<location path="S"><system.webServer>${site}</system.webServer></location>`;
    expect(levels(moved, '', settings)).toEqual([]);
  });
});
