/** What a file is that was given as a log or a configuration and is none, told by how it begins. */
import { typed } from '../program-name.ts';

interface Foreign {
  readonly begins: RegExp;
  /** With an article. */
  readonly what: string;
  /** How a log comes to be one that can be replayed. */
  readonly asLog?: string;
  /** What to do where a configuration was wanted. */
  readonly instead?: string;
}

const CHOOSE = 'in IIS Manager, "Logging", the format W3C is to be chosen';
const REPLAY = `To see what rules do with its requests, give it to "${typed('trace --log')}".`;
const CERTIFICATE = `Certificates are named in "certificates" of settings.json; "${typed('validate DIR')}" judges them with it.`;

const XML: Foreign = { begins: /^\s*</, what: 'XML or HTML' };
const JSON_TEXT: Foreign = { begins: /^\s*[{[]/, what: 'JSON' };

/** The first that fits. Each character is one byte; where nothing else is said, it is the first line that counts. */
const ANY: readonly Foreign[] = [
  { begins: /^(?:\xff\xfe|\xfe\xff|#\0|\0#)/, what: 'UTF-16 text', asLog: 'it has to be UTF-8, as IIS writes it' },
  { begins: /^PK\x03\x04/, what: 'a ZIP archive', asLog: 'unpack it first', instead: 'Unpack it first.' },
  { begins: /^0[\x80-\x84][\s\S]{0,4}\x02\x01\x03/, what: 'a PFX file', instead: CERTIFICATE },
  { begins: /^0\x82[\s\S]{2}0\x82/, what: 'a certificate in DER', instead: CERTIFICATE },
  { begins: /\0/, what: 'a binary file' },
  { begins: /^(?:[^\n]*\n)*?-----BEGIN [A-Z ]+-----/, what: 'a PEM file', instead: CERTIFICATE },
  {
    begins: /^\s*\{.*"sc-status"/,
    what: 'a log of Lychgate in JSON',
    asLog: 'with "log": { "access": { "format": "w3c" } } in settings.json it can be replayed',
  },
  JSON_TEXT,
  XML,
  { begins: /^\S+ \S+ .+ \[\d\d\/\w{3}\/\d{4}:[^\]]*\] "/, what: 'a log in NCSA format', asLog: CHOOSE },
  { begins: /^[^,]+, .*, W3SVC\d+, /i, what: 'a log in IIS format', asLog: CHOOSE },
];

/** Lines that say nothing in YAML and in files of variables. */
const IDLE = '^(?:[ \\t]*(?:#[^\\n]*)?\\r?\\n)*';
/** Text that a log could begin with where it is cut. */
const TEXTS: readonly Foreign[] = [
  { begins: /^#(?:Software|Version|Fields|Date|Start-Date|End-Date|Remark):/, what: 'an IIS log', instead: REPLAY },
  {
    begins: /^\x1f\x8b/,
    what: 'a gzip file',
    instead: `Unpack it first, or give it to "${typed('trace --log')}" if it is a log.`,
  },
  { begins: new RegExp(`${IDLE}(?:export )?[A-Z][A-Z0-9_]*=`), what: 'a file of variables' },
  { begins: new RegExp(`${IDLE}(?:---\\s|[A-Za-z_][\\w.-]*:\\s)`), what: 'YAML' },
  { begins: /^#!/, what: 'a script' },
  { begins: /^\s*#{1,6} /, what: 'Markdown' },
];

/**
 * @param head the first bytes of a file
 * @returns nothing where it is a log, or may be one that begins in the midst of its lines
 */
export function notLog(head: string): string | undefined {
  const text = withoutMark(head);
  const found = /^#\w+:/.test(text) ? undefined : ANY.find(({ begins }) => begins.test(text));
  return found?.asLog === undefined ? found?.what : `${found.what}: ${found.asLog}`;
}

/** What stands in place of XML or of JSON, and what to do. */
export interface Mistaken {
  readonly message: string;
  readonly advice: string;
}

const NAME_XML = 'Name applicationHost.config, a web.config or a file of rules.';

/** @returns nothing where it is XML, or is meant as such */
export function notXml(head: string): Mistaken | undefined {
  const text = withoutMark(head);
  // Something before the first element is a fault of the XML.
  if (/^\s*\0?</.test(text) || /^<(?:\?xml|configuration)[\s/>]/m.test(text) || text.trim() === '') return undefined;
  const found = [...TEXTS, ...ANY].find(({ begins }) => begins.test(text));
  if (found === undefined && text.includes('<')) return undefined;
  const { what = 'text without an element', instead } = found ?? {};
  const settings = found === JSON_TEXT ? ` Settings are checked by "${typed('validate settings.json')}".` : '';
  return { message: `This is ${what}, not an IIS configuration file.`, advice: instead ?? `${NAME_XML}${settings}` };
}

/** @returns nothing where it is JSON, or is meant as such */
export function notJson(head: string): Mistaken | undefined {
  const text = withoutMark(head);
  if (JSON_TEXT.begins.test(text)) return undefined;
  const found = [...TEXTS, ...ANY].find(({ begins }) => begins.test(text));
  if (found === undefined) return undefined;
  const cure =
    found === XML
      ? 'Give it a name that does not end with .json if it is an IIS configuration file.'
      : 'Name the settings.json of a service, or its folder.';
  return { message: `This is ${found.what}, not the settings of a service in JSON.`, advice: found.instead ?? cure };
}

/** Other files in JSON, by keys at the top that all of them have. */
const JSON_FILES: readonly (readonly [what: string, ...keys: readonly string[]])[] = [
  ['a JSON schema, by which editors check settings.json', '$schema', 'properties'],
  ['a report in SARIF', 'runs', 'version'],
  ['what "validate --format json" has found', 'ok', 'diagnostics'],
  ['a traced request', 'request', 'outcome'],
  ['a line of the access log', 'sc-status'],
  ['the package.json of a Node package', 'name', 'dependencies'],
  ['the package.json of a Node package', 'name', 'version'],
  ['the settings of the TypeScript compiler', 'compilerOptions'],
];

/** What a file in JSON is that holds no settings. */
export function whatJson(keys: readonly string[]): string {
  return JSON_FILES.find(([, ...wanted]) => wanted.every((key) => keys.includes(key)))?.[0] ?? 'JSON';
}

function withoutMark(head: string): string {
  return head.replace(/^(?:\xef\xbb\xbf|\ufeff)/, '');
}
