/** What the admin listener may ask of the service. The service provides it. */

/** ARR's verbs: `SetState` with its four states, and the marks of health. */
export type ServerAction = 'Start' | 'Drain' | 'GracefulStop' | 'ForcefulStop' | 'SetHealthy' | 'SetUnhealthy';

/** Under the names of ARR's runtime data. Requests are HTTP requests, WebSockets are counted apart. */
export interface ReportedCounters {
  readonly totalRequests: number;
  readonly currentRequests: number;
  readonly failedRequests: number;
  /** Over the last second or so. */
  readonly requestPerSecond: number;
  /** Bytes of bodies, to and from the server. */
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Milliseconds until the head of an answer, on average over all answers. */
  readonly responseTime: number;
  readonly totalWebSocketRequests: number;
  readonly currentWebSocketRequests: number;
  readonly failedWebSocketRequests: number;
  readonly webSocketBytesSent: number;
  readonly webSocketBytesReceived: number;
}

export interface ReportedServer {
  readonly address: string;
  /** As the IIS file has it: a server that is switched off there takes no state. */
  readonly enabled: boolean;
  readonly state: 'Active' | 'Draining' | 'Inactive';
  readonly isHealthy: boolean;
  /** Why it is unhealthy; `''` for a healthy one. */
  readonly healthReason: string;
  /** ISO 8601; `null` while it has not changed. */
  readonly healthSince: string | null;
  /** Connections can be made at one of its ports, as far as anybody has tried. */
  readonly isReachable: boolean;
  /**
   * Clients that are not bound elsewhere may be sent there: it is Active and healthy, or among the last (`minServers`), and it is
   * reachable.
   */
  readonly takesRequests: boolean;
  readonly weight: number;
  readonly counters: ReportedCounters;
}

export interface ReportedFarm {
  readonly name: string;
  readonly enabled: boolean;
  readonly servers: readonly ReportedServer[];
  /** The sum of its servers. */
  readonly counters: ReportedCounters;
}

/** Why an action was not carried out. */
export type Refusal = 'unknownFarm' | 'unknownServer' | 'switchedOff' | 'noTest';

/** What became of an action. */
export interface Done {
  /** As the file has it. */
  readonly farm: string;
  /** As it is now. */
  readonly server: ReportedServer;
  /** False where a worker does not answer: it goes by the change as soon as it does. */
  readonly everywhere: boolean;
  /** Whether it outlives the service: false where the state file could not be written, `null` where there is none. */
  readonly kept: boolean | null;
}

/** ARR's TestHealth. */
export interface Tested {
  readonly farm: string;
  readonly server: ReportedServer;
  readonly result: 'Success' | 'ConnectionFailure' | 'StatusCodeFailure' | 'ResponseEntityFailure';
}

export interface Control {
  /** True while requests are served. */
  ready(): boolean;
  /** With the counters of all workers as they stand now. */
  farms(): Promise<readonly ReportedFarm[]>;
  /** What an administrator should know and no server shows, as sentences. */
  notices(): readonly string[];
  /**
   * Carries out an action. Resolves when all workers go by it and it is kept, or would take too long. Names in any letter case.
   * @param by who asks, for the log
   */
  act(farm: string, server: string, action: ServerAction, by: string): Promise<Refusal | Done>;
  /** One round of the URL tests, now. */
  test(farm: string, server: string, by: string): Promise<Refusal | Tested>;
}
