/** `lychgate trace`: shows what the rules do with one request. Opens nothing, resolves nothing. */
import { isIP } from 'node:net';
import { type Diagnostic, hasErrors, reportInto } from '../config/diagnostic.ts';
import { loadConfig, loadFiles } from '../config/load-config.ts';
import type { Config, SiteConfig, WebFarmConfig } from '../config/model.ts';
import { printText } from '../config/print-diagnostic.ts';
import { checkRules } from '../rewrite/check.ts';
import { compileRules } from '../rewrite/compile.ts';
import type { RewriteOutcome } from '../rewrite/outcome.ts';
import { printTrace, type TracedFarm, traceJson } from '../rewrite/print-trace.ts';
import { evaluateRules, type RewriteRequest } from '../rewrite/rule-set.ts';
import { isRefused, parseTarget } from '../rewrite/target.ts';
import { createRecorder } from '../rewrite/trace.ts';
import { findSite } from '../service/find-site.ts';
import { type Command, type CommandInput, EXIT, listOption, textOption, UsageError } from './command.ts';
import { configFolder, kindOfPlace } from './named-place.ts';
import { withShownNames } from './shown-names.ts';

export const trace: Command = {
  name: 'trace',
  usage: 'URL [--config DIR | --rules FILE]... [--method M] [--header "N: v"]... [--remote IP] [--base /path] [--json]',
  summary: 'shows what the rules do with a URL: which matched, which condition failed, where it goes',
  options: {
    config: { type: 'string' },
    rules: { type: 'string', multiple: true },
    method: { type: 'string' },
    header: { type: 'string', multiple: true },
    remote: { type: 'string' },
    base: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    '--config DIR': 'the folder with settings.json and the IIS files (default: config)',
    '--rules FILE': 'a web.config or a fragment of rules in place of the folder; may be repeated',
    '--method M': 'the method of the request (default: GET)',
    '--header "N: v"': 'a header of the request; may be repeated',
    '--remote IP': 'the address of the client (default: 198.51.100.1)',
    '--base /path': 'the URL path of the folder whose web.config the rules stand in (default: /)',
    '--json': 'prints JSON for programs',
  },
  run(input) {
    const [url, ...more] = input.arguments;
    if (url === undefined || more.length > 0) throw new UsageError('exactly one URL is wanted');
    const asked = readUrl(url);
    const { config, diagnostics, sources } = load(input);
    if (config === undefined || hasErrors(diagnostics)) {
      const shown = withShownNames({ diagnostics, sources }, process.cwd());
      const { err } = input.streams;
      err.write(printText(shown.diagnostics, shown.sources, { colour: err.isTTY === true }));
      return EXIT.no;
    }
    return show(config, asked, input);
  },
};

interface AskedUrl {
  readonly url: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly port: number;
  /** As the bytes that a client would send. */
  readonly target: string;
}

/** Not by `URL`, which would resolve and encode what is to be traced. */
function readUrl(url: string): AskedUrl {
  const [, scheme = '', authority = '', rest = ''] = /^(https?):\/\/([^/?#]+)([^#]*)/i.exec(url) ?? [];
  if (scheme === '') throw new UsageError(`"${url}" is no http or https URL`);
  const target = Buffer.from(rest.startsWith('/') ? rest : `/${rest}`, 'utf8').toString('latin1');
  const lower = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  const port = Number(/:(\d+)$/.exec(authority)?.[1] ?? (lower === 'https' ? 443 : 80));
  return { url, scheme: lower, authority, port, target };
}

function load(input: CommandInput) {
  const files = listOption(input, 'rules');
  const base = textOption(input, 'base') ?? '/';
  if (files.length > 0 && input.values.config !== undefined) {
    throw new UsageError('--config and --rules exclude each other: --rules traces the files alone');
  }
  for (const file of files) {
    if (kindOfPlace(file) === 'folder') throw new UsageError(`--rules ${file}: this is a folder, a file is wanted`);
  }
  const loaded = files.length > 0 ? loadFiles(files, { base }) : loadConfig(configFolder(input));
  const diagnostics: Diagnostic[] = [...loaded.diagnostics];
  if (loaded.config) checkRules(loaded.config, reportInto(diagnostics));
  return { ...loaded, diagnostics };
}

function show(config: Config, asked: AskedUrl, input: CommandInput): number {
  const fromFiles = listOption(input, 'rules').length > 0;
  const site = fromFiles ? config.sites[0] : findSite(config.sites, asked);
  const compiled = site && compileRules(config).get(site.name);
  const target = parseTarget(asked.target);
  const method = textOption(input, 'method') ?? 'GET';
  const recorder = createRecorder();
  let outcome: RewriteOutcome;
  if (site === undefined || compiled === undefined) {
    outcome = badRequest(`no binding takes ${asked.authority} on port ${asked.port}`);
  } else if (isRefused(target)) {
    outcome = badRequest(target.refused);
  } else {
    outcome = evaluateRules(compiled, requestOf({ ...asked, method, target }, site, input), recorder);
  }
  const trace = traceJson(outcome, recorder, { method, url: asked.url }, config.webFarms.map(tracedFarm));
  input.streams.out.write(
    input.values.json === true ? `${JSON.stringify(trace, undefined, 2)}\n` : `${printTrace(trace).join('\n')}\n`,
  );
  return compiled === undefined ? EXIT.no : EXIT.fine;
}

/** Refused before any rule is asked. */
function badRequest(message: string): RewriteOutcome {
  return { kind: 'error', rule: '', message, badRequest: true, global: false };
}

function requestOf(
  asked: Omit<AskedUrl, 'target'> & Pick<RewriteRequest, 'method' | 'target'>,
  site: SiteConfig,
  input: CommandInput,
): RewriteRequest {
  const remoteAddress = textOption(input, 'remote') ?? '198.51.100.1';
  if (isIP(remoteAddress) === 0) throw new UsageError(`--remote "${remoteAddress}" is no IP address`);
  const headers = readHeaders(listOption(input, 'header'));
  return {
    method: asked.method,
    scheme: asked.scheme,
    host: headers.get('host') ?? asked.authority,
    target: asked.target,
    header: (lowerCaseName) => headers.get(lowerCaseName),
    remoteAddress,
    remotePort: 50_000,
    localAddress: '203.0.113.1',
    localPort: asked.port,
    httpVersion: 'HTTP/1.1',
    siteName: site.name,
    siteId: site.id,
  };
}

function readHeaders(lines: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^\s:]+):\s*(.*)$/.exec(line) ?? [];
    if (name === '') throw new UsageError(`--header "${line}" is not of the form "Name: value"`);
    headers.set(name.toLowerCase(), value);
  }
  return headers;
}

function tracedFarm(farm: WebFarmConfig): TracedFarm {
  return {
    name: farm.name.value,
    servers: (scheme) =>
      farm.servers
        .filter(({ enabled }) => enabled)
        .map(
          (server) => `${scheme}://${server.address.value}:${scheme === 'https' ? server.httpsPort : server.httpPort}`,
        ),
  };
}
