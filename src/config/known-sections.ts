/** Which sections and section groups exist: the list IIS ships with, used where no file declares its own. */

const authentication = [
  ...['anonymous', 'basic', 'clientCertificateMapping', 'digest', 'iisClientCertificateMapping', 'windows'],
].map((kind) => `security/authentication/${kind}Authentication`);

const systemWebServer = [
  ...['asp', 'caching', 'cgi', 'defaultDocument', 'directoryBrowse', 'fastCgi', 'globalModules', 'handlers'],
  ...['httpCompression', 'httpErrors', 'httpLogging', 'httpProtocol', 'httpRedirect', 'httpTracing', 'isapiFilters'],
  ...['modules', 'applicationInitialization', 'odbcLogging', 'serverRuntime', 'serverSideInclude', 'staticContent'],
  ...['urlCompression', 'validation', 'webSocket', 'proxy', 'diskCache', 'management'],
  ...['security/access', 'security/applicationDependencies', 'security/authorization', 'security/ipSecurity'],
  ...['security/dynamicIpSecurity', 'security/isapiCgiRestriction', 'security/requestFiltering'],
  ...authentication,
  ...['tracing/traceFailedRequests', 'tracing/traceProviderDefinitions'],
  ...['webdav/globalSettings', 'webdav/authoring', 'webdav/authoringRules'],
  ...['globalRules', 'rules', 'outboundRules', 'providers', 'rewriteMaps', 'allowedServerVariables'].map(
    (section) => `rewrite/${section}`,
  ),
].map((section) => `system.webServer/${section}`);

const systemApplicationHost = [
  ...['applicationPools', 'configHistory', 'customMetadata', 'listenerAdapters', 'log', 'serviceAutoStartProviders'],
  ...['sites', 'webLimits'],
].map((section) => `system.applicationHost/${section}`);

/** Sections that widespread modules declare when they are installed. */
export const moduleSections: ReadonlySet<string> = new Set(
  ['aspNetCore', 'httpPlatform', 'iisnode'].map((section) => `system.webServer/${section}`),
);

export const builtInSections: ReadonlySet<string> = new Set([
  ...systemWebServer,
  ...systemApplicationHost,
  ...moduleSections,
  'webFarms',
]);

/** Top-level elements that machine.config declares or that belong to .NET; IIS itself does not read them. */
export const foreignElements: ReadonlySet<string> = new Set([
  ...['appSettings', 'assemblyBinding', 'connectionStrings', 'configProtectedData', 'mscorlib', 'runtime', 'startup'],
  ...['satelliteassemblies', 'uri', 'windows', 'system.codedom', 'system.data', 'system.data.dataset'],
  ...['system.diagnostics', 'system.ftpServer', 'system.management', 'system.net', 'system.runtime.caching'],
  ...['system.runtime.remoting', 'system.runtime.serialization', 'system.serviceModel', 'system.transactions'],
  ...['system.serviceModel.activation', 'system.web', 'system.web.extensions', 'system.windows.forms'],
  ...['system.xaml.hosting', 'system.xml.serialization', 'system.data.odbc', 'system.data.oledb'],
  ...['system.data.sqlclient', 'system.data.oracleclient', 'system.identityModel', 'system.identityModel.services'],
  ...['system.web.webPages.razor', 'moduleProviders', 'modules', 'administrators', 'entityFramework'],
]);

/** What the files declare, on top of the built-in lists or in their place. */
export interface KnownSections {
  readonly sections: ReadonlySet<string>;
  /** Sections that are locked below applicationHost.config, as far as the files say. */
  readonly denied: ReadonlySet<string>;
  /** Sections that IIS's own file locks, and of which no file that was read says anything: some hosts unlock them. */
  readonly deniedByDefault: ReadonlySet<string>;
  /** Sections that stand at the level of the server and that nothing can unlock: `allowDefinition="AppHostOnly"`. */
  readonly serverOnly: ReadonlySet<string>;
}

/** As six servers have them, and all alike. `handlers` and `modules` are left out: a `<location>` of the same file unlocks them. */
const deniedByDefault = [
  ...['asp', 'cgi', 'httpLogging', 'httpTracing', 'isapiFilters', 'odbcLogging', 'serverRuntime', 'serverSideInclude'],
  ...['webSocket', 'security/access', 'security/applicationDependencies', 'security/ipSecurity'],
  ...['security/dynamicIpSecurity', 'tracing/traceProviderDefinitions'],
  ...['webdav/globalSettings', 'webdav/authoring', 'webdav/authoringRules'],
  ...authentication,
].map((section) => `system.webServer/${section}`);

/** Those of ARR among them. */
const serverOnlySections = [
  ...['rewrite/globalRules', 'proxy', 'diskCache', 'fastCgi', 'globalModules', 'security/isapiCgiRestriction'],
].map((section) => `system.webServer/${section}`);

/** The sections IIS knows by itself; only those that are locked whatever is installed count as locked. */
export const stockSections: KnownSections = {
  sections: builtInSections,
  denied: new Set(['system.webServer/rewrite/allowedServerVariables']),
  deniedByDefault: new Set(deniedByDefault),
  serverOnly: new Set([...serverOnlySections, ...systemApplicationHost]),
};

/** The groups that lead to the sections: `system.webServer/rewrite` for `system.webServer/rewrite/rules`. */
export function groupsOf(sections: ReadonlySet<string>): ReadonlySet<string> {
  const groups = new Set([
    'system.webServer',
    'system.applicationHost',
    'system.webServer/rewrite',
    'system.webServer/security',
  ]);
  for (const section of sections) {
    const parts = section.split('/');
    for (let count = 1; count < parts.length; count += 1) groups.add(parts.slice(0, count).join('/'));
  }
  return groups;
}
