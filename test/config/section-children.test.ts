/** Elements that IIS does not know in sections which nothing here carries out. */
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadFile } from '../../src/config/load-config.ts';
import { unmark, writeFiles } from './written.ts';

function load(inside: string, name = 'web.config') {
  const { text, places } = unmark(`<configuration><system.webServer>${inside}</system.webServer></configuration>`);
  return { ...loadFile(join(writeFiles({ [name]: text }), name)), text, places };
}

describe('an element that is unknown', () => {
  it.each([
    ['httpProtocol', '<httpProtocol><«customHeader»><add name="a" value="b" /></customHeader></httpProtocol>'],
    ['customHeaders', '<httpProtocol><customHeaders><«header» name="a" value="b" /></customHeaders></httpProtocol>'],
    ['staticContent', '<staticContent><«add» fileExtension=".x" mimeType="a/b" /></staticContent>'],
    ['staticContent, in other letters', '<staticContent><«mimemap» fileExtension=".x" mimeType="a/b" /></staticContent>'],
    ['requestFiltering', '<security><requestFiltering><«requestLimit» maxUrl="1" /></requestFiltering></security>'],
    ['headerLimits', '<security><requestFiltering><requestLimits><headerLimits><«header» /></headerLimits></requestLimits></requestFiltering></security>'],
    ['filteringRules', '<security><requestFiltering><filteringRules><filteringRule name="a"><«scanHeader» /></filteringRule></filteringRules></requestFiltering></security>'],
    ['httpErrors', '<httpErrors><«errors» statusCode="404" path="a" /></httpErrors>'],
    ['defaultDocument', '<defaultDocument><«add» value="index.php" /></defaultDocument>'],
    ['handlers', '<handlers><«handler» name="a" /></handlers>'],
    ['httpRedirect, of something else', '<httpRedirect><«rule» /></httpRedirect>'],
    ['an element within an entry', '<handlers><add name="a" path="*" verb="*"><«settings» /></add></handlers>'],
    ['asp', '<asp><«sessions» /></asp>'],
    ['iisClientCertificateMappingAuthentication', '<security><authentication><iisClientCertificateMappingAuthentication><«foo» /></iisClientCertificateMappingAuthentication></authentication></security>'],
    ['the rules of a mapping', '<security><authentication><iisClientCertificateMappingAuthentication><manyToOneMappings><add name="a"><rules><«rule» /></rules></add></manyToOneMappings></iisClientCertificateMappingAuthentication></authentication></security>'],
    ['clientCertificateMappingAuthentication', '<security><authentication><clientCertificateMappingAuthentication><«add» /></clientCertificateMappingAuthentication></authentication></security>'],
    ['httpTracing', '<httpTracing><«add» value="/" /></httpTracing>'],
    ['a section that holds none', '<urlCompression><«add» /></urlCompression>'],
  ])('%s', (_, inside) => {
    const { diagnostics, text, places } = load(inside);
    const errors = diagnostics.filter(({ severity }) => severity === 'error');
    const [place = [0, 0]] = places;
    expect(errors.map(({ code, span, iis }) => [code, span.start, span.end, iis])).toEqual([
      ['LG1029', ...place, { status: '500.19', text: `Unrecognized element '${text.slice(...place)}'` }],
    ]);
  }); // biome-ignore format: one row, one line

  it('in applicationHost.config too', () => {
    const { diagnostics } = load('<serverRuntime><x /></serverRuntime>', 'applicationHost.config');
    expect(diagnostics.map(({ code }) => code)).toEqual(['LG1029']);
  });

  it('the name that was meant is the cure', () => {
    const [found] = load('<httpProtocol><customHeader /></httpProtocol>').diagnostics;
    expect(found?.advice).toBe('Write customHeaders: did you mean that element?');
  });

  it.each([
    '<security><requestFilter /></security>',
    '<security><authentication><formsAuthentication /></authentication></security>',
  ])('a group has sections: %s is none', (inside) => {
    expect(load(inside).diagnostics.map(({ code }) => code)).toEqual(['LG1008']);
  });

  it('what else is wrong is told all the same', () => {
    const rule = '<rule name="r"><match url="a" /><action type="Rewrite" url="ftp://a/" /></rule>';
    const { config } = load(`<urlCompression><add /></urlCompression><rewrite><rules>${rule}</rules></rewrite>`);
    expect(config?.misread).toBeUndefined();
  });
});

it('whole sections as IIS has them are accepted', () => {
  const inside = `
    <caching><profiles><clear /><add extension=".a" policy="DontCache" /></profiles></caching>
    <defaultDocument><files><remove value="a" /><add value="b" /></files></defaultDocument>
    <httpCompression><scheme name="gzip" dll="a" /><staticTypes><add mimeType="a/b" enabled="true" /></staticTypes><dynamicTypes><clear /></dynamicTypes></httpCompression>
    <httpErrors><remove statusCode="404" /><error statusCode="404" path="a" /></httpErrors>
    <httpProtocol><customHeaders><remove name="a" /></customHeaders><redirectHeaders><clear /></redirectHeaders></httpProtocol>
    <staticContent><clientCache cacheControlMode="DisableCache" /><remove fileExtension=".a" /><mimeMap fileExtension=".a" mimeType="a/b" /></staticContent>
    <modules><remove name="a" /><add name="b" /></modules>
    <security><requestFiltering><requestLimits maxUrl="4096"><headerLimits><clear /></headerLimits></requestLimits>
      <verbs><clear /></verbs><alwaysAllowedUrls><clear /></alwaysAllowedUrls><denyQueryStringSequences><clear /></denyQueryStringSequences></requestFiltering></security>
    <tracing><traceFailedRequests><add path="*"><traceAreas><add provider="a" /></traceAreas><failureDefinitions statusCodes="500" /></add></traceFailedRequests></tracing>
    <urlCompression configProtectionProvider="p"><EncryptedData /></urlCompression>
    <unheardOf />`;
  const own =
    '<configSections><sectionGroup name="system.webServer"><section name="unheardOf" /></sectionGroup></configSections>';
  const file = `<configuration>${own}<system.webServer>${inside}</system.webServer></configuration>`;
  const { diagnostics } = loadFile(join(writeFiles({ 'web.config': file }), 'web.config'));
  // That something is filtered is told.
  expect(diagnostics.map(({ code }) => code)).toEqual(['LG1016']);
});

it('so are those that the server has alone, or locks', () => {
  const inside = `
    <asp><session allowSessionState="true" /><comPlus /><cache diskTemplateCacheDirectory="a" /><limits /></asp><cgi /><odbcLogging /><serverSideInclude />
    <fastCgi><application fullPath="a"><environmentVariables><environmentVariable name="a" value="b" /></environmentVariables></application></fastCgi>
    <globalModules><add name="a" image="b" /></globalModules><httpTracing><traceUrls><add value="/" /></traceUrls></httpTracing>
    <security><applicationDependencies><application name="a" groupId="b"><add groupId="c" /></application></applicationDependencies>
      <isapiCgiRestriction><add path="a" allowed="true" /></isapiCgiRestriction>
      <authentication><clientCertificateMappingAuthentication /><iisClientCertificateMappingAuthentication>
        <manyToOneMappings><add name="a"><rules><add certificateField="Subject" /></rules></add></manyToOneMappings>
        <oneToOneMappings><clear /><add userName="a" /></oneToOneMappings></iisClientCertificateMappingAuthentication></authentication></security>
    <tracing><traceProviderDefinitions><add name="a" guid="b"><areas><clear /><add name="c" value="2" /></areas></add></traceProviderDefinitions></tracing>`;
  expect(load(inside, 'applicationHost.config').diagnostics).toEqual([]);
});
