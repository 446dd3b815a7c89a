/** Text that is meant as a variable or back-reference, as other servers write them: what IIS writes in its place. */
import { nearest } from '../nearest.ts';
import { isKnownVariable, isNamedVariable, namedVariables } from './server-variables.ts';
import type { Part } from './template.ts';

export interface Meant {
  /** Place in the text: UTF-16 units, the end exclusive. */
  readonly from: number;
  readonly to: number;
  /** As IIS writes it; nothing where it has none. */
  readonly cure: string | undefined;
}

/** Whether a name is one for the scheme of the request, of which IIS has no variable. */
export function isSchemeName(written: string): boolean {
  return /^\W*(?:REQUEST|URL|X)?[_-]?(?:SCHEME|PROTOCOL)\W*$/i.test(written);
}

/** What nginx calls them. Of the scheme IIS has no variable. */
const OF_NGINX: Readonly<Record<string, string>> = {
  host: '{HTTP_HOST}',
  hostname: '{SERVER_NAME}',
  server_name: '{SERVER_NAME}',
  server_port: '{SERVER_PORT}',
  server_addr: '{SERVER_ADDR}',
  server_protocol: '{SERVER_PROTOCOL}',
  uri: '{URL}',
  document_uri: '{URL}',
  request_uri: '{REQUEST_URI}',
  request_method: '{REQUEST_METHOD}',
  request_filename: '{REQUEST_FILENAME}',
  args: '{QUERY_STRING}',
  query_string: '{QUERY_STRING}',
  is_args: '',
  remote_addr: '{REMOTE_ADDR}',
  remote_port: '{REMOTE_PORT}',
  remote_user: '{REMOTE_USER}',
  content_type: '{CONTENT_TYPE}',
  content_length: '{CONTENT_LENGTH}',
  https: '{HTTPS}',
  proxy_host: '',
  proxy_add_x_forwarded_for: '{REMOTE_ADDR}',
  scheme: '',
};

/** Names that people give to what has another name on IIS, upper case and without what stands between their words. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  HOST: 'HTTP_HOST',
  HOSTNAME: 'HTTP_HOST',
  DOMAIN: 'HTTP_HOST',
  REQUESTHOST: 'HTTP_HOST',
  USERAGENT: 'HTTP_USER_AGENT',
  COOKIE: 'HTTP_COOKIE',
  COOKIES: 'HTTP_COOKIE',
  REFERER: 'HTTP_REFERER',
  REFERRER: 'HTTP_REFERER',
  HTTPREFERRER: 'HTTP_REFERER',
  AUTHORIZATION: 'HTTP_AUTHORIZATION',
  ORIGIN: 'HTTP_ORIGIN',
  UPGRADE: 'HTTP_UPGRADE',
  CONNECTION: 'HTTP_CONNECTION',
  METHOD: 'REQUEST_METHOD',
  QUERY: 'QUERY_STRING',
  PATH: 'URL',
  URI: 'REQUEST_URI',
  REQUESTPATH: 'URL',
  REQUESTURL: 'REQUEST_URI',
  THEREQUEST: 'UNENCODED_URL',
  CLIENTIP: 'REMOTE_ADDR',
  REMOTEIP: 'REMOTE_ADDR',
  PORT: 'SERVER_PORT',
};

function ofNginx(name: string): string | undefined {
  const header = /^http_([a-z]\w*)$/.exec(name)?.[1];
  if (header !== undefined) return `{HTTP_${header.toUpperCase()}}`;
  return Object.hasOwn(OF_NGINX, name) ? OF_NGINX[name] : undefined;
}

/** For a name in braces that is no variable. */
export function variableMeant(written: string): string | undefined {
  const name = written.replace(/^[\s$%@#(\\]+|[\s%)]+$/g, '');
  const reference = /^([RC])[\s.,;_-]*(\d{1,2})$/i.exec(name);
  if (reference) return `{${reference[1]?.toUpperCase()}:${reference[2]}}`;
  if (/^\d$/.test(name)) return `{${written.includes('%') ? 'C' : 'R'}:${name}}`;
  if (name !== written && isKnownVariable(name)) return `{${name.toUpperCase()}}`;
  const nginx = ofNginx(name);
  if (nginx) return nginx;
  const upper = name.toUpperCase();
  const joined = upper.replace(/[\s.-]+/g, '_');
  if (joined !== upper && isKnownVariable(joined)) return `{${joined}}`;
  const bare = joined.replaceAll('_', '');
  if (Object.hasOwn(OTHER_NAMES, bare)) return `{${OTHER_NAMES[bare]}}`;
  const spelt = namedVariables.find((known) => known.replaceAll('_', '') === bare);
  if (spelt !== undefined) return `{${spelt}}`;
  if (/^X[_-]|^X$/.test(upper) || /^ACCEPT_/.test(joined)) return `{HTTP_${joined}}`;
  const near = upper.length >= SHORTEST_TO_MISSPELL ? nearest(upper, namedVariables) : undefined;
  return near === undefined ? undefined : `{${near}}`;
}

const SHORTEST_TO_MISSPELL = 5;

/** For `{NAME:…}` where no map and no function has that name. */
export function callMeant({ name, argument }: Part & { kind: 'call' }): string | undefined {
  const [only, more] = argument;
  const text = only?.kind === 'text' && more === undefined ? only.text.trim() : '';
  if (/^(HTTP|REQUEST|HEADER|HEADERS|REQ|REQUEST_HEADERS?)$/i.test(name) && /^[\w-]+$/.test(text)) {
    return `{HTTP_${text.toUpperCase().replaceAll('-', '_')}}`;
  }
  if (/^[RC]$/i.test(name)) {
    const inner = only?.kind === 'variable' && more === undefined ? only.name : text;
    return /^\$?\d{1,2}$/.test(inner) ? `{${name.toUpperCase()}:${inner.replace('$', '')}}` : undefined;
  }
  return /^(ENV|SERVER|VAR|SSL|VARIABLE)$/i.test(name) && text !== '' ? knownAs(text) : undefined;
}

function knownAs(text: string): string | undefined {
  return isKnownVariable(text) ? `{${text.toUpperCase()}}` : variableMeant(text);
}

/** For a `{` at `at` that nothing closes, as the first one of `{{HTTP_HOST}}`. */
export function bracesMeant(text: string, at: number): string | undefined {
  const inner = /^\{\{+\s*([^{}]+?)\s*\}+/.exec(text.slice(at))?.[1];
  return inner === undefined ? undefined : `{${inner}}`;
}

/** How a text is read: a condition's input is nothing but a variable, a URL or value may be other text as well. */
export type Use = 'input' | 'value';

/** What in the text around the expressions of a template is meant as one. */
export function meantInText(parts: readonly Part[], use: Use): readonly Meant[] {
  return parts.flatMap((part, index) => {
    const next = parts[index + 1];
    if (part.kind === 'call') return callMeant(part) === undefined ? meantInArgument(part.argument, use) : [];
    if (part.kind !== 'text' || part.text.startsWith('{')) return [];
    const whole = use === 'input' && parts.length === 1;
    return [...meantInPart(part, whole), ...marked(part, next, use === 'input' && index === 0)];
  });
}

/** What is looked up or encoded is rarely text, and never the name of a variable. */
function meantInArgument(argument: readonly Part[], use: Use): readonly Meant[] {
  return meantInText(argument, argument.length === 1 ? 'input' : use);
}

/**
 * `%{HTTP_HOST}` and `${HTTP_HOST}`; what names nothing known is told for that.
 * @param begins the text is where the input of a condition begins: an at sign before a host may else be that of an address
 */
function marked({ text, to }: Part & { kind: 'text' }, next: Part | undefined, begins: boolean): readonly Meant[] {
  const marks = begins && text.length === 1 ? '%$@#!' : '%$';
  if (next?.kind !== 'variable' || !marks.includes(text.at(-1) ?? ' ') || !isKnownVariable(next.name)) return [];
  return [{ from: to - 1, to: next.to, cure: `{${next.name}}` }];
}

/** A name in the middle of a text: with an underscore, or it may well be a word. */
const BARE = /(?<![\w{:%$-])[A-Z]+_[A-Z_]*[A-Z](?![\w}%])/g;

const FORMS: readonly { readonly form: RegExp; readonly cure: (found: RegExpExecArray) => string | undefined }[] = [
  // nginx. Elsewhere a dollar is a letter of a path: /odata/$metadata.
  { form: /\$\{?([a-z]\w*)\b\}?/g, cure: ({ 1: name = '' }) => ofNginx(name) },
  // sed and Apache: groups of the pattern, groups of a condition.
  { form: /\$(\d)(?!\d)/g, cure: ({ 1: digit }) => `{R:${digit}}` },
  { form: /(?<![\\\w:])\\([1-9])(?!\d)/g, cure: ({ 1: digit }) => `{R:${digit}}` },
  { form: /(?<!\d)%(\d)(?![\dA-Fa-f])/g, cure: ({ 1: digit }) => `{C:${digit}}` },
  { form: /(?<![\w{:.-])([RC]):(\d{1,2})(?![\w}])/g, cure: ([text]) => `{${text}}` },
  { form: /%([A-Z]\w+)%/g, cure: ({ 1: name = '' }) => (isKnownVariable(name) ? `{${name}}` : undefined) },
  { form: BARE, cure: ([name]) => (isNamedVariable(name) || HEADERS.test(name) ? `{${name}}` : undefined) },
];

/** Of all that may stand behind `HTTP_` those that no page is called by. */
const HEADERS = /^HTTP_(?:USER_AGENT|COOKIE|REFERER|ACCEPT_\w+|AUTHORIZATION|ORIGIN|UPGRADE|CONNECTION|X_\w+)$/;

/** @param whole nothing but this text is the input of a condition */
function meantInPart({ text, from }: Part & { kind: 'text' }, whole: boolean): readonly Meant[] {
  const upper = text.toUpperCase().replaceAll('-', '_');
  // A word such as `https` may be text that a condition captures.
  const named = isNamedVariable(upper) && (text === text.toUpperCase() || upper.includes('_'));
  if (whole ? named || /^(HTTP|RESPONSE)_\w+$/.test(upper) : /^HTTP_[A-Z_]+$/.test(text)) {
    return [{ from, to: from + text.length, cure: `{${upper}}` }];
  }
  const found = FORMS.flatMap(({ form, cure }) =>
    [...text.matchAll(form)].flatMap((each) => {
      const written = cure(each);
      if (written === undefined) return [];
      const [start, end] = withBrackets(text, each.index, each.index + each[0].length);
      return [{ from: from + start, to: from + end, cure: written === '' ? undefined : written }];
    }),
  );
  return found.toSorted((one, other) => one.from - other.from);
}

const BRACKETS: readonly string[] = ['[]', '()', '<>', '##'];

/** `[HTTP_HOST]`: what stands in place of the braces goes with the name. */
function withBrackets(text: string, start: number, end: number): readonly [start: number, end: number] {
  const around = `${text[start - 1] ?? ''}${text[end] ?? ''}`;
  return BRACKETS.includes(around) ? [start - 1, end + 1] : [start, end];
}
