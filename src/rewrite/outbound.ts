/** Runs outbound rules over the head of an answer, and tells which of them its body is for. */
import type { HeaderList } from '../header-list.ts';
import type { CompiledSite } from './compile.ts';
import { failed, type HeaderPlace, mayRun, type OutboundRule, rewriteText } from './outbound-rule.ts';
import { failure, type LeftByRules } from './outcome.ts';
import { isBelow } from './rule.ts';
import { headerValue, type ResponseHead, type RewriteRequest, variableReader } from './server-variables.ts';
import type { Evaluation } from './template.ts';

/** The outbound rules for the answer to one request, with what they know of the request. */
export interface OutboundPass {
  readonly rules: readonly OutboundRule[];
  readonly request: RewriteRequest;
  readonly rewritten: boolean;
  /** What inbound rules have set. */
  readonly set: ReadonlyMap<string, string> | undefined;
}

/** Nothing where no outbound rule is in force at the path that the client asked for. */
export function openOutbound(
  site: CompiledSite,
  request: RewriteRequest,
  outcome: LeftByRules,
): OutboundPass | undefined {
  if (!site.hasOutbound) return undefined;
  const rules = site.scopes.find(({ path }) => isBelow(path, request.target.path))?.outbound;
  if (rules === undefined) return undefined;
  return { rules, request, rewritten: outcome.urlRewritten, set: outcome.setVariables };
}

/** The rules that are to change a body, which their preConditions let run. */
export interface BodyRules {
  readonly rules: readonly OutboundRule[];
  readonly evaluation: Evaluation;
}

export interface RewrittenHead {
  /** Names and values in turn. */
  readonly headers: HeaderList;
  /** Absent where no rule wants the body. */
  readonly body: BodyRules | undefined;
}

/** One header line, or the place of one that is not there. */
interface Field {
  readonly name: string;
  readonly lower: string;
  value: string;
  present: boolean;
  /** A rule with `stopProcessing` has matched here. */
  stopped: boolean;
}

interface HeadPass {
  readonly fields: Field[];
  readonly variables: Map<string, Field>;
  readonly evaluation: OutboundEvaluation;
  /** The line that a rule works on: while it does, the variable of this header is its value alone. */
  current: Field | undefined;
}

interface OutboundEvaluation extends Evaluation {
  set: ReadonlyMap<string, string> | undefined;
}

/**
 * Runs the rules in order, each at every line of its header.
 * @param headers names and values in turn, as a client would get them without the rules
 * @throws ExchangeError when a rule fails
 */
export function rewriteHead(outbound: OutboundPass, status: number, headers: HeaderList): RewrittenHead {
  const pass = openHead(outbound, status, headers);
  const forBody: OutboundRule[] = [];
  for (const rule of outbound.rules) {
    const { place } = rule;
    if (place.kind === 'tags' || place.kind === 'body') {
      if (mayRun(rule, pass.evaluation)) forBody.push(rule);
      continue;
    }
    for (const field of fieldsAt(place, pass)) {
      if (field.stopped) continue;
      pass.current = field;
      if (mayRun(rule, pass.evaluation)) rewriteField(rule, place, field, pass);
    }
    pass.current = undefined;
  }
  return {
    headers: pass.fields.flatMap(({ name, value, present }) => (present ? [name, value] : [])),
    body: forBody.length > 0 ? { rules: forBody, evaluation: pass.evaluation } : undefined,
  };
}

function openHead({ request, rewritten, set }: OutboundPass, status: number, headers: HeaderList): HeadPass {
  const fields: Field[] = [];
  for (let i = 0; i + 1 < headers.length; i += 2) {
    fields.push({ ...newField(headers[i] ?? ''), value: headers[i + 1] ?? '', present: true });
  }
  const header = (lower: string) => {
    if (pass.current?.lower === lower) return pass.current.value;
    return fields
      .filter((field) => field.present && field.lower === lower)
      .map(({ value }) => value)
      .join(', ');
  };
  const response: ResponseHead = { status, header };
  const { path, query, hasQuery } = request.target;
  // Outbound rules see the path that the client asked for, wherever inbound rules have sent the request.
  const url = { path, query, hasQuery, rewritten };
  const evaluation = { request, url, set, response, ruleCaptures: undefined, conditionCaptures: undefined };
  const pass: HeadPass = { fields, variables: new Map(), evaluation, current: undefined };
  return pass;
}

function newField(name: string): Field {
  return { name, lower: name.toLowerCase(), value: '', present: false, stopped: false };
}

/** Every line of the header, or the place for one; a snapshot, as the rule may add to the list. */
function fieldsAt(place: HeaderPlace, pass: HeadPass): readonly Field[] {
  const { fields, variables, evaluation } = pass;
  if (place.kind === 'variable') {
    const known = variables.get(place.name) ?? newField(place.name);
    known.value = variableReader(place.name)(evaluation);
    known.present = known.value !== '';
    variables.set(place.name, known);
    return [known];
  }
  const found = fields.filter(({ lower }) => lower === place.lower);
  if (found.length > 0) return found;
  const absent = newField(place.name);
  fields.push(absent);
  return [absent];
}

function rewriteField(rule: OutboundRule, { kind, name, pattern }: HeaderPlace, field: Field, pass: HeadPass): void {
  if (rule.failure) throw failed(rule, rule.failure);
  const { evaluation } = pass;
  const rewritten = rewriteText(rule, pattern, field.value, evaluation);
  if (rewritten === undefined) return;
  if (rule.stopProcessing) field.stopped = true;
  if (rewritten.value === undefined || (!rule.replace && field.present)) return;
  const value = headerValue(rewritten.value)?.trim();
  if (value === undefined) throw failed(rule, failure(`the value for ${name} holds a control character`, true));
  field.value = value;
  // A header without a value would say nothing: an empty value takes it away.
  field.present = value !== '';
  if (kind === 'variable') evaluation.set = new Map([...(evaluation.set ?? []), [name, value]]);
}
