import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig, loadFile } from '../../src/config/load-config.ts';
import { toJson } from '../../src/config/print-diagnostic.ts';
import { unmark, writeFiles } from './written.ts';

type Case = readonly [
  what: string,
  code: string,
  marked: string,
  iisText?: string | undefined,
  status?: string | undefined,
];

const rule = (inside: string, attributes = 'name="r"') => `<rules>\n  <rule ${attributes}>${inside}</rule>\n</rules>`;
const action = (attributes: string) => rule(`<match url="x" /><action ${attributes} />`);

const ruleCases: readonly Case[] = [
  ['unknown attribute', 'LG2001', action('type="None" «foo»="1"'), "Unrecognized attribute 'foo'", '500.52'],
  ['attribute in the wrong case', 'LG2001', rule('', 'name="r" «Enabled»="true"'), "Unrecognized attribute 'Enabled'"],
  ['type on a condition', 'LG2001', rule('<conditions><add input="x" «type»="Pattern" pattern="y" /></conditions>')],
  ['unknown element', 'LG2002', rule('<«foo» />'), "Unrecognized element 'foo'"],
  ['clear in conditions', 'LG2002', rule('<conditions><«clear» /></conditions>'), "Unrecognized element 'clear'"],
  ['rule without name', 'LG2003', '<rules><«rule» /></rules>', "Missing required attribute 'name'"],
  ['variable without name', 'LG2003', rule('<serverVariables><«set» value="1" /></serverVariables>')],
  [
    'unknown redirectType',
    'LG2004',
    action('type="Redirect" redirectType="«301»"'),
    "The 'redirectType' attribute is invalid.  Enum must be one of Permanent, Found, SeeOther, Temporary",
  ],
  ['faulty bool', 'LG2004', rule('', 'name="r" enabled="«yes»"'), "The 'enabled' attribute is invalid."],
  [
    'statusCode that is a redirect',
    'LG2004',
    action('type="CustomResponse" statusCode="«301»"'),
    "The 'statusCode' attribute is invalid.  Integer value must not be between 300 and 307 inclusive",
  ],
  [
    'statusCode that is no number',
    'LG2004',
    action('type="CustomResponse" statusCode="«+4»"'),
    "The 'statusCode' attribute is invalid.  Not a valid unsigned integer",
  ],
  [
    'subStatusCode out of range',
    'LG2004',
    action('type="CustomResponse" statusCode="404" subStatusCode="«1000»"'),
    "The 'subStatusCode' attribute is invalid.  Integer value must be between 0 and 999 inclusive",
  ],
  [
    'empty url of match',
    'LG2004',
    rule('<match «url=""» />'),
    "The 'url' attribute is invalid.  String must not be empty",
  ],
  ['untrimmed url of action', 'LG2004', action('type="Rewrite" url="« /x»"'), "The 'url' attribute is invalid."],
  [
    'duplicate rule name in another case',
    'LG2005',
    '<rules><rule name="a" /><rule name="«A»" /></rules>',
    "Cannot add duplicate collection entry of type 'rule' with unique key attribute 'name' set to 'A'",
  ],
  [
    'duplicate variable',
    'LG2005',
    rule('<serverVariables><set name="a" /><set name="«A»" /></serverVariables>'),
    "Cannot add duplicate collection entry of type 'set' with unique key attribute 'name' set to 'A'",
  ],
  [
    'duplicate map key',
    'LG2005',
    '<rewriteMaps><rewriteMap name="m"><add key="k" value="1" /><add key="«k»" value="2" /></rewriteMap></rewriteMaps>',
    "Cannot add duplicate collection entry of type 'add' with unique key attribute 'key' set to 'k'",
  ],
  [
    'map keys that differ in case',
    'LG2010',
    '<rewriteMaps><rewriteMap name="m"><add key="k" value="1" /><add key="«K»" value="2" /></rewriteMap></rewriteMaps>',
  ],
  [
    'duplicate condition of a global rule',
    'LG2005',
    '<globalRules><rule name="r"><conditions><add input="a" pattern="b" /><add input="«a»" pattern="b" /></conditions></rule></globalRules>',
    "Cannot add duplicate collection entry of type 'add' with combined key attributes 'input, matchType, pattern, ignoreCase, negate' respectively set to 'a, Pattern, b, true, false'",
    '500.51',
  ],
  [
    'IsFile in a global rule',
    'LG2004',
    '<globalRules><rule name="r"><conditions><add matchType="«IsFile»" /></conditions></rule></globalRules>',
    "The 'matchType' attribute is invalid.  Enum must be one of Pattern",
  ],
  [
    'logRewrittenUrl in a global rule',
    'LG2001',
    '<globalRules><rule name="r"><action type="None" «logRewrittenUrl»="true" /></rule></globalRules>',
    "Unrecognized attribute 'logRewrittenUrl'",
  ],
  ['two matches', 'LG2006', rule('<match url="x" /><«match» url="y" />')],
  ['enum in another case', 'LG2007', action('type="«rewrite»" url="x"')],
  ['1 as a bool', 'LG2007', rule('', 'name="r" enabled="«1»"')],
  [
    'unknown tag',
    'LG2004',
    '<outboundRules><rule name="r" enabled="false"><match filterByTags="«A, Foo»" /></rule></outboundRules>',
    "The 'filterByTags' attribute is invalid.  Flags must be some combination of None, A, Area, Base, Form, Frame, Head, IFrame, Img, Input, Link, Script, CustomTags",
  ],
  [
    'Redirect in an outbound rule',
    'LG2004',
    '<outboundRules><rule name="r" enabled="false"><action type="«Redirect»" /></rule></outboundRules>',
  ],
  [
    'url in an outbound rule',
    'LG2001',
    '<outboundRules><rule name="r" enabled="false"><match «url»="x" /></rule></outboundRules>',
  ],
  ['missing preCondition', 'LG2009', '<outboundRules><rule name="r" preCondition="«p»" /></outboundRules>'],
  [
    'missing customTags',
    'LG2009',
    '<outboundRules><rule name="r"><match filterByTags="CustomTags" customTags="«t»" pattern="x" /></rule></outboundRules>',
  ],
  ['text in a section', 'LG1018', '<rules>«x»</rules>'],
  [
    'unknown name in a lock',
    'LG1024',
    '<rules lockAttributes="useOriginalURLEncoding, «x»" />',
    "lockAttributes contains unknown attribute 'x'",
  ],
  ['lockItem that is no bool', 'LG1024', '<rules><rule name="r" lockItem="«yes»" /></rules>'],
  ['unknown root', 'LG1007', '<«sites» />'],
  ['unknown part of rewrite', 'LG1008', '<rewrite><«rule» /></rewrite>', '', '500.19'],
  ['attribute on a group', 'LG1021', '<rewrite «enabled»="true" />', "Unrecognized attribute 'enabled'"],
];

const webConfig = (inside: string) => `<configuration>\n  ${inside}\n</configuration>`;
const server = (inside: string) => webConfig(`<system.webServer>${inside}</system.webServer>`);

const LOCKED =
  'This configuration section cannot be used at this path. This happens when the section is locked at a parent level. ' +
  'Locking is either by default (overrideModeDefault="Deny"), or set explicitly by a location tag with ' +
  'overrideMode="Deny" or the legacy allowOverride="false".';

const webConfigCases: readonly Case[] = [
  ['globalRules', 'LG1012', server('<rewrite><«globalRules» /></rewrite>'), undefined, '500.19'],
  ['allowedServerVariables', 'LG1012', server('<rewrite><«allowedServerVariables» /></rewrite>')],
  ['webFarms', 'LG3008', webConfig('<«webFarms» />'), LOCKED, '500.19'],
  ['webFarms in system.webServer', 'LG3008', server('<«webFarms» />')],
  ['sites', 'LG1012', webConfig('<system.applicationHost><«sites» /></system.applicationHost>')],
  ['proxy', 'LG1012', server('<«proxy» enabled="true" />'), LOCKED, '500.19'],
  [
    'diskCache',
    'LG1012',
    server('<«diskCache»><driveLocation path="D:\\c" maxUsage="1" /></diskCache>'),
    LOCKED,
    '500.19',
  ],
  [
    'section twice',
    'LG1009',
    server('<rewrite><rules /><«rules» /></rewrite>'),
    "Config section 'system.webServer/rewrite/rules' already defined. Sections must only appear once per config file.",
  ],
  ['unknown section', 'LG1008', server('<«handler» />'), '', '500.19'],
  [
    'unknown section at the top',
    'LG1008',
    webConfig('<«telerik» />'),
    "The configuration section 'telerik' cannot be read because it is missing a section declaration",
  ],
  [
    'late configSections',
    'LG1010',
    webConfig('<appSettings /><«configSections» />'),
    'Only one <configSections> element allowed.  It must be the first child element of the root <configuration> element',
  ],
  [
    'both override attributes',
    'LG1014',
    webConfig('<location path="a" overrideMode="Allow" «allowOverride="true"» />'),
  ],
  ['lock on a location', 'LG1014', webConfig('<location path="a" «lockElements="x"» />')],
  [
    'content beside configSource',
    'LG1025',
    server('<rewrite><rules configSource="no.config">«<rule name="r" />»</rules></rewrite>'),
  ],
  [
    'allowDefinition',
    'LG1010',
    webConfig('<configSections><section name="x" allowDefinition="«Nowhere»" /></configSections>'),
    "The 'allowDefinition' attribute is invalid.",
  ],
  [
    'transformation',
    'LG1011',
    '<configuration «xmlns:xdt»="u"><system.webServer xdt:Transform="Insert" /></configuration>',
  ],
  [
    'missing configSource',
    'LG1001',
    server('<rewrite><rules «configSource="no.config"» /></rewrite>'),
    'Specified configSource cannot be parsed',
  ],
  [
    'configSource that leaves the folder',
    'LG1013',
    server('<rewrite><rules «configSource="../x.config"» /></rewrite>'),
  ],
  ['client certificates', 'LG1017', server('<security><access sslFlags="«Ssl, SslRequireCert»" /></security>')],
  ['TLS only', 'LG1016', server('<security><access sslFlags="«Ssl»" /></security>')],
  [
    'refused addresses',
    'LG1017',
    server('<security><ipSecurity>«<add ipAddress="1.2.3.4" />»</ipSecurity></security>'),
  ],
  [
    'authorization',
    'LG1017',
    server('<security><authorization>«<add accessType="Deny" users="?" />»</authorization></security>'),
  ],
  [
    'no anonymous users',
    'LG1017',
    server('<security><authentication>«<anonymousAuthentication enabled="false" />»</authentication></security>'),
  ],
  [
    'request limits',
    'LG1016',
    server('<security><requestFiltering><requestLimits «maxUrl="10"» /></requestFiltering></security>'),
  ],
  ['redirection', 'LG1016', server('«<httpRedirect enabled="true" destination="x" />»')],
  [
    'headers',
    'LG1016',
    server('<httpProtocol><customHeaders>«<add name="X-A" value="b" />»</customHeaders></httpProtocol>'),
  ],
  ['application', 'LG1016', server('<«aspNetCore» processPath="dotnet" />')],
];

const farm = (inside: string) => webConfig(`<webFarms><webFarm name="f">${inside}</webFarm></webFarms>`);
const routing = (inside: string) => farm(`<applicationRequestRouting>${inside}</applicationRequestRouting>`);
const pair = (minServers: string) =>
  farm(
    `<server address="a" /><server address="b" /><server address="c" enabled="false" />
    <applicationRequestRouting><healthCheck minServers="${minServers}" /></applicationRequestRouting>`,
  );
const site = (inside: string) =>
  webConfig(`<system.applicationHost><sites><site name="s" id="1">${inside}</site></sites></system.applicationHost>`);
const bindings = (inside: string) => site(`<bindings>${inside}</bindings>`);

const NO_URLS = ['/health', 'f/health', 'ftp://f/', 'http://', 'http:///a', 'http://a b/', 'https://me:secret@f/'];
const NO_CODES = ['', '2xx', '99', '1000', '399-200', '200,', '-399', '200-399-401'];
const NO_PERIOD = 'liveTrafficFailureCodes="«500-503»" liveTrafficFailurePeriod="00:00:00"';

const hostCases: readonly Case[] = [
  [
    'port on a server',
    'LG3001',
    farm('<server address="a" «port»="8080" />'),
    "Unrecognized attribute 'port'",
    '500.19',
  ],
  [
    'healthCheck in the farm',
    'LG3002',
    farm('<«healthCheck» url="http://x/" />'),
    "Unrecognized element 'healthCheck'",
  ],
  ['server without address', 'LG3003', farm('<«server» />'), "Missing required attribute 'address'"],
  ['port out of range', 'LG3004', farm('<server address="a"><applicationRequestRouting httpsPort="«0»" /></server>')],
  [
    'farm timeout',
    'LG3004',
    routing('<protocol timeout="«00:00:00»" />'),
    "The 'timeout' attribute is invalid.  Timespan value must be between 1 and 86400 seconds inclusive, with a granularity of 1 seconds",
  ],
  ['no time span', 'LG3004', routing('<healthCheck interval="«30»" />')],
  ['affinity timeout in seconds', 'LG3004', routing('<affinity timeout="«00:01:30»" />')],
  ['duplicate server', 'LG3005', farm('<server address="a" /><server address="«A»" />')],
  ['duplicate farm', 'LG3005', webConfig('<webFarms><webFarm name="f" /><webFarm name="«F»" /></webFarms>')],
  ['two protocols', 'LG3006', routing('<protocol /><«protocol» />')],
  ['algorithm in another case', 'LG3007', routing('<loadBalancing algorithm="«requesthash»" />')],
  ['encrypted password', 'LG3009', routing('<protocol clientCertPassword="«[enc:AesProvider:abc=:enc]»" />')],
  ['a forward proxy', 'LG3020', routing('<protocol proxy="«proxy01:8080»" proxyBypass="*.local" />')],
  ['hosts without a forward proxy', 'LG3020', routing('<protocol proxyBypass="«*.contoso.local»" />')],
  ['a forward proxy of the server', 'LG3020', server('<proxy enabled="true" proxy="«proxy01:8080»" />')],
  ['a response buffer', 'LG3021', routing('<protocol minResponseBuffer="«256»" />')],
  ['a response buffer of the server', 'LG3021', server('<proxy enabled="true" minResponseBuffer="«1»" />')],
  ['retired algorithm', 'LG3010', routing('<loadBalancing algorithm="«LeastRequests»" />')],
  ...['LG3113 url', 'LG3114 statusCodeMatch', 'LG3115 liveTrafficFailureCodes'].flatMap((what): Case[] => {
    const [code = '', name = ''] = what.split(' ');
    const period = name.startsWith('live') ? ' liveTrafficFailurePeriod="00:00:20"' : '';
    return (name === 'url' ? NO_URLS : NO_CODES).map((value) => [
      `${name} of ${value}`,
      code,
      routing(`<healthCheck ${name}="«${value}»"${period} />`),
    ]);
  }),
  ['failures without a period', 'LG3112', routing('<healthCheck maxLiveTrafficFailures="«10»" />')],
  ['failure codes with a period of 0', 'LG3112', routing(`<healthCheck ${NO_PERIOD} />`)],
  ['URL test without an interval', 'LG3116', routing('<healthCheck url="http://f/" interval="«00:00:00»" />')],
  ['as many servers as there are', 'LG3117', pair('«2»')],
  ['more servers than there are', 'LG3117', pair('«10»')],
  ['more retries than the schema names', 'LG3007', routing('<healthCheck retries="«21»" />')],
  [
    'unknown attribute of a site',
    'LG5001',
    bindings('<binding protocol="http" bindingInformation="*:80:" «host»="x" />'),
  ],
  ['unknown element of a site', 'LG5002', site('<«binding» />')],
  ['binding without protocol', 'LG5003', bindings('<«binding» bindingInformation="*:80:" />')],
  [
    'site id',
    'LG5004',
    webConfig('<system.applicationHost><sites><site name="s" id="«0»" /></sites></system.applicationHost>'),
  ],
  [
    'duplicate binding',
    'LG5005',
    bindings(
      '<binding protocol="http" bindingInformation="*:80:" /><binding protocol="«http»" bindingInformation="*:80:" />',
    ),
  ],
  ['two bindings elements', 'LG5006', site('<bindings /><«bindings» />')],
  ['binding without port', 'LG5008', bindings('<binding protocol="http" bindingInformation="«*::x»" />')],
  ['binding to a name', 'LG5008', bindings('<binding protocol="http" bindingInformation="«www:80:»" />')],
  ['FTP', 'LG5009', bindings('<binding protocol="«ftp»" bindingInformation="*:21:" />')],
  [
    'one port for two protocols',
    'LG5012',
    bindings(
      '<binding protocol="http" bindingInformation="*:80:" />«<binding protocol="https" bindingInformation="*:80:" />»',
    ),
  ],
  [
    'stopped site',
    'LG5013',
    webConfig(
      '<system.applicationHost><sites><site name="s" id="1" serverAutoStart="«false»" /></sites></system.applicationHost>',
    ),
  ],
  [
    'globalRules for a site',
    'LG1012',
    webConfig(
      '<location path="s"><system.webServer><rewrite><«globalRules» /></rewrite></system.webServer></location><system.applicationHost />',
    ),
  ],
];

function check(name: string, [, code, marked, text, status]: Case): void {
  const { text: source, places } = unmark(marked);
  const file = join(writeFiles({ [name]: source }), name);
  const { diagnostics } = loadFile(file);
  const found = diagnostics.find((diagnostic) => diagnostic.code === code);
  expect({
    code: found?.code,
    place: [found?.span.start, found?.span.end],
    all: diagnostics.map((one) => one.code),
  }).toEqual({
    code,
    place: places[0],
    all: expect.arrayContaining([code]),
  });
  if (text !== undefined) expect(found?.iis?.text).toBe(text);
  if (status !== undefined) expect(found?.iis?.status).toBe(status);
  expect(found?.advice).toMatch(/^[A-Z].*[.?]$/s);
}

describe('faults of rule sections', () => {
  it.each(ruleCases.map((row) => ({ row })))('$row.0', ({ row }) => check('rules.xml', row));

  it('gives line and column', () => {
    const file = join(
      writeFiles({ 'r.xml': '<rules>\r\n\t<rule name="a">\r\n\t\t<match urll="x"/></rule></rules>' }),
      'r.xml',
    );
    const { diagnostics, sources } = loadFile(file);
    expect(toJson(diagnostics, sources)).toEqual([
      {
        code: 'LG2001',
        severity: 'error',
        message: '<match> has no attribute "urll".',
        advice: 'Write url: did you mean that attribute?',
        iis: { status: '500.52', text: "Unrecognized attribute 'urll'" },
        file,
        line: 3,
        column: 10,
        endLine: 3,
        endColumn: 14,
      },
    ]);
  });

  it('finds all faults in one run', () => {
    const source =
      '<rules><rule foo="1" enabled="x"><match url="" /><bar /></rule><rule name="a" /><rule name="a" /></rules>';
    const { diagnostics, config } = loadFile(join(writeFiles({ r: source }), 'r'));
    expect(diagnostics.map((one) => one.code)).toEqual(['LG2003', 'LG2001', 'LG2004', 'LG2004', 'LG2002', 'LG2005']);
    expect(config?.sites[0]?.scopes[0]?.ruleSet.rules).toHaveLength(2);
  });
});

describe('faults of web.config', () => {
  it.each(webConfigCases.map((row) => ({ row })))('$row.0', ({ row }) => check('web.config', row));

  it('says of stock sections only that they are locked by default', () => {
    const source = server(
      '<security><access sslFlags="None" /><authorization><add accessType="Allow" users="*" /></authorization><ipSecurity />' +
        '<requestFiltering><fileExtensions allowUnlisted="true"><add fileExtension=".config" allowed="false" /></fileExtensions>' +
        '<hiddenSegments applyToWebDAV="true"><add segment="bin" /></hiddenSegments></requestFiltering>' +
        '<authentication><anonymousAuthentication enabled="true" userName="IUSR" /></authentication></security>' +
        '<httpProtocol><customHeaders><clear /><add name="X-Powered-By" value="ASP.NET" /></customHeaders></httpProtocol>',
    );
    const told = (name: string) =>
      loadFile(join(writeFiles({ [name]: source }), name)).diagnostics.map(({ code, span }) =>
        [code, source.slice(span.start, span.end)].join(' '),
      );
    expect(told('web.config')).toEqual(['LG1022 access', 'LG1022 ipSecurity', 'LG1022 anonymousAuthentication']);
    expect(told('applicationHost.config')).toEqual([]);
  });
});

describe('faults of applicationHost.config', () => {
  it.each(hostCases.map((row) => ({ row })))('$row.0', ({ row }) => check('applicationHost.config', row));

  it.each([
    'url="" interval="00:00:00" retries="20"',
    'url="HTTPS://[2001:db8::5]:8443?a=b#c" statusCodeMatch=" 200 - 299 ,404,500-"',
    'url="http://f" liveTrafficFailureCodes="500-" maxLiveTrafficFailures="5" liveTrafficFailurePeriod="00:00:20"',
  ])('accepts a healthCheck with %s', (attributes) => {
    const source = routing(`<healthCheck ${attributes} />`);
    const folder = writeFiles({ 'applicationHost.config': source, 'settings.json': '{"bindings": [{}]}' });
    expect(loadConfig(folder).diagnostics).toEqual([]);
  });

  it('accepts a minServers that says something', () => {
    const one = farm(
      '<server address="a" /><applicationRequestRouting><healthCheck minServers="1" /></applicationRequestRouting>',
    );
    for (const source of [pair('0'), pair('1'), one]) {
      const folder = writeFiles({ 'applicationHost.config': source, 'settings.json': '{"bindings": [{}]}' });
      expect(loadConfig(folder).diagnostics).toEqual([]);
    }
  });

  it.each([
    ['an encrypted password that is empty', 'clientCertPassword="[enc:AesProvider::enc]"'],
    ['one of no use, beside a thumbprint', 'clientCertPassword="[enc:AesProvider:abc=:enc]" clientCertHash="ab"'],
    ['a response buffer that is off', 'minResponseBuffer="0" bufferChunkedResponses="true"'],
    ['a response buffer that may hold nothing', 'minResponseBuffer="256" responseBufferLimit="0"'],
    ['a forward proxy that is empty', 'proxy="" proxyBypass=" "'],
  ])('accepts %s', (_name, attributes) => {
    const source = routing(`<protocol ${attributes} />`);
    const folder = writeFiles({ 'applicationHost.config': source, 'settings.json': '{"bindings": [{}]}' });
    expect(loadConfig(folder).diagnostics).toEqual([]);
  });
});

describe('addresses of servers', () => {
  const told = (address: string) => {
    const source = `<configuration><webFarms><webFarm name="f"><server address="${address}" /></webFarm></webFarms></configuration>`;
    const { diagnostics } = loadFile(join(writeFiles({ 'applicationHost.config': source }), 'applicationHost.config'));
    return diagnostics.map(
      ({ code, severity, span, advice }) => `${code} ${severity} ${source.slice(span.start, span.end)}: ${advice}`,
    );
  };
  const port = (attributes: string) => `the port goes into <applicationRequestRouting ${attributes} /> of the <server>`;

  it.each([
    ['fe01:4443', `Write address="fe01": ${port('httpPort="…" httpsPort="4443"')}.`],
    ['[2001:db8::5]:4443', `Write address="2001:db8::5": ${port('httpPort="…" httpsPort="4443"')}.`],
    ['[2001:db8::5]', 'Write address="2001:db8::5".'],
    ['https://ex01', 'Write address="ex01": the scheme is that of the rule.'],
    ['http://EX01.contoso.local:8080/', `Write address="ex01.contoso.local": the scheme is that of the rule, ${port('httpPort="8080"')}, the path goes into the url of the rule.`],
    ['ex01/owa', 'Write address="ex01": the path goes into the url of the rule.'],
    ['\\\\ex01\\owa', 'Write a name of letters, digits, hyphens and underscores between dots, or an IP address.'],
    [' ex01 ', 'Write address="ex01".'],
    ['ex01:', 'Write address="ex01".'],
    ['10.0.0.300', 'Write an IP address, four numbers from 0 to 255, or the name of the server.'],
    ['10.0.0', 'Write an IP address, four numbers from 0 to 255, or the name of the server.'],
    ['10.0.0.1:80', `Write address="10.0.0.1": ${port('httpPort="…" httpsPort="80"')}.`],
    ['*.contoso.local', 'Write a name of letters, digits, hyphens and underscores between dots, or an IP address.'],
    ['ex01, ex02', 'Write a name of letters, digits, hyphens and underscores between dots, or an IP address.'],
    ['2001:db8::g', 'Write a name of letters, digits, hyphens and underscores between dots, or an IP address.'],
    [' ', 'Write the name or the IP address of the server.'],
  ])('"%s" is told', (address, cure) => {
    expect(told(address)).toEqual([`LG3025 error ${address}: ${cure}`]);
  }); // biome-ignore format: one row, one line

  it.each([
    'ex01',
    'EX_01.contoso.local.',
    '10.0.0.20',
    '2001:db8::5',
    'fe80::1%eth0',
    'localhost',
    '1st.contoso.local',
    'ünï.test',
  ])('"%s" is one', (address) => {
    expect(told(address)).toEqual([]);
  });
});
