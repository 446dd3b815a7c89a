/** A traced request as lines that a person reads: each rule with what decided about it, then what became of the request. */
import type { TraceEvent, TraceNote, TraceRecorder } from './trace.ts';
import type { TracedError, TraceJson } from './trace-json.ts';

export interface PrintOptions {
  /** Notes of the recorder: what was captured, what was set. */
  readonly notes?: TraceRecorder['notes'];
  readonly colour?: boolean;
}

/** A longer value is cut: nobody reads on. */
const VALUE_LENGTH = 300;

/** Rules that did not match their pattern take one line each. */
export function printTrace(trace: TraceJson, { notes = [], colour = false }: PrintOptions = {}): string[] {
  const paint = painter(colour);
  const lines = [`${printable(trace.request.method)} ${printable(trace.request.url)}`];
  if (trace.events.length === 0) lines.push('', 'No rules were run.');
  let own: TracedRule | undefined;
  let note = 0;
  for (const [at, event] of trace.events.entries()) {
    if (event.event === 'URL_REWRITE_START') lines.push('', heading(event));
    if (event.event === 'RULE_EVALUATION_START') own = { events: [], notes: [] };
    own?.events.push(event);
    for (let next = notes[note]; next && next.after === at + 1; next = notes[++note]) own?.notes.push(next.note);
    if (event.event !== 'RULE_EVALUATION_END' || own === undefined) continue;
    // Nothing but the end of the scope stands behind a rule that could not be carried out.
    const failed = trace.outcome.action === 'error' && event.Succeeded !== true && at === trace.events.length - 2;
    lines.push(...printRule(own, failed, paint));
  }
  lines.push('', ...printOutcome(trace, paint));
  return lines;
}

function heading(event: TraceEvent): string {
  const query = event.QueryString === '' ? '' : `, query ${quoted(event.QueryString)}`;
  return `${printable(event.Scope)} rules on ${quoted(event.RequestURL)}${query}`;
}

/** The events and notes of one rule. */
interface TracedRule {
  readonly events: TraceEvent[];
  readonly notes: TraceNote[];
}

/** @param failed it is the one that ended in an error */
function printRule({ events, notes }: TracedRule, failed: boolean, paint: Paint): string[] {
  const find = (name: string) => events.find(({ event }) => event === name);
  const took = find('RULE_EVALUATION_END')?.Succeeded === true;
  const start = find('RULE_EVALUATION_START');
  const pattern = find('PATTERN_MATCH');
  const matched = pattern !== undefined && pattern.Matched !== pattern.Negated;
  const why = pattern === undefined ? withoutMatch(start, failed) : printPattern(pattern);
  const line = `${printable(start?.RuleName)}: ${why}`;
  if (!matched && !failed) return [paint('faint', `  -  ${line}`)];
  return [
    took ? paint('good', `  +  ${line}`) : `  -  ${line}`,
    ...events.filter(({ event }) => event === 'CONDITION_EVALUATION').map((event) => printCondition(event, paint)),
    ...printNotes(notes, took || failed),
    ...events.flatMap(printAction),
    ...(took && start?.StopProcessing === true ? ['     stops here'] : []),
    ...(failed ? [paint('bad', '     cannot be carried out')] : []),
  ];
}

function withoutMatch(start: TraceEvent | undefined, failed: boolean): string {
  return failed ? `on ${quoted(start?.RequestURL)}` : `not below ${quoted(start?.RelativePath)}`;
}

function printPattern(event: TraceEvent): string {
  // IIS takes no empty pattern, so this is a rule without one.
  if (event.Pattern === '') {
    return `${quoted(event.InputURL)} ${matches(event.Matched === true)}, as every URL does: the rule has no pattern${negated(event)}`;
  }
  return `${quoted(event.InputURL)} ${matches(event.Matched === true)} ${quoted(event.Pattern)}${negated(event)}`;
}

function printCondition(event: TraceEvent, paint: Paint): string {
  const holds = event.Succeeded === true;
  const mark = holds ? paint('good', 'yes') : paint('bad', 'no ');
  const value = `${printable(event.Input)} = ${quoted(event.ExpandedInput)}`;
  if (event.MatchType !== 'Pattern') {
    return `     ${mark} ${value} is no ${event.MatchType === 'IsFile' ? 'file' : 'folder'}: there are none here${negated(event)}`;
  }
  return `     ${mark} ${value} ${matches(holds !== event.Negated)} ${quoted(event.Pattern)}${negated(event)}`;
}

/** What maps were asked for, what back-references hold once the conditions are through, and what the rule set. */
function printNotes(notes: readonly TraceNote[], captures: boolean): string[] {
  const last = new Map<string, readonly (string | undefined)[]>();
  const asked = new Set<string>();
  const lines: string[] = [];
  for (const note of notes) {
    if (note.kind === 'captured') last.set(note.letter, note.values);
    else if (note.kind === 'set') lines.push(`     sets ${note.name} = ${quoted(note.value)}`);
    else asked.add(printAsked(note));
  }
  const assumed = notes.some((note) => note.kind === 'set' && note.assumed);
  if (assumed) lines.push('     provided that allowedServerVariables of applicationHost.config allows it');
  if (!captures) return [...asked, ...lines];
  const captured = [...last].flatMap(([letter, values]) =>
    values.map((value, index) => `{${letter}:${index}} = ${quoted(value ?? '')}`),
  );
  return [...asked, ...(captured.length > 0 ? [`     captured ${captured.join(', ')}`] : []), ...lines];
}

function printAsked({ map, key, value, known }: TraceNote & { kind: 'asked' }): string {
  return `     map ${printable(map)} asked for ${quoted(key)}: ${known ? '' : 'no such key, so '}${quoted(value)}`;
}

function printAction(event: TraceEvent): string[] {
  switch (event.event) {
    case 'REWRITE_ACTION':
      return [
        `     rewrites to ${printable(event.RewriteURL)}${event.QueryString === '' ? '' : `?${printable(event.QueryString)}`}`,
      ];
    case 'REDIRECT_ACTION':
      return [`     redirects to ${printable(event.RedirectURL)}`];
    case 'CUSTOM_RESPONSE_ACTION':
      return [`     answers ${printable(event.StatusCode)}.${printable(event.SubStatusCode)}`];
    case 'ABORT_REQUEST_ACTION':
      return ['     drops the connection'];
    default:
      return [];
  }
}

function printOutcome({ outcome, request }: TraceJson, paint: Paint): string[] {
  const field = (name: string) => printable(outcome[name] ?? '');
  const set = outcome.setVariables ?? {};
  const variables = Object.entries(set).map(([name, value]) => `   ${name} = ${quoted(value)}`);
  const result = (text: string, ...more: string[]) => [paint('strong', `=> ${text}`), ...more, ...variables];
  switch (outcome.action) {
    case 'proxy':
      return result(`proxied to ${field('url')}`, printServers(outcome));
    case 'redirect':
      return result(`redirected with ${field('status')} to ${field('location')}`);
    case 'respond':
      return result(
        `answered ${field('status')}.${field('subStatus')} ${field('reason')}`.trimEnd(),
        ...(outcome.body === '' ? [] : [`   ${field('body')}`]),
      );
    case 'abort':
      return result('connection dropped without an answer');
    case 'none':
      return result(
        outcome.rule === undefined
          ? 'no rule took it: 404'
          : `rule ${quoted(outcome.rule)} leaves it to a file; Lychgate has none: 404`,
        ...(pathOf(request.url) === outcome.url ? [] : [`   the URL is now ${field('url')}`]),
      );
    case 'error': {
      const { status, iisStatus = String(status), message } = outcome.error as TracedError;
      return result(`${iisStatus}: ${printable(message)}`);
    }
  }
}

/** Path and query of an absolute URL. */
function pathOf(url: string): string {
  const path = url.replace(/^\w+:\/\/[^/?#]*/, '').replace(/#.*/s, '');
  return path.startsWith('/') ? path : `/${path}`;
}

function printServers({ farm, servers }: TraceJson['outcome']): string {
  if (farm === undefined) return '   directly: no farm has this name';
  const list = Array.isArray(servers) ? servers.map(printable).join(', ') : '';
  return `   farm ${printable(farm)}: ${list === '' ? 'no server is enabled, the answer is 502.4' : list}`;
}

// ---- words -----------------------------------------------------------------------------------------------------

function matches(does: boolean): string {
  return does ? 'matches' : 'does not match';
}

function negated(event: TraceEvent): string {
  return event.Negated === true ? ' (negated)' : '';
}

function quoted(value: unknown): string {
  return `"${printable(value)}"`;
}

/** Nothing that came with a request may steer the terminal, and nothing is longer than a screen. */
export function printable(value: unknown): string {
  const text = String(value ?? '');
  const short = text.length > VALUE_LENGTH ? `${text.slice(0, VALUE_LENGTH)}…` : text;
  return short.replace(
    /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

type Paint = (style: keyof typeof STYLES, text: string) => string;

const STYLES = { good: '32', bad: '31', faint: '2', strong: '1' } as const;

function painter(colour: boolean): Paint {
  return (style, text) => (colour ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text);
}
