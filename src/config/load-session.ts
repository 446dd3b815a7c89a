/** What one run of the loader carries along: its findings, the texts it read, and the opening of XML files. */
import { existsSync } from 'node:fs';
import { type NearestKey, newNearestKey } from '../nearest.ts';
import { type Diagnostic, type Report, reportInto, type Span } from './diagnostic.ts';
import { fileName, readSource } from './files.ts';
import { notXml } from './foreign-file.ts';
import type { Part } from './model.ts';
import type { SettingsConfig } from './settings-model.ts';
import { parseXml, type XmlElement, type XmlFault } from './xml.ts';

/** The site that holds the rules of files without sites. */
export const FRAGMENT_SITE = 'fragment';

export interface LoadSession {
  readonly diagnostics: Diagnostic[];
  readonly report: Report;
  readonly nearestKey: NearestKey;
  readonly sources: Map<string, string>;
  /** Nothing where it is not known what settings.json says of such sections. */
  acknowledge: readonly string[] | undefined;
  /** What settings.json says of client certificates. */
  clientCertificates: SettingsConfig['tls']['clientCertificates'];
  /** Parts that may be written where nobody looked for them, although nothing was refused there. */
  readonly misread: Set<Part>;
  /** Names of elements that may stand where nobody looked, since what holds them is not known or stands there twice. */
  readonly passedOver: Set<string>;
  /** True once a file could not be read to its end as XML: there is no picture of the whole then. */
  broken: boolean;
}

export function newSession(): LoadSession {
  const diagnostics: Diagnostic[] = [];
  return {
    diagnostics,
    report: reportInto(diagnostics),
    nearestKey: newNearestKey(),
    sources: new Map(),
    acknowledge: [],
    clientCertificates: undefined,
    misread: new Set(),
    passedOver: new Set(),
    broken: false,
  };
}

/** IIS's limit for web.config and the files that it includes. */
const WEB_CONFIG_LIMIT = 250 * 1024;

/** IIS's words where a file that `configSource` names cannot be read, whatever the reason. */
export const includedText = 'Specified configSource cannot be parsed';

const MALFORMED = 'Configuration file is not well-formed XML';

const faultCodes = { malformed: 'LG1002', dtd: 'LG1005', limit: 'LG1006' } as const;

interface OpenOptions {
  /** True for files under IIS's size limit. */
  readonly limited: boolean;
  /** What names the file, to be shown where it cannot be read. */
  readonly from?: Span;
  /** The cure where there is no such file. */
  readonly absent?: string;
  /** True for a file that a `configSource` names: the model makes sense without it, and IIS has one text for it. */
  readonly included?: true;
}

/** Reads a file and its XML; what stops that is reported. */
export function openXml(
  file: string,
  session: LoadSession,
  { limited, from, absent, included }: OpenOptions,
): XmlElement | undefined {
  const { report } = session;
  const source = readSource(file);
  if (source.text === undefined) {
    if (included !== true) session.broken = true;
    report('LG1001', from ?? { file, start: 0, end: 0 }, {
      message: `${file} cannot be read: ${source.failure}.`,
      advice: (existsSync(file) ? undefined : absent) ?? 'Check the name and the permissions of the file.',
      iis: { status: '500.19', text: included === true ? includedText : 'Cannot read configuration file' },
    });
    return undefined;
  }
  const mistaken = notXml(source.head ?? '');
  if (mistaken !== undefined) {
    session.broken = true;
    // What is no text is not quoted.
    session.sources.set(file, source.encodingFault === undefined ? source.text : '');
    const text = included === true ? includedText : MALFORMED;
    report('LG1002', { file, start: 0, end: 0 }, { ...mistaken, iis: { status: '500.19', text } });
    return undefined;
  }
  session.sources.set(file, source.text);
  if (limited && source.bytes > WEB_CONFIG_LIMIT) reportTooLarge(file, source.bytes, session);
  if (source.encodingFault !== undefined) {
    session.broken = true;
    const start = Math.min(source.encodingFault.offset, source.text.length);
    report(
      'LG1003',
      { file, start, end: Math.min(start + 1, source.text.length) },
      {
        message: source.encodingFault.message,
        advice: 'Save the file as UTF-8 and write encoding="utf-8" into its XML declaration.',
        iis: { status: '500.19', text: MALFORMED },
      },
    );
    return undefined;
  }
  if (source.claimedEncoding !== undefined) reportClaim(file, source.text, source.claimedEncoding, session);
  const { root, faults, complete } = parseXml(file, source.text);
  for (const fault of faults) reportFault(fault, included === true, session);
  if (complete) return root;
  session.broken = true;
  return undefined;
}

/** A folder whose content is not known: a file that counts may stand in it. */
export function reportUnreadable(folder: string, why: string, session: LoadSession): void {
  session.broken = true;
  session.report(
    'LG1001',
    { file: folder, start: 0, end: 0 },
    {
      message: `This cannot be read: ${why}.`,
      advice: 'Check the permissions of the folder; a link must lead to one.',
      iis: { status: '500.19', text: 'Cannot read configuration file' },
    },
  );
}

function reportTooLarge(file: string, bytes: number, { report }: LoadSession): void {
  report(
    'LG1004',
    { file, start: 0, end: 0 },
    {
      message: `${fileName(file)} has ${bytes} bytes; IIS reads at most ${WEB_CONFIG_LIMIT}.`,
      advice: 'Move rewrite maps or rules to files of their own with configSource="…".',
      iis: { status: '500.19', text: 'Cannot read configuration file because it exceeds the maximum file size' },
    },
  );
}

function reportClaim(file: string, text: string, claimed: string, { report }: LoadSession): void {
  const start = text.indexOf(claimed);
  report(
    'LG1020',
    { file, start, end: start + claimed.length },
    {
      message: `The XML declaration says ${claimed} but the file is UTF-8; IIS may refuse it.`,
      advice: 'Write encoding="utf-8".',
    },
  );
}

function reportFault(fault: XmlFault, included: boolean, session: LoadSession): void {
  session.report(faultCodes[fault.kind], fault.span, {
    message: fault.message,
    advice: fault.advice,
    iis: { status: '500.19', text: included ? includedText : MALFORMED },
    ...(fault.related === undefined ? {} : { related: fault.related }),
  });
}
