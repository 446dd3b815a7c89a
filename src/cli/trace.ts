/** `lychgate trace`: shows what the rules do with one request, or with those of a log. Opens nothing, resolves nothing. */
import { isIP } from 'node:net';
import { hasErrors } from '../config/diagnostic.ts';
import type { WebFarmConfig } from '../config/farm-model.ts';
import { type LoadResult, loadConfig, loadFiles } from '../config/load-config.ts';
import type { Config } from '../config/model.ts';
import { printText } from '../config/print-diagnostic.ts';
import type { AskedRequest } from '../decide/asked-request.ts';
import { imaginedDecider, imaginedRequest } from '../decide/imagined-request.ts';
import { StartError } from '../errors.ts';
import type { HeaderList } from '../header-list.ts';
import { isMethod } from '../method.ts';
import { nearest } from '../nearest.ts';
import { printTrace } from '../rewrite/print-trace.ts';
import { createRecorder } from '../rewrite/trace.ts';
import { type TracedFarm, traceJson } from '../rewrite/trace-json.ts';
import { checkLoaded } from '../service/check-config.ts';
import { fitted, type Terminal, terminalOf } from '../terminal.ts';
import { type Command, type CommandInput, EXIT, listOption, type Output, textOption, UsageError } from './command.ts';
import { configFolder, configurationIn, isFolder, kindOfPlace, usualFolder } from './named-place.ts';
import { printReplay, replayJson } from './print-replay.ts';
import { replayLogs } from './replay-log.ts';
import { withShownNames } from './shown-names.ts';
import { tell } from './tell.ts';

export const trace: Command = {
  name: 'trace',
  usage:
    'URL [--config DIR | --rules FILE]... [--method M] [--header "N: v"]... [--remote IP] [--address IP] [--base /path] [--json]\n' +
    '--log FILE... [--config DIR | --rules FILE]... [--against DIR] [--base /path] [--json]',
  summary: 'shows what the rules do with a URL, or with the requests of an IIS log: what matched, where it goes',
  options: {
    config: { type: 'string' },
    rules: { type: 'string', multiple: true },
    method: { type: 'string' },
    header: { type: 'string', multiple: true },
    remote: { type: 'string' },
    address: { type: 'string' },
    base: { type: 'string' },
    log: { type: 'string', multiple: true },
    against: { type: 'string' },
    json: { type: 'boolean' },
  },
  optionHelp: {
    '--config DIR': `the folder with settings.json and the IIS files (${usualFolder})`,
    '--rules FILE': 'a web.config or a fragment of rules in place of the folder; may be repeated',
    '--method M': 'the method of the request (default: GET)',
    '--header "N: v"': 'a header of the request; may be repeated',
    '--remote IP': 'the address of the client (default: 198.51.100.1)',
    '--address IP': 'the address that the client connects to (default: one that no binding has)',
    '--base /path': 'the URL path of the folder whose web.config the rules stand in (default: /)',
    '--log FILE': 'replays an IIS log in W3C format, gzip too, and sums up; more files may follow; - is standard input',
    '--against DIR': 'with --log: the folder of another configuration, to see whose fate it changes',
    '--json': 'prints JSON for programs',
  },
  examples: [
    { does: 'one URL, rule by rule', line: 'trace https://meet.contoso.com/alice/7M3K2P' },
    { does: 'a file of rules alone', line: 'trace https://meet.contoso.com/ --rules web.config' },
    { does: 'what became of the requests of an IIS log', line: 'trace --log u_ex261126.log' },
    { does: 'and what another configuration would change', line: 'trace --log u_ex261126.log --against new' },
  ],
  run(input) {
    const logs = listOption(input, 'log');
    return logs.length > 0 ? replay(logs, input) : traceUrl(input);
  },
};

function traceUrl(input: CommandInput): number {
  const [url, ...more] = input.arguments;
  if (url === undefined || more.length > 0) throw new UsageError('exactly one URL is wanted');
  if (input.values.against !== undefined)
    throw new UsageError('--against compares what a log comes to: it needs --log');
  const asked = readUrl(url);
  const config = loadSound(load(input), input);
  return config === undefined ? EXIT.no : show(config, asked, input);
}

const FOR_ONE_URL = ['method', 'header', 'remote', 'address'];

async function replay(logs: readonly string[], input: CommandInput): Promise<number> {
  const files = [...logs, ...input.arguments];
  const url = files.find((file) => /^https?:\/\//i.test(file));
  if (url !== undefined) throw new UsageError(`"${url}" or --log: one of both`);
  const wrong = FOR_ONE_URL.find((name) => input.values[name] !== undefined);
  if (wrong !== undefined) throw new UsageError(`--${wrong} is for a URL: a log tells it for each request`);
  if (files.filter((file) => file === '-').length > 1) throw new UsageError('standard input (-) can be read once');
  for (const file of files) {
    if (file !== '-' && isFolder(file)) throw new StartError(`--log ${file}: this is a folder, a file is wanted.`);
  }
  const folder = textOption(input, 'against');
  if (folder !== undefined && !isFolder(folder)) throw new UsageError(`--against ${folder}: a folder is wanted`);
  const config = loadSound(load(input), input);
  const against = folder === undefined ? undefined : loadSound(checkLoaded(loadConfig(configurationIn(folder))), input);
  if (config === undefined || (folder !== undefined && against === undefined)) return EXIT.no;
  const { out, err } = input.streams;
  const result = await replayLogs({ files, config, against, err });
  if (input.values.json === true) out.write(`${JSON.stringify(replayJson(result, folder), undefined, 2)}\n`);
  else if (result.requests > 0 || result.files.some(({ error }) => error === undefined))
    print(({ colour }) => printReplay(result, { against: folder, colour }), out);
  for (const { name, error } of result.files) {
    if (error !== undefined) tell(err, 'lychgate:', `${name === '-' ? 'standard input' : name}: ${error}`);
  }
  return result.files.some(({ error }) => error !== undefined) ? EXIT.failed : EXIT.fine;
}

/** The configuration, or nothing where errors were told. */
function loadSound(
  { config, diagnostics, sources }: LoadResult,
  { streams: { err } }: CommandInput,
): Config | undefined {
  if (config !== undefined && !hasErrors(diagnostics)) return config;
  const shown = withShownNames({ diagnostics, sources }, process.cwd());
  err.write(printText(shown.diagnostics, shown.sources, terminalOf(err)));
  return undefined;
}

interface TracedUrl {
  readonly url: string;
  readonly scheme: 'http' | 'https';
  readonly authority: string;
  readonly port: number;
  /** This and the authority as the bytes that a client would send. */
  readonly target: string;
}

function urlMeant(url: string): string {
  const [begin, name = 'https'] = /^(?:([a-z]+):)?\/\//i.exec(url) ?? [''];
  const scheme = nearest(name, ['https', 'http']);
  const rest = url.slice(begin.length);
  return scheme === undefined || !/^[\w[]/.test(rest) ? '' : `. Write "${scheme}://${rest}"`;
}

/** Not by `URL`, which would resolve and encode what is to be traced. */
function readUrl(url: string): TracedUrl {
  // Clients send neither a login nor the port that the scheme has anyway.
  const [, scheme = '', written = '', rest = ''] = /^(https?):\/\/(?:[^/?#@]*@)?([^/?#@]+)([^#]*)/i.exec(url) ?? [];
  if (scheme === '') throw new UsageError(`"${url}" is no http or https URL${urlMeant(url)}`);
  const target = asBytes(rest.startsWith('/') ? rest : `/${rest}`);
  const lower = scheme.toLowerCase() === 'https' ? 'https' : 'http';
  const usual = lower === 'https' ? 443 : 80;
  const port = Number(/:(\d+)$/.exec(written)?.[1] ?? usual);
  const authority = asBytes(port === usual ? written.replace(/:\d+$/, '') : written);
  return { url, scheme: lower, authority, port, target };
}

/** Each character one byte of UTF-8. */
function asBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function load(input: CommandInput): LoadResult {
  const files = listOption(input, 'rules');
  const base = textOption(input, 'base') ?? '/';
  if (files.length > 0 && input.values.config !== undefined) {
    throw new UsageError('--config and --rules exclude each other: --rules traces the files alone');
  }
  for (const file of files) {
    if (kindOfPlace(file) === 'folder') throw new UsageError(`--rules ${file}: this is a folder, a file is wanted`);
  }
  return checkLoaded(files.length > 0 ? loadFiles(files, { base }) : loadConfig(configFolder(input)));
}

function show(config: Config, asked: TracedUrl, input: CommandInput): number {
  const { out } = input.streams;
  const recorder = createRecorder();
  const request = requestOf(asked, input);
  const { outcome, site } = imaginedDecider(config)(request, recorder);
  const { method } = request;
  const trace = traceJson(outcome, recorder, { method, url: asked.url }, config.webFarms.map(tracedFarm));
  if (input.values.json === true) out.write(`${JSON.stringify(trace, undefined, 2)}\n`);
  else print(({ colour }) => printTrace(trace, { notes: recorder.notes, colour }), out);
  return site === '' ? EXIT.no : EXIT.fine;
}

function print(linesFor: (terminal: Terminal) => readonly string[], out: Output): void {
  const terminal = terminalOf(out);
  out.write(`${fitted(linesFor(terminal), terminal).join('\n')}\n`);
}

function requestOf(asked: TracedUrl, input: CommandInput): AskedRequest {
  const remoteAddress = textOption(input, 'remote') ?? '198.51.100.1';
  if (isIP(remoteAddress) === 0) throw new UsageError(`--remote "${remoteAddress}" is no IP address`);
  const address = textOption(input, 'address');
  if (address !== undefined && isIP(address) === 0) throw new UsageError(`--address "${address}" is no IP address`);
  const method = textOption(input, 'method') ?? 'GET';
  if (!isMethod(method)) {
    throw new UsageError(`--method "${method}" is no method: one word in capitals is wanted, such as POST`);
  }
  const { host, headers } = readHeaders(listOption(input, 'header'));
  return imaginedRequest({
    method,
    scheme: asked.scheme,
    authority: host ?? asked.authority,
    target: asked.target,
    headers,
    connection: { remoteAddress, localPort: asked.port, ...(address === undefined ? {} : { localAddress: address }) },
  });
}

/** As the bytes that a client would send, without blanks around the value; of Host, which may come once, the last one. */
function readHeaders(lines: readonly string[]): { readonly host: string | undefined; readonly headers: HeaderList } {
  let host: string | undefined;
  const headers: string[] = [];
  for (const line of lines) {
    const [, name = '', value = ''] = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (name === '') throw new UsageError(`--header "${line}" is not of the form "Name: value"`);
    if (name.toLowerCase() === 'host') host = asBytes(value);
    else headers.push(name, asBytes(value));
  }
  return { host, headers };
}

function tracedFarm(farm: WebFarmConfig): TracedFarm {
  return {
    name: farm.name.value,
    servers: (scheme) =>
      farm.servers
        .filter(({ enabled }) => enabled)
        .map(({ address: { value }, httpPort, httpsPort }) => {
          const host = isIP(value) === 6 ? `[${value}]` : value;
          return `${scheme}://${host}:${scheme === 'https' ? httpsPort : httpPort}`;
        }),
  };
}
