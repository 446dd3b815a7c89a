/** A traced request as JSON (design, section 3) and as lines that a person reads. */
import type { RewriteOutcome } from './outcome.ts';
import type { TraceEvent, TraceRecorder } from './trace.ts';

/** A farm as far as a trace shows it; `servers` for the scheme that the rule wrote. */
export interface TracedFarm {
  readonly name: string;
  readonly servers: (scheme: 'http' | 'https') => readonly string[];
}

export interface TracedRequest {
  readonly method: string;
  readonly url: string;
}

export interface TraceJson {
  readonly request: TracedRequest;
  readonly outcome: {
    readonly action: RewriteOutcome['kind'];
    readonly [field: string]: unknown;
  };
  readonly events: readonly TraceEvent[];
}

/** @param farms the farms of the configuration; the host of the outcome is looked up by name, ignoring case */
export function traceJson(
  outcome: RewriteOutcome,
  recording: TraceRecorder,
  request: TracedRequest,
  farms: readonly TracedFarm[] = [],
): TraceJson {
  return { request, outcome: outcomeJson(outcome, farms), events: recording.events };
}

function outcomeJson(outcome: RewriteOutcome, farms: readonly TracedFarm[]): TraceJson['outcome'] {
  switch (outcome.kind) {
    case 'none':
      return { action: 'none', url: outcome.target, ...variables(outcome.setVariables) };
    case 'proxy': {
      const { scheme, host, port, target, setVariables } = outcome;
      const farm = farms.find(({ name }) => name.toLowerCase() === host);
      return {
        action: 'proxy',
        url: `${scheme}://${host}${port === undefined ? '' : `:${port}`}${target}`,
        ...(farm ? { farm: farm.name, servers: farm.servers(scheme) } : {}),
        ...variables(setVariables),
      };
    }
    case 'redirect':
      return { action: 'redirect', status: outcome.status, location: outcome.location };
    case 'respond': {
      const { status, subStatus, reason, body } = outcome;
      return { action: 'respond', status, subStatus, reason, body };
    }
    case 'abort':
      return { action: 'abort' };
    case 'error':
      return { action: 'error', error: { iisStatus: iisStatus(outcome), message: outcome.message } };
  }
}

function iisStatus(outcome: RewriteOutcome & { kind: 'error' }): string {
  if (outcome.badRequest) return '400';
  return outcome.global ? '500.51' : '500.50';
}

function variables(set: ReadonlyMap<string, string> | undefined): { setVariables?: Record<string, string> } {
  return set && set.size > 0 ? { setVariables: Object.fromEntries(set) } : {};
}

/** Lines for the terminal: each rule with what decided about it, then the outcome. */
export function printTrace(trace: TraceJson): string[] {
  const lines = [`${trace.request.method} ${printable(trace.request.url)}`];
  for (const event of trace.events) {
    const line = printEvent(event);
    if (line !== undefined) lines.push(line);
  }
  lines.push('', ...printOutcome(trace.outcome));
  return lines;
}

/** Nothing that came with a request may steer the terminal. */
function printable(value: unknown): string {
  return String(value).replace(
    /[\x00-\x1f\x7f-\x9f]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

function printEvent(event: TraceEvent): string | undefined {
  const field = (name: string) => printable(event[name] ?? '');
  const quoted = (name: string) => `"${field(name)}"`;
  switch (event.event) {
    case 'URL_REWRITE_START':
      return `\n${field('Scope')} rules on ${quoted('RequestURL')}`;
    case 'RULE_EVALUATION_START':
      return `  rule ${quoted('RuleName')}`;
    case 'PATTERN_MATCH':
      return `    ${quoted('InputURL')} ${event.Matched === true ? 'matches' : 'does not match'} ${quoted('Pattern')}${negated(event)}`;
    case 'CONDITION_EVALUATION':
      return event.MatchType === 'Pattern'
        ? `    ${mark(event)} ${field('Input')} = ${quoted('ExpandedInput')} against ${quoted('Pattern')}${negated(event)}`
        : `    ${mark(event)} ${field('MatchType')} ${quoted('ExpandedInput')}${negated(event)}`;
    case 'CONDITIONS_EVALUATION_END':
      return event.Succeeded === true ? '    conditions hold' : '    conditions fail';
    case 'SET_SERVER_VARIABLE':
      return `    sets ${field('Name')} = ${quoted('Value')}`;
    case 'REWRITE_ACTION':
      return `    rewrites to ${field('RewriteURL')}${event.QueryString === '' ? '' : `?${field('QueryString')}`}`;
    case 'REDIRECT_ACTION':
      return `    redirects to ${field('RedirectURL')}`;
    case 'CUSTOM_RESPONSE_ACTION':
      return `    answers ${field('StatusCode')}.${field('SubStatusCode')}`;
    case 'ABORT_REQUEST_ACTION':
      return '    drops the connection';
    case 'RULE_EVALUATION_END':
      return event.Succeeded === true && event.StopProcessing === true ? '    stops here' : undefined;
    default:
      return undefined;
  }
}

function mark(event: TraceEvent): string {
  return event.Succeeded === true ? 'yes' : 'no ';
}

function negated(event: TraceEvent): string {
  return event.Negated === true ? ' (negated)' : '';
}

function printOutcome(outcome: TraceJson['outcome']): string[] {
  const field = (name: string) => printable(outcome[name] ?? '');
  const lines: string[] = [];
  switch (outcome.action) {
    case 'proxy':
      lines.push(`=> proxied to ${field('url')}`);
      if (outcome.farm !== undefined)
        lines.push(`   farm ${field('farm')}: ${[outcome.servers].flat().map(printable).join(', ')}`);
      break;
    case 'redirect':
      lines.push(`=> ${field('status')} to ${field('location')}`);
      break;
    case 'respond':
      lines.push(`=> ${field('status')}.${field('subStatus')} ${field('reason')}`, `   ${field('body')}`);
      break;
    case 'abort':
      lines.push('=> connection dropped');
      break;
    case 'none':
      lines.push(`=> no rule took it (${field('url')}): 404`);
      break;
    case 'error': {
      const { error } = outcome;
      const { iisStatus: status, message } = error as { iisStatus: string; message: string };
      lines.push(`=> ${status}: ${printable(message)}`);
    }
  }
  const set = outcome.setVariables;
  if (typeof set === 'object' && set !== null) {
    for (const [name, value] of Object.entries(set)) lines.push(`   ${name} = "${printable(value)}"`);
  }
  return lines;
}
