/** Runs the rules over one request: global ones first, then those of the deepest scope that holds the path. */
import type { Pass } from './action.ts';
import type { CompiledSite, RuleSet } from './compile.ts';
import { type HostIndex, isFindable, placesOfHost } from './host-index.ts';
import type { RewriteOutcome, RuleFailure, Verdict } from './outcome.ts';
import { isBelow, isFailure, type Rule, runRule } from './rule.ts';
import type { RewriteRequest } from './server-variables.ts';
import { wirePath } from './target.ts';
import type { TraceRecorder } from './trace.ts';

export type { RewriteOutcome, RewriteRequest };

interface Run extends Pass {
  /** The last rule that gave the request a URL of the site, or ended the list; `''` for none. */
  leftBy: string;
}

export function evaluateRules(site: CompiledSite, request: RewriteRequest, recorder?: TraceRecorder): RewriteOutcome {
  const { target } = request;
  const pass: Run = {
    request,
    recorder,
    url: { path: target.path, query: target.query, hasQuery: target.hasQuery, rewritten: false },
    set: undefined,
    authority: undefined,
    wirePath: undefined,
    input: undefined,
    inputBase: undefined,
    inputPath: undefined,
    ruleCaptures: undefined,
    conditionCaptures: undefined,
    leftBy: '',
  };
  const ended = runRules(site.global, pass, recorder);
  if (ended) return withLeft(ended, pass);
  // A global rule that sent the request to a farm or host is final (design D3a).
  if (pass.authority) return finish(pass);
  const scope = deepestScope(site, pass.url.path);
  const endedInScope = scope && runRules(scope, pass, recorder);
  return endedInScope ? withLeft(endedInScope, pass) : finish(pass);
}

/** Outbound rules see what inbound ones have set on every answer, not only on that of a server. */
function withLeft(verdict: Verdict, { set, url }: Pass): RewriteOutcome {
  return { ...verdict, setVariables: set, urlRewritten: url.rewritten };
}

function deepestScope({ scopes }: CompiledSite, path: string): RuleSet | undefined {
  for (const scope of scopes) if (isBelow(scope.path, path)) return scope.ruleSet;
  return undefined;
}

function runRules(ruleSet: RuleSet, pass: Run, recorder: TraceRecorder | undefined): Verdict | undefined {
  if (ruleSet.rules.length === 0) return undefined;
  recorder?.events.push({ event: 'URL_REWRITE_START', ...current(pass), Scope: ruleSet.scope });
  // A trace shows every rule, so nothing is left out while one is recorded.
  const { index } = ruleSet;
  const result =
    recorder || !index || !isFindable(pass) ? runAll(ruleSet, pass, recorder) : runIndexed(ruleSet, index, pass);
  recorder?.events.push({ event: 'URL_REWRITE_END', ...current(pass) });
  return result;
}

function runAll(ruleSet: RuleSet, pass: Run, recorder: TraceRecorder | undefined, from = 0): Verdict | undefined {
  for (let at = from; ; at++) {
    const rule = ruleSet.rules[at];
    if (!rule) return undefined;
    const result = runRule(rule, pass, recorder);
    if (result === 'next') continue;
    if (result !== 'done') return outcomeOf(result, rule, ruleSet);
    noteLeaving(rule, pass);
    if (rule.stopProcessing) return undefined;
  }
}

/** Only the rules that can take a request for this host, in their order. */
function runIndexed(ruleSet: RuleSet, index: HostIndex, pass: Run): Verdict | undefined {
  let own = placesOfHost(index, pass);
  for (let at = 0; ; at++) {
    while (own && own.at < at) own = own.next;
    const any = index.nextForAny[at] ?? Number.POSITIVE_INFINITY;
    const isFirst = own !== undefined && own.at < any;
    at = own && isFirst ? own.at : any;
    const rule = own && isFirst ? own.rule : index.rules[at];
    if (!rule) return undefined;
    const result = runRule(rule, pass, undefined);
    if (result === 'next') continue;
    if (result !== 'done') return outcomeOf(result, rule, ruleSet);
    noteLeaving(rule, pass);
    if (rule.stopProcessing) return undefined;
    if (pass.set?.has('HTTP_HOST')) {
      if (!isFindable(pass)) return runAll(ruleSet, pass, undefined, at + 1);
      own = placesOfHost(index, pass);
    }
  }
}

function noteLeaving({ name, stopProcessing, action }: Rule, pass: Run): void {
  if (stopProcessing || (action.type === 'Rewrite' && action.url)) pass.leftBy = name;
}

function outcomeOf(result: Verdict | RuleFailure, rule: Rule, ruleSet: RuleSet): Verdict {
  if (!isFailure(result)) return result;
  return {
    kind: 'error',
    global: ruleSet.scope === 'Global',
    badRequest: result.badRequest,
    message: result.failed,
    rule: rule.name,
  };
}

function current({ url }: Pass): { RequestURL: string; QueryString: string } {
  return { RequestURL: url.path, QueryString: url.query };
}

/** The target for the request line; the very text that came where it is the same, so that nothing is put together. */
function targetOf({ url, wirePath: encoded, request }: Pass): string {
  const { raw, rawPath, query, hasQuery } = request.target;
  const path = encoded ?? wirePath(request.target, url.path);
  if (path === rawPath && url.query === query && url.hasQuery === hasQuery) return raw;
  return url.hasQuery ? `${path}?${url.query}` : path;
}

function finish(pass: Run): RewriteOutcome {
  const { authority, leftBy } = pass;
  const target = targetOf(pass);
  if (!authority) {
    return { kind: 'none', target, rule: leftBy, setVariables: pass.set, urlRewritten: pass.url.rewritten };
  }
  const { scheme, host, port, literal, rule } = authority;
  return {
    kind: 'proxy',
    scheme,
    host,
    port,
    literalHost: literal,
    target,
    rule,
    setVariables: pass.set,
    urlRewritten: pass.url.rewritten,
    rewritten: target !== pass.request.target.raw,
  };
}
