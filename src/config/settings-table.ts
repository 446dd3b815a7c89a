/** The table of every key of settings.json: type, range and meaning. The checker and the JSON schema both come from it. */
import { isIP } from 'node:net';
import { asciiName, comparedName, type Doubt, doubtAbout, isHostName } from '../host-name.ts';
import { lacksInterface } from '../ip-address.ts';
import { parseAddress, parseAddressAndPort, parseNetwork } from './network-address.ts';

export type SettingType = (
  | {
      readonly kind: 'object';
      readonly keys: Readonly<Record<string, SettingType>>;
      readonly required?: readonly string[];
    }
  | { readonly kind: 'record'; readonly value: SettingType; readonly key?: TextForm }
  | { readonly kind: 'list'; readonly item: SettingType }
  | { readonly kind: 'either'; readonly options: readonly SettingType[] }
  | { readonly kind: 'text'; readonly form?: TextForm; readonly names?: readonly string[] }
  | { readonly kind: 'number'; readonly min: number; readonly max: number; readonly whole: boolean }
  | { readonly kind: 'switch'; readonly only?: boolean }
) & { readonly meaning?: string };

/** A rule that a text must meet, and how to say it. */
export interface TextForm {
  readonly what: string;
  readonly fits: (text: string) => boolean;
  /** The one spelling of a text that can be written in several ways, where that is more than its case. */
  readonly plain?: (text: string) => string;
  /** How others may read a text that fits, where that is something else. */
  readonly doubt?: (text: string) => Doubt | undefined;
}

export const forms = {
  filled: { what: 'a text that is not empty', fits: (text) => text !== '' },
  address: {
    what: 'an IP address',
    fits: (text) => parseAddress(text) !== undefined,
    plain: (text) => parseAddress(text) ?? text,
  },
  localPlace: {
    what: '*, an IP address of this machine (one of fe80:: with its interface, as in fe80::1%eth0), or the name of an interface',
    fits: (text) =>
      text === '*' || isInterfaceName(text) || (parseAddress(text) !== undefined && !lacksInterface(text)),
  },
  anyAddress: { what: 'an IP address or *', fits: (text) => text === '*' || parseAddress(text) !== undefined },
  listener: {
    what: 'address:port, as in 203.0.113.5:443 or *:443',
    fits: (text) => parseAddressAndPort(text) !== undefined,
  },
  adminAddress: {
    what: 'address:port, as in 127.0.0.1:9443',
    fits: (text) => parseAddressAndPort(text.replace(/^localhost:/, '127.0.0.1:')) !== undefined,
  },
  hostName: {
    what: 'a host name: letters, digits, hyphens and underscores between dots',
    fits: (text) => text.length <= 253 && !text.startsWith('*') && isHostName(asciiName(text) ?? ''),
    plain: comparedName,
    doubt: doubtAbout,
  },
  /** One that is ASCII may hold anything. */
  name: { what: 'a name of a host', fits: (text) => text !== '' && asciiName(text) !== undefined, doubt: doubtAbout },
  bindingHost: {
    what: 'a host name, or nothing for any',
    fits: (text) => asciiName(text) !== undefined,
    doubt: doubtAbout,
  },
  network: { what: 'an address or a network, as in 10.0.0.0/8', fits: (text) => parseNetwork(text) !== undefined },
  dnsServer: {
    what: 'an IP address, with or without a port',
    fits: (text) => isIP(text) !== 0 || (parseAddressAndPort(text)?.address ?? '*') !== '*',
  },
  absoluteUrl: {
    what: 'a URL without a login, as in https://fe/owa/healthcheck.htm',
    fits: (text) => /^https?:\/\/[^/?#@\\]+(?:[/?#]|$)/i.test(text) && URL.canParse(text),
  },
  statusCodes: {
    what: 'status codes from 100 to 999, as in 200-399,401',
    fits: (text) => text.split(',').every(isStatusRange),
  },
  pin: {
    what: 'a SHA-256 in base64 (44 characters)',
    fits: (text) => /^(sha256\/)?[A-Za-z0-9+/]{43}=$/.test(text),
  },
} as const satisfies Record<string, TextForm>;

/** As systems give them: of a faulty address, a network or `address:port` it says that it is none. */
function isInterfaceName(text: string): boolean {
  return /^[\p{L}_][\p{L}\p{N} ._@+()-]*(?::[\p{L}\p{N}_-]+)?$/u.test(text);
}

function isStatusRange(text: string): boolean {
  const [, from, to = from] = /^\s*([1-9]\d\d)\s*(?:-\s*([1-9]\d\d)?\s*)?$/.exec(text) ?? [];
  return from !== undefined && to !== undefined && from <= to;
}

const text: SettingType = { kind: 'text', form: forms.filled };
const flag: SettingType = { kind: 'switch' };
const listener: SettingType = { kind: 'text', form: forms.listener };
const address: SettingType = { kind: 'text', form: forms.address };

function names(...allowed: string[]): SettingType {
  return { kind: 'text', names: allowed };
}

function list(item: SettingType, meaning?: string): SettingType {
  return { kind: 'list', item, ...(meaning === undefined ? {} : { meaning }) };
}

function object(
  keys: Readonly<Record<string, SettingType>>,
  meaning?: string,
  required?: readonly string[],
): SettingType {
  return {
    kind: 'object',
    keys,
    ...(required === undefined ? {} : { required }),
    ...(meaning === undefined ? {} : { meaning }),
  };
}

function count(min: number, meaning: string, max = 2 ** 31 - 1): SettingType {
  return { kind: 'number', min, max, whole: true, meaning };
}

/** Timers of the runtime hold at most 24 days, and some run a little longer than what is set. */
function seconds(meaning: string, min = 0.001): SettingType {
  return { kind: 'number', min, max: 1_000_000, whole: false, meaning };
}

function switchedOff(type: SettingType, meaning: string): SettingType {
  return { kind: 'either', options: [{ kind: 'switch', only: false }, type], meaning };
}

function described(type: SettingType, meaning: string): SettingType {
  return { ...type, meaning };
}

const certificateFile: SettingType = object({
  pfx: text,
  cert: text,
  key: text,
  passphraseFile: text,
  listeners: list(listener),
});

const certificateOfOurs: SettingType = object(
  { pfx: text, cert: text, key: text, passphraseFile: text },
  'The certificate that we show to the servers.',
);

/** Columns of the access log, IIS's first. */
export const accessLogFields: readonly string[] = [
  ...['date', 'time', 's-ip', 'cs-method', 'cs-uri-stem', 'cs-uri-query', 's-port', 'cs-username', 'c-ip'],
  ...['cs(User-Agent)', 'cs(Referer)', 'cs-host', 'sc-status', 'sc-substatus', 'sc-win32-status', 'sc-bytes'],
  ...['cs-bytes', 'time-taken', 'x-arr-log-id', 'x-site', 'x-rule', 'x-farm', 'x-server', 'x-protocol', 'x-tls'],
  'x-server-time',
];

export const settingsTable: SettingType & { readonly kind: 'object' } = {
  kind: 'object',
  keys: {
    $schema: text,
    iis: list(
      { kind: 'either', options: [text, object({ file: text, site: text, path: text }, undefined, ['file'])] },
      'IIS files: a name, or a file with the site and path it belongs to.',
    ),
    bindings: list(
      object({
        protocol: names('http', 'https'),
        address: { kind: 'text', form: forms.anyAddress },
        port: count(1, 'TCP port.', 65535),
        host: { kind: 'text', form: forms.bindingHost },
        site: { kind: 'text' },
      }),
      'Bindings, used when the IIS files hold no sites.',
    ),
    certificates: list({ kind: 'either', options: [text, certificateFile] }, 'Folders or files of certificates.'),
    defaultCertificate: {
      kind: 'either',
      options: [text, { kind: 'record', value: text }],
      meaning: 'What clients without SNI get: a name or thumbprint, or one for each address:port.',
    },
    tls: object({
      minVersion: names('TLSv1.2', 'TLSv1.3'),
      ciphers: text,
      legacyListeners: list(listener, 'Listeners that also take TLS 1.0 and 1.1.'),
      clientCertificates: object(
        {
          mode: names('request', 'require'),
          ca: { kind: 'either', options: [text, list(text)], meaning: 'Files with certificates of authorities.' },
          listeners: list(listener, 'Where clients are asked; without it everywhere.'),
        },
        'Certificates that clients are asked for.',
        ['mode', 'ca'],
      ),
    }),
    hosts: {
      kind: 'record',
      value: address,
      key: forms.hostName,
      meaning: 'Host names and their addresses, before the hosts file and DNS.',
    },
    dns: list({ kind: 'text', form: forms.dnsServer }, 'DNS servers to ask in place of those of the system.'),
    upstream: object({
      ca: { kind: 'either', options: [text, list(text)], meaning: 'Files with certificates of authorities.' },
      localAddress: address,
      allowPartialTrustChain: described(
        flag,
        'Whether an issuing authority of "ca" is trusted by itself, without its root.',
      ),
      allow: list({ kind: 'text', form: forms.name }, 'Hosts that a computed target of a rule may name.'),
    }),
    farms: {
      kind: 'record',
      value: object({
        verify: names('full', 'chain', 'none'),
        serverName: { kind: 'text', form: forms.name },
        pins: list({ kind: 'text', form: forms.pin }),
        minVersion: {
          kind: 'text',
          names: ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'],
          meaning: 'The oldest TLS that is spoken with the servers, TLSv1.2 by default.',
        },
        ciphers: described(text, 'Ciphers for the servers, as OpenSSL names them.'),
        allowPartialTrustChain: described(flag, 'As that of "upstream", for this farm.'),
        localAddress: address,
        maxConnections: count(1, 'Connections of a worker to each server.'),
        queueLength: count(0, 'Requests that wait for a connection.'),
        queueTimeout: seconds('Waiting for a connection.'),
        algorithm: { kind: 'text', names: ['LeastRequests'], meaning: 'In place of the algorithm in the IIS file.' },
        slowStart: seconds('How long a server that returns gets less than its share.', 0),
        retries: count(0, 'Other servers that are tried for a request.', 100),
        retryBudget: {
          kind: 'number',
          min: 0,
          max: 100,
          whole: false,
          meaning: 'Percent of the requests that may be sent to a second server.',
        },
        circuit: switchedOff(
          object({
            failures: count(1, 'Connections in a row that cannot be made.'),
            pause: seconds('Before the first try to reach the server again.'),
            longestPause: seconds('Between later tries.'),
          }),
          'When a server that cannot be reached gets no more requests; false for never.',
        ),
        probes: list(
          object(
            {
              url: { kind: 'text', form: forms.absoluteUrl },
              interval: seconds('Between tests.'),
              timeout: seconds('For the whole answer.'),
              retries: count(0, 'Tests in a row that may fail.', 1000),
              statusCodeMatch: { kind: 'text', form: forms.statusCodes },
              responseMatch: text,
              hostName: { kind: 'text', form: forms.hostName },
              port: count(1, 'TCP port.', 65535),
            },
            undefined,
            ['url'],
          ),
          'URL tests beside that of the IIS file; a server must pass all of them.',
        ),
        liveTraffic: object({
          recovery: {
            kind: 'either',
            options: [names('never'), seconds('Until a server that failed live traffic gets requests again.')],
            meaning: "Seconds, or 'never' as ARR has it.",
          },
          failuresInARow: count(0, 'Requests without a valid answer that take a server out; 0 for never.'),
        }),
        outlierLatency: switchedOff(
          object({
            factor: {
              kind: 'number',
              min: 1.5,
              max: 1000,
              whole: false,
              meaning: 'Times the median of the other servers.',
            },
            requests: count(10, 'Least requests of a period to judge by.'),
            period: seconds('Over which the time of answers is compared.', 1),
          }),
          'Takes a server out that answers much later than the others; false (the default) for never.',
        ),
        clientCertificate: certificateOfOurs,
      }),
      meaning: 'Settings of web farms that IIS has no attribute for, by farm name.',
    },
    workers: {
      kind: 'either',
      options: [names('auto'), count(1, 'Processes.', 1024)],
      meaning: 'Processes that serve.',
    },
    http2: described(flag, 'Whether clients may use HTTP/2.'),
    trustedProxies: list({ kind: 'text', form: forms.network }, 'Networks whose forwarded headers count.'),
    addresses: {
      kind: 'record',
      value: { kind: 'text', form: forms.localPlace },
      key: forms.address,
      meaning: 'Addresses of bindings, and what stands for each on this machine: an address, an interface or *.',
    },
    publicAddresses: list(address, 'Our addresses on the other side of a NAT.'),
    acknowledge: list(text, 'IIS sections known not to be carried out.'),
    limits: object({
      headerBytes: count(1024, 'Size of a header block.'),
      headerCount: count(1, 'Header fields of a message.'),
      targetBytes: count(64, 'Size of a request target.'),
      bodyBytes: count(0, 'Size of a request body.', Number.MAX_SAFE_INTEGER),
      connections: count(1, 'Client connections of a worker.'),
      connectionsPerAddress: count(
        1,
        'Client connections of one address, or one /64 of IPv6, over all workers: a tenth of connections where it is not said, but at least 10. Networks of trustedProxies are not counted.',
      ),
      pinned: count(0, 'Connections bound to one client.'),
      trailerBytes: count(0, 'Size of a trailer block.'),
    }),
    timeouts: object({
      handshake: seconds('TLS handshake.'),
      header: seconds('A whole header block.'),
      idle: seconds('Keep-alive.'),
      body: seconds('Between bytes of a body.'),
      connect: seconds('Connecting to a server.'),
      upgradeIdle: seconds('A silent WebSocket.'),
      drain: seconds('Requests under way at a stop.'),
      hang: seconds('A worker that does not answer, until it is killed and replaced.', 3),
    }),
    log: object({
      level: names('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
      access: object({ format: names('json', 'w3c', 'off'), file: text, fields: list(names(...accessLogFields)) }),
    }),
    affinitySecretFile: described(text, 'File with the secret behind the values of affinity cookies.'),
    stateFile: described(text, 'File that keeps the states of servers over a restart.'),
    admin: {
      kind: 'either',
      options: [
        { kind: 'switch', only: false },
        object({
          address: {
            kind: 'either',
            options: [
              { kind: 'switch', only: false },
              { kind: 'text', form: forms.adminAddress },
            ],
          },
          tokenFile: described(text, 'File with the token that clients of the API have to know.'),
        }),
      ],
      meaning: 'The admin listener; false for none.',
    },
  },
};
