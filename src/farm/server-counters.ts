/**
 * What one server of a farm has had to do, under the names of ARR's runtime data. Plain fields, which each request changes
 * where it goes on anyway. Sent is what went to the server, received what came from it: bodies, without heads.
 *
 * A request to upgrade counts among the WebSockets from its start, whatever the server answers, and all others among the
 * requests. Failed are those that the server is to blame for: it was not reached, broke off, or sent no valid answer in time.
 */
export class ServerCounters {
  totalRequests = 0;
  currentRequests = 0;
  failedRequests = 0;
  bytesSent = 0;
  bytesReceived = 0;
  totalWebSocketRequests = 0;
  currentWebSocketRequests = 0;
  failedWebSocketRequests = 0;
  webSocketBytesSent = 0;
  webSocketBytesReceived = 0;
  /** Answers, and the sum of the milliseconds until their heads came: what ARR's `responseTime` is made from. */
  answers = 0;
  answerTime = 0;

  begin(upgrade: boolean): void {
    if (upgrade) this.currentWebSocketRequests++;
    else this.currentRequests++;
  }

  /** Whoever is turned away while it waits in line is under way there, and never one of all. */
  count(upgrade: boolean): void {
    if (upgrade) this.totalWebSocketRequests++;
    else this.totalRequests++;
  }

  fail(upgrade: boolean): void {
    if (upgrade) this.failedWebSocketRequests++;
    else this.failedRequests++;
  }

  end(upgrade: boolean): void {
    if (upgrade) this.currentWebSocketRequests--;
    else this.currentRequests--;
  }
}

/** The numbers alone, as they cross a process border. */
export type CounterValues = {
  readonly [Name in keyof ServerCounters as ServerCounters[Name] extends number ? Name : never]: number;
};

export function addCounters(sum: ServerCounters, more: CounterValues): void {
  sum.totalRequests += more.totalRequests;
  sum.currentRequests += more.currentRequests;
  sum.failedRequests += more.failedRequests;
  sum.bytesSent += more.bytesSent;
  sum.bytesReceived += more.bytesReceived;
  sum.totalWebSocketRequests += more.totalWebSocketRequests;
  sum.currentWebSocketRequests += more.currentWebSocketRequests;
  sum.failedWebSocketRequests += more.failedWebSocketRequests;
  sum.webSocketBytesSent += more.webSocketBytesSent;
  sum.webSocketBytesReceived += more.webSocketBytesReceived;
  sum.answers += more.answers;
  sum.answerTime += more.answerTime;
}
