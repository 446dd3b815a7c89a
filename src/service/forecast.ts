/** What the service would do with a request, told from the configuration alone: nothing is opened, nothing is sent. */
import type { Config, SiteConfig } from '../config/model.ts';
import { comparedName } from '../host-name.ts';
import { checkAuthority } from '../proxy/authority.ts';
import { isRefusedMethod } from '../proxy/pipeline.ts';
import { compileRules } from '../rewrite/compile.ts';
import type { Refusal } from '../rewrite/outcome.ts';
import { evaluateRules, type RewriteOutcome, type RewriteRequest } from '../rewrite/rule-set.ts';
import { isRefused, parseTarget } from '../rewrite/target.ts';
import type { TraceRecorder } from '../rewrite/trace.ts';
import { siteFinder } from './find-site.ts';

/** A request as it comes in: its target not yet parsed, its site not yet known. */
export interface AskedRequest extends Omit<RewriteRequest, 'target' | 'siteName' | 'siteId'> {
  /** In origin form, each character one byte. */
  readonly target: string;
}

export interface Fate {
  readonly outcome: RewriteOutcome | Refusal;
  /** `undefined` where no binding takes the host. */
  readonly site: string | undefined;
}

export type Forecast = (asked: AskedRequest, recorder?: TraceRecorder) => Fate;

/** @param only the site of all requests, where files of rules are looked at without bindings around them */
export function createForecast(config: Config, only?: SiteConfig): Forecast {
  const compiled = compileRules(config);
  const findSite = siteFinder(config.sites);
  const refuseTarget = targetCheck(config);
  return (asked, recorder) => {
    const { method, scheme, localPort, localAddress } = asked;
    if (isRefusedMethod(method))
      return { outcome: refusal(501, `the method ${method} is not proxied`), site: undefined };
    const host = hostRead(asked);
    if (host === undefined) return { outcome: refusal(400, `"${asked.host}" is no host`), site: undefined };
    const site = only ?? findSite({ scheme, authority: host, port: localPort, address: localAddress });
    const rules = site && compiled.get(site.name);
    if (site === undefined || rules === undefined) {
      return { outcome: refusal(400, `no binding takes ${host} on port ${localPort}`), site: undefined };
    }
    const target = parseTarget(asked.target);
    if (isRefused(target)) return { outcome: refusal(400, target.refused), site: site.name };
    const outcome = evaluateRules(rules, { ...asked, host, target, siteName: site.name, siteId: site.id }, recorder);
    return { outcome: refuseTarget(outcome) ?? outcome, site: site.name };
  };
}

function hostRead({ host }: AskedRequest): string | undefined {
  try {
    return checkAuthority(host);
  } catch {
    return undefined; // Refused as the service would refuse it.
  }
}

function refusal(status: number, message: string, rule = ''): Refusal {
  return { kind: 'refused', status, message, rule };
}

/** A host that is no farm is reached directly, and one that a request brought only where settings name it (design D12). */
function targetCheck({ webFarms, proxy, settings }: Config): (outcome: RewriteOutcome) => Refusal | undefined {
  const farms = new Set(webFarms.map(({ name }) => comparedName(name.value)));
  const allowed = new Set(settings.upstream.allow);
  return (outcome) => {
    if (outcome.kind !== 'proxy' || farms.has(outcome.host)) return undefined;
    if (proxy.enabled && (outcome.literalHost || allowed.has(outcome.host))) return undefined;
    return { ...refusal(403, `${outcome.host} is neither a farm nor in upstream.allow`, outcome.rule), ours: true };
  };
}
