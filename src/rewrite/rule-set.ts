/** Runs the rules over one request: global ones first, then those of the deepest scope that holds the path. */
import type { Pass } from './action.ts';
import type { CompiledSite, RuleSet } from './compile.ts';
import type { RewriteOutcome } from './outcome.ts';
import { isBelow, isFailure, runRule } from './rule.ts';
import type { RewriteRequest } from './server-variables.ts';
import { wirePath } from './target.ts';
import type { TraceRecorder } from './trace.ts';

export type { RewriteOutcome, RewriteRequest };

export function evaluateRules(site: CompiledSite, request: RewriteRequest, recorder?: TraceRecorder): RewriteOutcome {
  const { target } = request;
  const pass: Pass = {
    request,
    url: { path: target.path, query: target.query, hasQuery: target.hasQuery, rewritten: false },
    set: undefined,
    authority: undefined,
    wirePath: undefined,
    ruleCaptures: undefined,
    conditionCaptures: undefined,
  };
  const ended = runRules(site.global, pass, recorder);
  if (ended) return ended;
  // A global rule that sent the request to a farm or host is final (design D3a).
  if (pass.authority) return finish(pass);
  const scope = site.scopes.find(({ path }) => isBelow(path, pass.url.path));
  return (scope && runRules(scope.ruleSet, pass, recorder)) ?? finish(pass);
}

function runRules(ruleSet: RuleSet, pass: Pass, recorder: TraceRecorder | undefined): RewriteOutcome | undefined {
  if (ruleSet.rules.length === 0) return undefined;
  recorder?.events.push({ event: 'URL_REWRITE_START', ...current(pass), Scope: ruleSet.scope });
  let outcome: RewriteOutcome | undefined;
  for (const rule of ruleSet.rules) {
    const result = runRule(rule, pass, recorder);
    if (result === 'next' || result === 'done') {
      if (result === 'done' && rule.stopProcessing) break;
      continue;
    }
    outcome = isFailure(result)
      ? {
          kind: 'error',
          global: ruleSet.scope === 'Global',
          badRequest: result.badRequest,
          message: result.failed,
          rule: rule.name,
        }
      : result;
    break;
  }
  recorder?.events.push({ event: 'URL_REWRITE_END', ...current(pass) });
  return outcome;
}

function current({ url }: Pass): { RequestURL: string; QueryString: string } {
  return { RequestURL: url.path, QueryString: url.query };
}

function finish(pass: Pass): RewriteOutcome {
  const { url, authority, request } = pass;
  const path = pass.wirePath ?? wirePath(request.target, url.path);
  const target = url.hasQuery ? `${path}?${url.query}` : path;
  if (!authority) return { kind: 'none', target, setVariables: pass.set };
  const { scheme, host, port, literal, rule } = authority;
  return {
    kind: 'proxy',
    scheme,
    host,
    ...(port === undefined ? {} : { port }),
    literalHost: literal,
    target,
    rule,
    setVariables: pass.set,
    rewritten: target !== request.target.raw,
  };
}
