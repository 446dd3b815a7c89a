/** Which elements may stand in the common sections that nothing here reads, by IIS's schema. */
import type { Report } from './diagnostic.ts';
import type { SectionUse } from './file-sections.ts';
import { elementNames } from './lock-attributes.ts';
import type { ElementSchema } from './section-tables.ts';
import { reportUnknownElement } from './unknown-names.ts';
import type { XmlElement } from './xml.ts';

type Held = Readonly<Record<string, ElementSchema>>;

/** Of attributes nothing is told. */
const nothing: ElementSchema = {};

function holding(elements: Held): ElementSchema {
  return { elements };
}

/** Entries of a collection, and what takes away inherited ones. */
function listOf(add: Held): ElementSchema {
  return { collection: { add, remove: true, clear: true } };
}

const adds = listOf({ add: nothing });

const requestFiltering = holding({
  ...{ requestLimits: holding({ headerLimits: adds }), verbs: adds, fileExtensions: adds, hiddenSegments: adds },
  ...{
    alwaysAllowedUrls: adds,
    alwaysAllowedQueryStrings: adds,
    denyUrlSequences: adds,
    denyQueryStringSequences: adds,
  },
  filteringRules: listOf({ filteringRule: holding({ scanHeaders: adds, appliesTo: adds, denyStrings: adds }) }),
});

const traced = listOf({ add: holding({ traceAreas: adds, failureDefinitions: nothing }) });

/** Of certificates: one for one login, or those that rules describe for one. */
const mappings = holding({ oneToOneMappings: adds, manyToOneMappings: listOf({ add: holding({ rules: adds }) }) });

const sections: Held = {
  asp: holding({ session: nothing, comPlus: nothing, cache: nothing, limits: nothing }),
  caching: holding({ profiles: adds }),
  cgi: nothing,
  defaultDocument: holding({ files: adds }),
  directoryBrowse: nothing,
  fastCgi: listOf({ application: holding({ environmentVariables: listOf({ environmentVariable: nothing }) }) }),
  globalModules: adds,
  handlers: adds,
  httpCompression: { ...listOf({ scheme: nothing }), ...holding({ staticTypes: adds, dynamicTypes: adds }) },
  httpErrors: listOf({ error: nothing }),
  httpLogging: nothing,
  httpProtocol: holding({ customHeaders: adds, redirectHeaders: adds }),
  httpRedirect: adds,
  httpTracing: holding({ traceUrls: adds }),
  isapiFilters: listOf({ filter: nothing }),
  modules: adds,
  applicationInitialization: adds,
  odbcLogging: nothing,
  serverRuntime: nothing,
  serverSideInclude: nothing,
  staticContent: { ...listOf({ mimeMap: nothing }), ...holding({ clientCache: nothing }) },
  urlCompression: nothing,
  validation: nothing,
  webSocket: nothing,
  'security/access': nothing,
  'security/applicationDependencies': listOf({ application: adds }),
  'security/authorization': adds,
  'security/dynamicIpSecurity': holding({ denyByConcurrentRequests: nothing, denyByRequestRate: nothing }),
  'security/ipSecurity': adds,
  'security/isapiCgiRestriction': adds,
  'security/requestFiltering': requestFiltering,
  'security/authentication/anonymousAuthentication': nothing,
  'security/authentication/basicAuthentication': nothing,
  'security/authentication/clientCertificateMappingAuthentication': nothing,
  'security/authentication/digestAuthentication': nothing,
  'security/authentication/iisClientCertificateMappingAuthentication': mappings,
  'security/authentication/windowsAuthentication': holding({
    providers: adds,
    extendedProtection: listOf({ spn: nothing }),
  }),
  'tracing/traceFailedRequests': traced,
  'tracing/traceProviderDefinitions': listOf({ add: holding({ areas: adds }) }),
};

/** Reports elements that IIS does not know in a section. */
export function checkChildren({ path, element }: SectionUse, report: Report): void {
  const name = path.replace(/^system\.webServer\//, '');
  const schema = Object.hasOwn(sections, name) ? sections[name] : undefined;
  // What is encrypted stands in an element that any section may have.
  const encrypted = element.attributes.some((attribute) => attribute.name === 'configProtectionProvider');
  if (schema !== undefined && !encrypted) checkHeld(element, schema, report);
}

function checkHeld(element: XmlElement, schema: ElementSchema, report: Report): void {
  const known = new Set(elementNames(schema));
  for (const child of element.children) {
    if (!known.has(child.name)) {
      reportUnknownElement(child, element, schema, { report, codes: { unknownElement: 'LG1029' }, status: '500.19' });
      continue;
    }
    const { [child.name]: inner = nothing } = { ...schema.collection?.add, ...schema.elements };
    checkHeld(child, inner, report);
  }
}
