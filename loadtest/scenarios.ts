/** The table of scenarios: what is asked, how it is asked, and in what its figures are given. */
import type { Duty } from './competitors/competitor.ts';
import { FILES, UPLOAD_PATH } from './origin.ts';
import { DOMAIN } from './run-folder.ts';

interface Common {
  readonly name: string;
  readonly title: string;
  readonly about: string;
  readonly workers: number;
  readonly hosts: readonly string[];
  /** Part of `--quick`. */
  readonly quick: boolean;
}

export interface LoadScenario extends Common {
  readonly kind: 'load';
  readonly duty: Exclude<Duty, 'idle' | 'polls'>;
  readonly tool: 'autocannon' | 'stream' | 'h2load';
  readonly path: string;
  readonly method: 'GET' | 'POST';
  readonly uploadBytes: number;
  readonly connections: number;
  /** Streams on each connection of HTTP/2. */
  readonly streams: number;
  /** Requests per second, where it is not as many as there can be. Only h2load keeps to one. */
  readonly rate?: number;
  /** Requests that a program on Node is warmed up with at least, where the seconds of it are not enough. */
  readonly warmUpRequests: number;
  /** What an instance has served before, in the order of time. */
  readonly after: readonly LoadScenario[];
  /** What throughput and CPU are counted in. */
  readonly unit: 'request' | 'MiB';
  /** Units in one request. */
  readonly unitsPerRequest: number;
}

/** Many connections at once, for the memory that each of them takes. */
export interface ConnectionScenario extends Common {
  readonly kind: 'connections';
  /** Idle after its answer; or waiting for it, and so holding a connection to the server too. */
  readonly duty: 'idle' | 'polls';
  readonly connections: number;
  readonly quickConnections: number;
}

export type Scenario = LoadScenario | ConnectionScenario;

const HOSTS = ['meet', 'dialin', 'lyncdiscover', 'webext'].map((name) => `${name}.${DOMAIN}`);
/** The load goes to the last one. */
const MANY_HOSTS = Array.from({ length: 1000 }, (_, number) => `site${number}.${DOMAIN}`);
const MIB = 2 ** 20;

type LoadDetails = Pick<LoadScenario, 'name' | 'title' | 'about' | 'connections'> & Partial<LoadScenario>;

/** A load scenario; what is left out is as in the first of the table. */
function load(details: LoadDetails): LoadScenario {
  return {
    kind: 'load',
    duty: 'http1',
    workers: 1,
    hosts: HOSTS,
    quick: true,
    tool: 'autocannon',
    path: '/1k',
    method: 'GET',
    uploadBytes: 0,
    streams: 1,
    warmUpRequests: 0,
    after: [],
    unit: 'request',
    unitsPerRequest: 1,
    ...details,
  };
}

/** Large bodies are counted in MiB. */
function inMib(bytes: number): Pick<LoadScenario, 'unit' | 'unitsPerRequest'> {
  return { unit: 'MiB', unitsPerRequest: bytes / MIB };
}

const HANDSHAKE = load({
  name: 'handshake',
  title: 'Connection per request',
  about: 'a full TLS 1.3 handshake (ECDSA P-256) and one request of 1 KiB, 16 at once',
  connections: 16,
  duty: 'handshake',
  tool: 'stream',
  // Few fit into a second, and it takes thousands until the compiler is done with what runs once for each.
  warmUpRequests: 6000,
});
const MEDIUM = load({
  name: '64k',
  title: '64 KiB answers',
  about: '32 connections with keep-alive',
  connections: 32,
  path: '/64k',
  quick: false,
  ...inMib(FILES['64k']),
});
const UPLOAD = load({
  name: 'upload',
  title: 'Uploads of 1 MiB',
  about: 'POST with Content-Length, 8 connections with keep-alive, answered 204',
  connections: 8,
  path: UPLOAD_PATH,
  method: 'POST',
  uploadBytes: MIB,
  quick: false,
  ...inMib(MIB),
});

export const SCENARIOS: readonly Scenario[] = [
  load({
    name: 'small',
    title: '1 KiB answers, keep-alive',
    about: '32 connections, one request at a time on each',
    connections: 32,
  }),
  load({
    name: 'mixed',
    title: '1 KiB answers after other work',
    about: '32 connections, on instances that have served 64 KiB answers, uploads and connections of one request',
    connections: 32,
    quick: false,
    after: [MEDIUM, UPLOAD, HANDSHAKE],
  }),
  load({
    name: 'rate',
    title: '1 KiB answers, 5,000 a second',
    about: '32 connections with keep-alive',
    connections: 32,
    tool: 'h2load',
    rate: 5000,
  }),
  HANDSHAKE,
  MEDIUM,
  load({
    name: '1m',
    title: '1 MiB answers',
    about: '16 connections with keep-alive',
    connections: 16,
    path: '/1m',
    ...inMib(FILES['1m']),
  }),
  load({
    name: '100m',
    title: '100 MiB answers',
    about: '4 connections with keep-alive',
    connections: 4,
    path: '/100m',
    tool: 'stream',
    quick: false,
    ...inMib(FILES['100m']),
  }),
  UPLOAD,
  load({
    name: 'rules',
    title: '1,000 rules',
    about: '1,000 published hosts with a rule each, 1 KiB answers for the last of them, 32 connections',
    connections: 32,
    duty: 'rules',
    hosts: MANY_HOSTS,
    quick: false,
  }),
  load({
    name: 'h2-small',
    title: 'HTTP/2, 1 KiB answers',
    about: '16 connections with 8 streams each; HTTP/1.1 to the server',
    connections: 16,
    streams: 8,
    duty: 'http2',
    tool: 'h2load',
  }),
  load({
    name: 'h2-1m',
    title: 'HTTP/2, 1 MiB answers',
    about: '16 connections with 1 stream each; HTTP/1.1 to the server',
    connections: 16,
    duty: 'http2',
    tool: 'h2load',
    path: '/1m',
    quick: false,
    ...inMib(FILES['1m']),
  }),
  {
    kind: 'connections',
    name: 'idle',
    title: 'Idle keep-alive connections',
    about: 'each has had one answer of 1 KiB, then waits; one worker',
    duty: 'idle',
    workers: 1,
    hosts: HOSTS,
    quick: true,
    connections: 8000,
    quickConnections: 1000,
  },
  {
    kind: 'connections',
    name: 'polls',
    title: 'Long polls',
    about: 'each waits for its answer, with its own TLS connection to the server; two workers',
    duty: 'polls',
    workers: 2,
    hosts: HOSTS,
    quick: true,
    connections: 8000,
    quickConnections: 500,
  },
];
