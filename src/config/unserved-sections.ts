/** Sections that Lychgate does not carry out although they could refuse, redirect or add something. */
import type { IisRefusal, Report, Span } from './diagnostic.ts';
import { moduleSections } from './known-sections.ts';
import type { SettingsConfig } from './settings-model.ts';
import type { XmlElement } from './xml.ts';

interface Difference {
  readonly span: Span;
  /** True where it keeps somebody out. */
  readonly guards: boolean;
  readonly what: string;
  /** How the cure begins, where settings.json has one; what follows is to acknowledge the section. */
  readonly cure?: string;
}

/** What settings.json has to do with these sections. */
export interface ServedBySettings {
  /** Nothing where that is not known: then nothing is said of them. */
  readonly acknowledge: readonly string[] | undefined;
  readonly clientCertificates: SettingsConfig['tls']['clientCertificates'];
}

type Compare = (element: XmlElement, settings: ServedBySettings) => Difference | undefined;

function attributeOf(element: XmlElement, name: string) {
  return element.attributes.find((attribute) => attribute.name === name);
}

function valueIn(element: XmlElement, name: string): string {
  return attributeOf(element, name)?.value.value ?? '';
}

function isTrue(element: XmlElement, name: string): boolean {
  return /^true$/i.test(valueIn(element, name));
}

function isFalse(element: XmlElement, name: string): boolean {
  return /^false$/i.test(valueIn(element, name));
}

function childNamed(element: XmlElement, name: string): XmlElement | undefined {
  return element.children.find((child) => child.name === name);
}

function whenEnabled(what: string, guards = false): Compare {
  return (element) => (isTrue(element, 'enabled') ? { span: element.tagSpan, guards, what } : undefined);
}

function whenDisabled(what: string, guards: boolean): Compare {
  return (element) => (isFalse(element, 'enabled') ? { span: element.tagSpan, guards, what } : undefined);
}

/** settings.json asks by listener and not by path, and nothing here keeps plain HTTP out: so much is told. */
function compareAccess(element: XmlElement, { clientCertificates }: ServedBySettings): Difference | undefined {
  const flags = attributeOf(element, 'sslFlags');
  const names = (flags?.value.value ?? '').split(',').map((flag) => flag.trim().toLowerCase());
  const asked = clientCertificates !== undefined && clientCertificates.listeners === undefined;
  const left = names.filter((flag) => flag !== '' && flag !== 'none' && !(asked && flag === 'sslnegotiatecert'));
  if (flags === undefined || left.length === 0) return undefined;
  const { span } = flags.value;
  if (left.includes('sslrequirecert')) {
    const what = 'clients must show a certificate';
    const cure =
      asked && clientCertificates.mode === 'require'
        ? 'tls.clientCertificates requires one on every https listener already. Let http bindings lead nowhere but to https, then'
        : `Require one on the https listeners, "tls": { "clientCertificates": { "mode": "require", "ca": "clients-ca.pem" } }, let http bindings lead nowhere but to https, then`;
    return { span, guards: true, what, cure };
  }
  if (!left.includes('sslnegotiatecert')) return { span, guards: false, what: 'clients must use TLS' };
  const cure = 'Ask for one with "tls": { "clientCertificates": { "mode": "request", "ca": "clients-ca.pem" } }, or';
  return { span, guards: false, what: 'clients are asked for a certificate', cure };
}

function compareIpSecurity(element: XmlElement): Difference | undefined {
  const entry = element.children.find((child) => child.name === 'add');
  const what = 'client addresses are allowed or refused';
  if (entry !== undefined) return { span: entry.tagSpan, guards: true, what };
  const unlisted = attributeOf(element, 'allowUnlisted');
  return unlisted !== undefined && isFalse(element, 'allowUnlisted')
    ? { span: unlisted.span, guards: true, what }
    : undefined;
}

function compareDynamicIp(element: XmlElement): Difference | undefined {
  const entry = element.children.find((child) => isTrue(child, 'enabled'));
  return entry && { span: entry.tagSpan, guards: false, what: 'clients with too many requests are refused' };
}

/** Stock is one entry that allows everybody; clearing without allowing anybody again refuses everybody. */
function compareAuthorization(element: XmlElement): Difference | undefined {
  const what = 'only certain users are let in';
  const everybody = element.children.find(
    (child) => child.name === 'add' && isEverybody(child) && valueIn(child, 'accessType') === 'Allow',
  );
  const other = element.children.find((child) => child.name !== 'clear' && child !== everybody);
  if (other !== undefined) return { span: other.tagSpan, guards: true, what };
  const clear = childNamed(element, 'clear');
  return clear !== undefined && everybody === undefined ? { span: clear.tagSpan, guards: true, what } : undefined;
}

function isEverybody(entry: XmlElement): boolean {
  return valueIn(entry, 'users') === '*' && valueIn(entry, 'roles') === '' && valueIn(entry, 'verbs') === '';
}

const stockExtensions = new Set(
  (
    '.asax .ascx .master .skin .browser .sitemap .config .cs .csproj .vb .vbproj .webinfo .licx .resx .resources .mdb ' +
    '.vjsproj .java .jsl .ldb .dsdgm .ssdgm .lsad .ssmap .cd .dsprototype .lsaprototype .sdm .sdmdocument .mdf .ldf .ad ' +
    '.dd .ldd .sd .adprototype .lddprototype .exclude .refresh .compiled .msgx .vsdisco .rules .asa .soap .vbhtm .vbhtml .cshtm .cshtml .asmx .asp'
  ).split(' '),
);
const stockSegments = new Set(
  'web.config bin app_code app_globalresources app_localresources app_webreferences app_data app_browsers'.split(' '),
);

const stockFiltering: Readonly<Record<string, string>> = {
  allowUnlisted: 'true',
  applyToWebDAV: 'true',
  allowDoubleEscaping: 'false',
  allowHighBitCharacters: 'true',
  maxAllowedContentLength: '30000000',
  maxUrl: '4096',
  maxQueryString: '2048',
  removeServerHeader: 'false',
  unescapeQueryString: 'true',
};

function compareFiltering(element: XmlElement): Difference | undefined {
  const what = 'requests are filtered by size, name or verb';
  const queue = [element];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const changed = next.attributes.find(
      ({ name, value }) => Object.hasOwn(stockFiltering, name) && stockFiltering[name] !== value.value.toLowerCase(),
    );
    if (changed !== undefined) return { span: changed.span, guards: false, what };
    const entry = next.children.find((child) => !isStockEntry(child));
    if (entry !== undefined) return { span: entry.tagSpan, guards: false, what };
    for (const child of next.children) queue.push(child);
  }
  return undefined;
}

function isStockEntry(entry: XmlElement): boolean {
  if (entry.name === 'clear' || entry.name === 'remove' || entry.name === 'filteringRule') return false;
  if (entry.name !== 'add') return true;
  const extension = attributeOf(entry, 'fileExtension');
  if (extension !== undefined)
    return isFalse(entry, 'allowed') && stockExtensions.has(extension.value.value.toLowerCase());
  const segment = attributeOf(entry, 'segment');
  return segment !== undefined && stockSegments.has(segment.value.value.toLowerCase());
}

function compareProtocol(element: XmlElement): Difference | undefined {
  const headers = childNamed(element, 'customHeaders');
  const added = headers?.children.find(
    (child) => child.name === 'add' && valueIn(child, 'name').toLowerCase() !== 'x-powered-by',
  );
  if (added !== undefined) return { span: added.tagSpan, guards: false, what: 'headers are added to answers' };
  const keepAlive = attributeOf(element, 'allowKeepAlive');
  if (keepAlive === undefined || !isFalse(element, 'allowKeepAlive')) return undefined;
  return { span: keepAlive.span, guards: false, what: 'connections are closed after each answer' };
}

function compareErrors(element: XmlElement): Difference | undefined {
  const existing = attributeOf(element, 'existingResponse');
  if (existing?.value.value !== 'Replace') return undefined;
  return { span: existing.span, guards: false, what: 'error pages of the servers are replaced' };
}

const compared: Readonly<Record<string, Compare>> = {
  'security/access': compareAccess,
  'security/ipSecurity': compareIpSecurity,
  'security/dynamicIpSecurity': compareDynamicIp,
  'security/authorization': compareAuthorization,
  'security/requestFiltering': compareFiltering,
  'security/authentication/anonymousAuthentication': whenDisabled('nobody is let in without signing in', true),
  'security/authentication/basicAuthentication': whenEnabled('users can sign in with a password'),
  'security/authentication/digestAuthentication': whenEnabled('users can sign in with a password'),
  'security/authentication/windowsAuthentication': whenEnabled('users can sign in with a Windows account'),
  'security/authentication/clientCertificateMappingAuthentication': whenEnabled('users can sign in with a certificate'),
  'security/authentication/iisClientCertificateMappingAuthentication': whenEnabled(
    'users can sign in with a certificate',
  ),
  httpRedirect: whenEnabled('requests are redirected'),
  httpProtocol: compareProtocol,
  httpErrors: compareErrors,
  webSocket: whenDisabled('WebSocket requests are refused', false),
  serverRuntime: whenDisabled('the site answers nothing', false),
};

/** Of a section that a web.config may have only where the server's own file unlocks it, which none does that was read. */
export interface DefaultLock {
  /** Where it may stand, as the begin of a cure. */
  readonly home: string;
  readonly iis: IisRefusal;
}

/** Reports a section that says something which Lychgate does not do, or that IIS would not read where it stands: once. */
export function reportUnserved(
  path: string,
  element: XmlElement,
  { settings, lock }: { readonly settings: ServedBySettings; readonly lock: DefaultLock | undefined },
  report: Report,
): void {
  const name = path.replace(/^system\.webServer\//, '');
  const acknowledged = isAcknowledged(path, settings.acknowledge);
  const compare = Object.hasOwn(compared, name) ? compared[name] : undefined;
  const difference = acknowledged ? undefined : compare?.(element, settings);
  if (!acknowledged && moduleSections.has(path)) {
    report('LG1016', element.nameSpan, {
      subject: path,
      message: `Section ${name} belongs to a module that runs applications; Lychgate does not carry it out.`,
      advice: 'Let a rule pass the requests to a server that runs the application.',
    });
  } else if (difference !== undefined) {
    reportDifference({ path, name, difference, lock }, report);
  } else if (lock !== undefined) {
    // What is acknowledged is not carried out here, and yet all of the site is refused on IIS.
    report('LG1022', element.nameSpan, {
      subject: path,
      message: `IIS refuses <${element.name}> in a web.config unless the server's applicationHost.config unlocks it, and none that was read does.`,
      advice: `${lock.home}, or unlock it there with <location path="" overrideMode="Allow">.`,
      iis: lock.iis,
    });
  }
}

interface Unserved {
  readonly path: string;
  readonly name: string;
  readonly difference: Difference;
  readonly lock: DefaultLock | undefined;
}

/** With where it may stand, if it is to stay: that alone would leave the next finding. */
function reportDifference({ path, name, difference, lock }: Unserved, report: Report): void {
  const move = lock === undefined ? '' : `${lock.home.replace(/^M/, 'm')}, and `;
  const acknowledge = `${move}add "${name}" to "acknowledge" in settings.json`;
  const refused =
    ' IIS refuses it in a web.config unless applicationHost.config unlocks it, and none that was read does.';
  report(difference.guards ? 'LG1017' : 'LG1016', difference.span, {
    subject: difference.guards ? `${path} ${difference.what}` : path,
    message: `Section ${name} is not carried out: under IIS ${difference.what}.${lock === undefined ? '' : refused}`,
    advice: difference.cure
      ? `${difference.cure} ${acknowledge}.`
      : difference.guards
        ? `Guard it in another place and then ${acknowledge}.`
        : `If that is not needed here, remove it or ${acknowledge}.`,
    ...(lock === undefined ? {} : { iis: lock.iis }),
  });
}
/** HSTS stands in `<site>`, not in a section of its own. */
export function reportHsts(element: XmlElement, acknowledged: readonly string[] | undefined, report: Report): void {
  if (isAcknowledged('hsts', acknowledged) || !isTrue(element, 'enabled')) return;
  report('LG1016', element.tagSpan, {
    subject: 'hsts',
    message: 'hsts is not carried out: under IIS Strict-Transport-Security is added to answers.',
    advice: 'Let the servers send the header; if it is not needed, add "hsts" to "acknowledge" in settings.json.',
  });
}

/** Also where it is not known what is. */
export function isAcknowledged(path: string, acknowledged: readonly string[] | undefined): boolean {
  if (acknowledged === undefined) return true;
  const wanted = path.toLowerCase();
  return acknowledged.some((name) => wanted === name.toLowerCase() || wanted.endsWith(`/${name.toLowerCase()}`));
}
