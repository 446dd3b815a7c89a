/** URLs of Rewrites that come out as something else than is meant: without a scheme, with one that is none, with a number sign. */
import type { Report, Span } from '../config/diagnostic.ts';
import type { RuleConfig, RuleSetConfig } from '../config/rewrite-model.ts';
import { nearest } from '../nearest.ts';
import { beginsOf } from './check-left-to-file.ts';

interface UrlMeant {
  /** Follows the URL in a sentence. */
  readonly why: string;
  readonly advice: string;
}

const NO_SCHEME = 'has no scheme, so it is a path';

/**
 * Nothing where it may well be what it seems: a path, or a scheme that is known and not supported.
 * @param begin of a URL that has none, where nothing tells which is meant
 */
export function urlMeant(url: string, begin = 'http://'): UrlMeant | undefined {
  if (url.startsWith('#')) {
    const advice =
      'Answer with type="CustomResponse" statusCode="503", or write http://, a farm or host that has the page, and its path: a # behind them is encoded as well.';
    return { why: 'is a path whose # is encoded, as part of the name of a file', advice };
  }
  const socket = /^ws(s?):\/\//i.exec(url);
  if (socket) {
    const advice = `Write "http${socket[1]}://${url.slice(socket[0].length)}": WebSockets pass through it.`;
    return { why: NO_SCHEME, advice };
  }
  const [, scheme = '', rest] = /^([a-z]+):?[/\\]*(.*)$/is.exec(url) ?? [];
  if (
    rest !== undefined &&
    /^https?$/i.test(scheme) &&
    !/^https?:\/\//i.test(url) &&
    /^https?(:|[/\\]{2})/i.test(url)
  ) {
    return { why: NO_SCHEME, advice: `Write "${scheme}://${rest.replaceAll('\\', '/')}".` };
  }
  const misspelt = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase() ?? '';
  const near =
    misspelt.startsWith('http') || /p(s?)$/.test(misspelt) ? nearest(misspelt, ['http', 'https']) : undefined;
  if (near !== undefined && near !== misspelt && !/^s?ftps?$/.test(misspelt)) {
    return { why: NO_SCHEME, advice: `Write "${near}${url.slice(misspelt.length)}".` };
  }
  const hostFirst = /^\/\/[\w[]/.test(url) ? url.slice(2) : HOST_FIRST.test(url) ? url : undefined;
  return hostFirst === undefined ? undefined : { why: NO_SCHEME, advice: `Write "${begin}${hostFirst}".` };
}

/** With a port; or an address, `localhost`, or a name of three labels, and a slash behind: nothing else is called so. */
const HOST_FIRST =
  /^[\w-]+(?:\.[\w-]+)*:\d+(?:[/?{]|$)|^(?:localhost|\d+(?:\.\d+){3}|[\w-]+(?:\.[\w-]+)+\.[a-z]{2,})\//i;

/** A `Report` that tells what leaves requests to a file, or is no URL, with what was meant. */
export function withUrlMeant(sets: readonly RuleSetConfig[], report: Report): Report {
  const rules = new Map<string, RuleConfig>();
  for (const rule of sets.flatMap((set) => set.rules)) {
    const { type, url } = rule.action;
    if (type === 'Rewrite' && url) rules.set(keyOf(url.span), rule);
  }
  const begunWrongly = new Set<string>();
  return (code, span, finding) => {
    // `$scheme://app01/` is a path for want of a variable, as has been told.
    if (code === 'LG2249') begunWrongly.add(keyOf(span));
    if (code === 'LG2245' && begunWrongly.has(keyOf(span))) return;
    const rule = code === 'LG2245' || code === 'LG2235' ? rules.get(keyOf(span)) : undefined;
    const url = rule?.action.url?.value ?? '';
    const begins = rule ? beginsOf(rule) : [];
    const meant = rule && urlMeant(url, begins.length === 1 ? begins[0] : undefined);
    if (!meant) {
      report(code, span, finding);
      return;
    }
    const words = typeof finding === 'function' ? finding() : finding;
    const { why, advice } = meant;
    const message = `The URL of rule "${rule.name.value}", "${url}", ${why}; Lychgate has no files, so requests are answered with 404.`;
    report(code, span, code === 'LG2235' ? { ...words, advice } : { ...words, message, advice });
  };
}

/** What is wrong with a URL as a whole begins where it begins. */
function keyOf({ file, start }: Span): string {
  return `${start} ${file}`;
}
