/** Reads settings.json: what IIS has no place for. Every key has a default, so an absent file is as good as `{}`. */
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { asciiAuthority, comparedName } from '../host-name.ts';
import { addressesOf } from './address-settings.ts';
import type { Span } from './diagnostic.ts';
import { HOST_FILE, readSource } from './files.ts';
import { notJson } from './foreign-file.ts';
import type { LoadSession } from './load-session.ts';
import type { BindingConfig } from './model.ts';
import { parseAddress, parseAddressAndPort, parseNetwork } from './network-address.ts';
import type { Setting } from './settings-check.ts';
import type {
  CertificateFileSetting,
  CertificateSetting,
  FarmSettings,
  ProbeSettings,
  SettingsConfig,
} from './settings-model.ts';
import { accessLogFields } from './settings-table.ts';
import { allSettings, parseSettings } from './settings-text.ts';

export interface IisEntry {
  readonly file: string;
  readonly site?: string;
  readonly path?: string;
  /** Absent where no setting names the file. */
  readonly span?: Span;
}

export interface SettingsBinding extends BindingConfig {
  readonly site: string;
}

export interface ReadSettings {
  readonly settings: SettingsConfig;
  readonly iis: readonly IisEntry[];
  readonly bindings: readonly SettingsBinding[];
  /** Where the bindings stand. */
  readonly bindingsSpan?: Span;
  readonly farmNames: readonly { readonly name: string; readonly span: Span }[];
}

/** Reads `file`, which need not exist. */
export function readSettings(file: string, session: LoadSession): ReadSettings {
  const path = resolve(file);
  if (!existsSync(path)) return settingsOf(undefined, path);
  const source = readSource(path);
  if (source.text === undefined) {
    session.report(
      'LG1001',
      { file: path, start: 0, end: 0 },
      {
        message: `${path} cannot be read: ${source.failure}.`,
        advice: 'Check the name and the permissions of the file.',
      },
    );
    return settingsOf(undefined, path, allSettings);
  }
  const mistaken = notJson(source.head ?? '');
  session.sources.set(path, mistaken === undefined || source.encodingFault === undefined ? source.text : '');
  if (mistaken !== undefined) {
    session.report('LG6001', { file: path, start: 0, end: 0 }, mistaken);
    return settingsOf(undefined, path, allSettings);
  }
  const { root, misread } = parseSettings(path, source.text, session.report);
  return settingsOf(root, path, misread);
}

/** The settings of a folder without settings.json. */
export function defaultSettings(folder: string): ReadSettings {
  return settingsOf(undefined, resolve(folder, 'settings.json'));
}

function at(
  setting: Setting | undefined,
  ...path: readonly string[]
): (Setting & { readonly nameSpan?: Span }) | undefined {
  let found: Setting | undefined = setting;
  for (const key of path) found = found?.keys?.get(key);
  return found;
}

function textAt(setting: Setting | undefined, ...path: readonly string[]): string | undefined {
  const value = at(setting, ...path)?.value;
  return typeof value === 'string' ? value : undefined;
}

function numberAt(setting: Setting | undefined, path: readonly string[], otherwise: number): number {
  return optionalNumberAt(setting, ...path) ?? otherwise;
}

function optionalNumberAt(setting: Setting | undefined, ...path: readonly string[]): number | undefined {
  const value = at(setting, ...path)?.value;
  return typeof value === 'number' ? value : undefined;
}

function textsAt(setting: Setting | undefined, ...path: readonly string[]): readonly string[] {
  return (at(setting, ...path)?.items ?? []).map((item) => String(item.value));
}

/** With its place, for who checks it. */
function placedTextAt(setting: Setting | undefined, name: string): { value: string; span: Span } | undefined {
  const found = at(setting, name);
  return typeof found?.value === 'string' ? { value: found.value, span: found.span } : undefined;
}

function switchAt(setting: Setting | undefined, name: string): boolean | undefined {
  const value = at(setting, name)?.value;
  return typeof value === 'boolean' ? value : undefined;
}

/** A name of a host, in ASCII. */
function nameAt(setting: Setting | undefined, name: string): string | undefined {
  const text = textAt(setting, name);
  return text === undefined ? undefined : asciiAuthority(text);
}

/** Leaves out what is undefined, as optional properties demand. */
function present<Name extends string, Value>(name: Name, value: Value | undefined): { readonly [Key in Name]?: Value } {
  return (value === undefined ? {} : { [name]: value }) as { readonly [Key in Name]?: Value };
}

function settingsOf(root: Setting | undefined, file: string, misread: ReadonlySet<string> = new Set()): ReadSettings {
  const folder = dirname(file);
  const farms = [...(at(root, 'farms')?.keys ?? [])];
  const bindings = at(root, 'bindings');
  return {
    settings: {
      file,
      misread,
      certificates: certificatesOf(root, file),
      defaultCertificate: defaultCertificateOf(at(root, 'defaultCertificate')),
      tls: {
        minVersion: textAt(root, 'tls', 'minVersion') === 'TLSv1.3' ? 'TLSv1.3' : 'TLSv1.2',
        ...present('ciphers', textAt(root, 'tls', 'ciphers')),
        legacyListeners: textsAt(root, 'tls', 'legacyListeners').map((text) => text.toLowerCase()),
        ...present('clientCertificates', clientCertificatesOf(at(root, 'tls', 'clientCertificates'), folder)),
      },
      hosts: Object.fromEntries(
        [...(at(root, 'hosts')?.keys ?? [])].map(([name, address]) => [
          comparedName(name),
          String(address.value).toLowerCase(),
        ]),
      ),
      hostNames: [...(at(root, 'hosts')?.keys ?? [])].map(([name, { nameSpan }]) => ({ name, span: nameSpan })),
      dns: textsAt(root, 'dns'),
      upstream: {
        ca: filesOf(at(root, 'upstream', 'ca'), folder),
        ...present('localAddress', textAt(root, 'upstream', 'localAddress')),
        allowPartialTrustChain: at(root, 'upstream', 'allowPartialTrustChain')?.value === true,
        allow: textsAt(root, 'upstream', 'allow').map(comparedName),
      },
      farms: new Map(farms.map(([name, farm]) => [comparedName(name), farmOf(farm, folder)])),
      workers: workersOf(at(root, 'workers')),
      http2: at(root, 'http2')?.value !== false,
      trustedProxies: textsAt(root, 'trustedProxies').map((network) => parseNetwork(network) ?? network),
      addresses: addressesOf(at(root, 'addresses')),
      publicAddresses: textsAt(root, 'publicAddresses').map((address) => parseAddress(address) ?? address),
      acknowledge: textsAt(root, 'acknowledge'),
      limits: limitsOf(root),
      timeouts: timeoutsOf(root),
      log: logOf(root, folder),
      ...present('affinitySecretFile', filesOf(at(root, 'affinitySecretFile'), folder)[0]),
      ...present('stateFile', pathAt(root, folder, 'stateFile')),
      admin: adminOf(root, folder),
    },
    iis: iisOf(root, folder),
    bindings: (bindings?.items ?? []).map(bindingOf),
    ...present('bindingsSpan', bindings?.nameSpan),
    farmNames: farms.map(([name, farm]) => ({ name, span: farm.nameSpan })),
  };
}

/** One text or a list of them. */
function listOf(setting: Setting | undefined): readonly Setting[] {
  if (setting === undefined) return [];
  return setting.items ?? [setting];
}

function filesOf(setting: Setting | undefined, folder: string): readonly { path: string; span: Span }[] {
  return listOf(setting).map(({ value, span }) => ({ path: resolve(folder, String(value)), span }));
}

function pathAt(setting: Setting | undefined, folder: string, ...path: readonly string[]): string | undefined {
  const text = textAt(setting, ...path);
  return text === undefined ? undefined : resolve(folder, text);
}

function iisOf(root: Setting | undefined, folder: string): readonly IisEntry[] {
  const entries = at(root, 'iis')?.items;
  if (entries === undefined) return [{ file: resolve(folder, HOST_FILE) }];
  return entries.flatMap((entry) => {
    const file = typeof entry.value === 'string' ? entry.value : textAt(entry, 'file');
    if (file === undefined) return [];
    const { span } = entry;
    return [
      {
        file: resolve(folder, file),
        ...present('site', textAt(entry, 'site')),
        ...present('path', textAt(entry, 'path')),
        span,
      },
    ];
  });
}

function bindingOf(setting: Setting): SettingsBinding {
  const protocol = textAt(setting, 'protocol') === 'http' ? 'http' : 'https';
  const port = at(setting, 'port')?.value;
  return {
    span: setting.span,
    protocol,
    address: parseAddress(textAt(setting, 'address') ?? '*') ?? '*',
    port: typeof port === 'number' ? port : protocol === 'http' ? 80 : 443,
    host: comparedName(textAt(setting, 'host') ?? ''),
    sslFlags: 0,
    site: textAt(setting, 'site') || 'Default Web Site',
  };
}

function certificatesOf(root: Setting | undefined, file: string): readonly CertificateSetting[] {
  const folder = dirname(file);
  const entries = at(root, 'certificates')?.items;
  if (entries === undefined) {
    return [{ kind: 'path', path: resolve(folder, '../certs'), span: { file, start: 0, end: 0 } }];
  }
  return entries.map((entry) =>
    typeof entry.value === 'string'
      ? { kind: 'path', path: resolve(folder, entry.value), span: entry.span }
      : certificateFileOf(entry, folder),
  );
}

function certificateFileOf(setting: Setting, folder: string): CertificateFileSetting {
  const listeners = at(setting, 'listeners') && textsAt(setting, 'listeners').map((text) => text.toLowerCase());
  return {
    kind: 'files',
    ...present('pfx', pathAt(setting, folder, 'pfx')),
    ...present('cert', pathAt(setting, folder, 'cert')),
    ...present('key', pathAt(setting, folder, 'key')),
    ...present('passphraseFile', pathAt(setting, folder, 'passphraseFile')),
    ...present('listeners', listeners),
    span: setting.span,
  };
}

function clientCertificatesOf(
  setting: Setting | undefined,
  folder: string,
): SettingsConfig['tls']['clientCertificates'] {
  if (setting === undefined) return undefined;
  const listeners = at(setting, 'listeners') && textsAt(setting, 'listeners').map((text) => text.toLowerCase());
  return {
    mode: textAt(setting, 'mode') === 'require' ? 'require' : 'request',
    ca: filesOf(at(setting, 'ca'), folder),
    ...present('listeners', listeners),
  };
}

function defaultCertificateOf(setting: Setting | undefined): SettingsConfig['defaultCertificate'] {
  if (setting === undefined) return undefined;
  const named = ({ value, span }: Setting) => ({ name: String(value), span });
  if (setting.keys === undefined) return named(setting);
  return { byListener: Object.fromEntries([...setting.keys].map(([key, value]) => [key.toLowerCase(), named(value)])) };
}

/** Of a farm that settings.json does not name, and of hosts that are no farm. Times in seconds. */
const FARM_DEFAULTS = {
  /** Of requests that wait where connections are limited; ARR has no such queue. */
  queueLength: 1000,
  queueTimeout: 10,
  slowStart: 10,
  retries: 2,
  retryBudget: 20,
  circuit: { failures: 3, pause: 0.25, longestPause: 5 },
  liveTrafficRecovery: 30,
  failuresInARow: 10,
  outlierLatency: { factor: 3, requests: 100, period: 10 },
} as const;

/** What holds for a farm that settings.json does not name. */
export function defaultFarmSettings(file: string): FarmSettings {
  return farmOf({ span: { file, start: 0, end: 0 } }, dirname(file));
}

function farmOf(setting: Setting, folder: string): FarmSettings {
  const verify = textAt(setting, 'verify');
  const certificate = at(setting, 'clientCertificate');
  const number = (name: 'queueLength' | 'queueTimeout' | 'slowStart' | 'retries' | 'retryBudget') =>
    numberAt(setting, [name], FARM_DEFAULTS[name]);
  return {
    span: setting.span,
    verify: verify === 'chain' || verify === 'none' ? verify : 'full',
    ...present('serverName', nameAt(setting, 'serverName')),
    pins: textsAt(setting, 'pins').map((pin) => pin.replace(/^sha256\//, '')),
    ...present('minVersion', placedTextAt(setting, 'minVersion') as FarmSettings['minVersion']),
    ...present('ciphers', placedTextAt(setting, 'ciphers')),
    ...present('allowPartialTrustChain', switchAt(setting, 'allowPartialTrustChain')),
    ...present('localAddress', textAt(setting, 'localAddress')),
    ...present('maxConnections', optionalNumberAt(setting, 'maxConnections')),
    queueLength: number('queueLength'),
    queueTimeout: number('queueTimeout'),
    ...(textAt(setting, 'algorithm') === 'LeastRequests' ? { algorithm: 'LeastRequests' } : {}),
    slowStart: number('slowStart'),
    retries: number('retries'),
    retryBudget: number('retryBudget'),
    ...present('circuit', circuitOf(at(setting, 'circuit'))),
    probes: (at(setting, 'probes')?.items ?? []).map(probeOf),
    ...present('liveTrafficRecovery', recoveryOf(at(setting, 'liveTraffic', 'recovery'))),
    failuresInARow: numberAt(setting, ['liveTraffic', 'failuresInARow'], FARM_DEFAULTS.failuresInARow),
    ...present('outlierLatency', outlierOf(at(setting, 'outlierLatency'))),
    ...present('clientCertificate', certificate && certificateFileOf(certificate, folder)),
  };
}

function circuitOf(setting: Setting | undefined): FarmSettings['circuit'] {
  if (setting?.value === false) return undefined;
  const { failures, pause, longestPause } = FARM_DEFAULTS.circuit;
  return {
    failures: numberAt(setting, ['failures'], failures),
    pause: numberAt(setting, ['pause'], pause),
    longestPause: numberAt(setting, ['longestPause'], longestPause),
  };
}

function probeOf(setting: Setting): ProbeSettings {
  return {
    span: setting.span,
    url: textAt(setting, 'url') ?? '',
    ...present('interval', optionalNumberAt(setting, 'interval')),
    ...present('timeout', optionalNumberAt(setting, 'timeout')),
    ...present('retries', optionalNumberAt(setting, 'retries')),
    ...present('statusCodeMatch', textAt(setting, 'statusCodeMatch')),
    ...present('responseMatch', textAt(setting, 'responseMatch')),
    ...present('hostName', nameAt(setting, 'hostName')),
    ...present('port', optionalNumberAt(setting, 'port')),
  };
}

function recoveryOf(setting: Setting | undefined): number | undefined {
  if (setting?.value === 'never') return undefined;
  return typeof setting?.value === 'number' ? setting.value : FARM_DEFAULTS.liveTrafficRecovery;
}

function outlierOf(setting: Setting | undefined): FarmSettings['outlierLatency'] {
  if (setting === undefined || setting.value === false) return undefined;
  const { factor, requests, period } = FARM_DEFAULTS.outlierLatency;
  return {
    factor: numberAt(setting, ['factor'], factor),
    requests: numberAt(setting, ['requests'], requests),
    period: numberAt(setting, ['period'], period),
  };
}

function workersOf(setting: Setting | undefined): SettingsConfig['workers'] {
  return typeof setting?.value === 'number' ? setting.value : 'auto';
}

/** A browser alone opens six, and there may be more than one behind an address. */
const LEAST_PER_ADDRESS = 10;

function limitsOf(root: Setting | undefined): SettingsConfig['limits'] {
  const number = (name: string, otherwise: number) => numberAt(root, ['limits', name], otherwise);
  const optional = (name: string) => optionalNumberAt(root, 'limits', name);
  const connections = number('connections', 20000);
  return {
    headerBytes: number('headerBytes', 65536),
    headerCount: number('headerCount', 200),
    targetBytes: number('targetBytes', 16384),
    ...present('bodyBytes', optional('bodyBytes')),
    connections,
    connectionsPerAddress: number('connectionsPerAddress', Math.max(LEAST_PER_ADDRESS, Math.ceil(connections / 10))),
    pinned: number('pinned', 10000),
    trailerBytes: number('trailerBytes', 8192),
  };
}

function timeoutsOf(root: Setting | undefined): SettingsConfig['timeouts'] {
  const number = (name: string, otherwise: number) => numberAt(root, ['timeouts', name], otherwise);
  return {
    handshake: number('handshake', 10),
    header: number('header', 20),
    idle: number('idle', 120),
    body: number('body', 60),
    connect: number('connect', 10),
    upgradeIdle: number('upgradeIdle', 3600),
    drain: number('drain', 30),
    hang: number('hang', 30),
  };
}

function logOf(root: Setting | undefined, folder: string): SettingsConfig['log'] {
  const format = textAt(root, 'log', 'access', 'format');
  const fields = at(root, 'log', 'access', 'fields');
  return {
    level: (textAt(root, 'log', 'level') ?? 'info') as SettingsConfig['log']['level'],
    access: {
      format: format === 'w3c' || format === 'off' ? format : 'json',
      ...present('file', pathAt(root, folder, 'log', 'access', 'file')),
      fields: fields === undefined ? accessLogFields : textsAt(root, 'log', 'access', 'fields'),
    },
  };
}

function adminOf(root: Setting | undefined, folder: string): SettingsConfig['admin'] {
  const admin = at(root, 'admin');
  if (admin?.value === false || at(admin, 'address')?.value === false) return false;
  const written = (textAt(admin, 'address') ?? '127.0.0.1:9443').replace(/^localhost:/, '127.0.0.1:');
  const { address, port } = parseAddressAndPort(written) ?? { address: '127.0.0.1', port: 9443 };
  const [tokenFile] = filesOf(at(admin, 'tokenFile'), folder);
  return {
    address,
    port,
    ...present('addressSpan', at(admin, 'address')?.span),
    ...present('tokenFile', tokenFile),
  };
}
