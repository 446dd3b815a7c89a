/** Redirects that keep the port of the request: to https where nothing is listening for it, or with another port behind it. */
import type { Report } from '../config/diagnostic.ts';
import type { Config, SiteConfig } from '../config/model.ts';
import type { RuleConfig } from '../config/rewrite-model.ts';
import { splitHost } from '../rewrite/server-variables.ts';
import type { AskedUrl, AskUrl } from './asked-url.ts';
import { imaginer } from './check-redirect-loop.ts';

/** Rules looked at, times rules asked. */
const MOST_RULE_RUNS = 500_000;

export function checkRedirectPorts(config: Config, ask: AskUrl, report: Report): void {
  const { globalRules, sites } = config;
  const https = new Set(portsOf(sites, 'https'));
  let runs = MOST_RULE_RUNS;
  for (const site of sites) {
    // A port that a client need not name is not in its Host.
    const plain = portsOf([site], 'http').filter((port) => port !== 80);
    const secure = portsOf([site], 'https').filter((port) => port !== 443);
    const rules =
      plain.length + secure.length === 0
        ? []
        : [...globalRules.rules, ...site.scopes.flatMap((each) => each.ruleSet.rules)];
    const asking: AskUrl = (url) => {
      runs -= rules.length;
      return runs > 0 ? ask(url) : undefined;
    };
    const imagine = imaginer([site]);
    for (const rule of rules) {
      if (!rule.enabled || rule.action.type !== 'Redirect' || !rule.action.url) continue;
      const kept = plain.find((port) => !https.has(port) && keeps(rule, { imagine, scheme: 'http', port }, asking));
      if (kept !== undefined) reportKept(rule, kept, report);
      const first = ([scheme, ports]: [Scheme, readonly number[]]) =>
        ports.find((port) => doubles(rule, { imagine, scheme, port }, asking));
      const doubled = first(['http', plain]) ?? first(['https', secure]);
      if (doubled !== undefined) reportDoubled(rule, doubled, report);
    }
  }
}

type Scheme = AskedUrl['scheme'];

function portsOf(sites: readonly SiteConfig[], protocol: 'http' | 'https'): number[] {
  const ports = sites.flatMap(({ bindings }) => bindings.filter((each) => each.protocol === protocol));
  return [...new Set(ports.map(({ port }) => port))];
}

interface Bound {
  readonly imagine: ReturnType<typeof imaginer>;
  readonly scheme: Scheme;
  readonly port: number;
}

function keeps(rule: RuleConfig, bound: Bound, ask: AskUrl): boolean {
  for (const request of bound.imagine(rule)) {
    if (request.scheme !== bound.scheme) continue;
    const outcome = ask(atPort(request, bound.port));
    if (outcome?.kind !== 'redirect' || outcome.rule !== rule.name.value) continue;
    const found = /^https:\/\/[^/?#]*:(\d+)(?=[/?#]|$)/.exec(outcome.location);
    return Number(found?.[1]) === bound.port;
  }
  return false;
}

/** Whether a redirect names a port, and fails where the Host has one already. */
function doubles(rule: RuleConfig, bound: Bound, ask: AskUrl): boolean {
  if (!/:\d|:\{/.test(rule.action.url?.value ?? '')) return false;
  for (const request of bound.imagine(rule)) {
    if (request.scheme !== bound.scheme) continue;
    const outcome = ask(request);
    if (outcome?.kind !== 'redirect' || outcome.rule !== rule.name.value) continue;
    const withPort = ask(atPort(request, bound.port));
    return withPort?.kind === 'error' && withPort.badRequest && withPort.rule === outcome.rule;
  }
  return false;
}

function atPort(url: AskedUrl, port: number): AskedUrl {
  return { ...url, host: `${splitHost(url.host).name}:${port}` };
}

function reportKept({ name, action: { url, span } }: RuleConfig, port: number, report: Report): void {
  report('LG2322', url?.span ?? span, {
    message: `Rule "${name.value}" keeps the port of the request: what comes to port ${port} is redirected to https at port ${port}, which no https binding has.`,
    advice: 'Write the host without a port: {SERVER_NAME} never has one, {HTTP_HOST} has what the client wrote.',
  });
}

function reportDoubled({ name, action: { url, span } }: RuleConfig, port: number, report: Report): void {
  const cure = url && /\{HTTP_HOST\}(?=:)/i.test(url.value);
  report('LG2322', url?.span ?? span, {
    message: `Rule "${name.value}" writes a port behind a host that has one already: what comes to port ${port} is answered with 400.`,
    advice: cure
      ? `Write "${url.value.replace(/\{HTTP_HOST\}(?=:)/gi, '{SERVER_NAME}')}": {SERVER_NAME} never has a port, {HTTP_HOST} has what the client wrote.`
      : 'Take the host without its port: {SERVER_NAME} never has one, {HTTP_HOST} has what the client wrote.',
  });
}
