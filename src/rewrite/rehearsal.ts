/** Asks the rules of a configuration what they would do with an imagined request: checks that look at what comes out. */
import type { Config, SiteConfig } from '../config/model.ts';
import { type CompiledSite, compileRules } from './compile.ts';
import { evaluateRules, type RewriteOutcome } from './rule-set.ts';
import { splitHost } from './server-variables.ts';
import { isRefused, parseTarget } from './target.ts';

export interface ImaginedRequest {
  readonly scheme: 'http' | 'https';
  /** As in the Host header. */
  readonly host: string;
  /** Path and query. */
  readonly target: string;
}

/** Gives nothing where no site takes the request, or where it would be refused before the rules. */
export type Rehearsal = (request: ImaginedRequest) => RewriteOutcome | undefined;

/** Compiles the rules when first asked. */
export function createRehearsal(config: Pick<Config, 'sites' | 'globalRules'>): Rehearsal {
  let compiled: ReadonlyMap<string, CompiledSite> | undefined;
  return ({ scheme, host, target }) => {
    const site = siteFor(config.sites, scheme, host);
    const parsed = parseTarget(target);
    if (!site || isRefused(parsed)) return undefined;
    compiled ??= compileRules(config);
    const rules = compiled.get(site.name);
    return (
      rules &&
      evaluateRules(rules, {
        method: 'GET',
        scheme,
        host,
        target: parsed,
        header: (name) => (name === 'host' ? host : undefined),
        remoteAddress: '198.51.100.1',
        remotePort: 50_000,
        localAddress: '203.0.113.1',
        localPort: Number(splitHost(host).port || (scheme === 'https' ? 443 : 80)),
        httpVersion: '1.1',
        siteName: site.name,
        siteId: site.id,
      })
    );
  };
}

/** The site that takes a host; without any binding, as in a fragment of rules, the first one. */
export function siteFor(sites: readonly SiteConfig[], scheme: 'http' | 'https', host: string): SiteConfig | undefined {
  if (sites.every(({ bindings }) => bindings.length === 0)) return sites[0];
  const name = splitHost(host).name.toLowerCase();
  const dot = name.indexOf('.');
  for (const wanted of [name, dot < 0 ? name : `*${name.slice(dot)}`, '']) {
    const found = sites.find(({ bindings }) =>
      bindings.some((binding) => binding.protocol === scheme && binding.host === wanted),
    );
    if (found) return found;
  }
  return undefined;
}
