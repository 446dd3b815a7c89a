/** The request target: the bytes as sent, the decoded path that rules see, and the way back to bytes (design D3c). */
import { encodePath, textOfBytes } from './percent-coding.ts';

export interface ParsedTarget {
  /** The whole target as sent, each character one byte. */
  readonly raw: string;
  /** The path as sent. */
  readonly rawPath: string;
  /** Decoded once; dot segments resolved, a backslash read as a slash, slashes in a row made one. Begins with `/`. */
  readonly path: string;
  /** As sent, without `?`. */
  readonly query: string;
  /** Whether there was a `?`. */
  readonly hasQuery: boolean;
  /** A dot segment or a backslash was there in some form, so that the bytes as sent may mean something else to a server. */
  readonly structural: boolean;
}

/** Why a target is answered with 400. */
export interface TargetRefusal {
  readonly refused: string;
}

export function isRefused(result: ParsedTarget | TargetRefusal): result is TargetRefusal {
  return 'refused' in result;
}

/** Nothing to decode or resolve: letters, digits and harmless signs, no empty segment, no segment that begins with a dot. */
const PLAIN = /^(?:\/(?:[A-Za-z0-9\-_~!$&'()*+,;=:@][A-Za-z0-9\-_~!$&'()*+,;=:@.]*)?)+$/;
const EMPTY_SEGMENT = '//';

/** @param raw a target in origin form as on the wire, each character one byte */
export function parseTarget(raw: string): ParsedTarget | TargetRefusal {
  if (raw.charCodeAt(0) !== 0x2f) return { refused: 'the target does not begin with a slash' };
  for (let i = 0; i < raw.length; i++) {
    const code = raw.charCodeAt(i);
    if (code <= 0x20 || code === 0x7f) return { refused: 'a control character or blank in the target' };
    if (code === 0x23) return { refused: 'a fragment in the target' };
    if (code > 0xff) return { refused: 'the target is not made of bytes' };
  }
  const mark = raw.indexOf('?');
  const hasQuery = mark >= 0;
  const rawPath = hasQuery ? raw.slice(0, mark) : raw;
  const query = hasQuery ? raw.slice(mark + 1) : '';
  const parsed = parsePath(rawPath);
  if ('refused' in parsed) return parsed;
  return { raw, rawPath, path: parsed.path, query, hasQuery, structural: parsed.structural };
}

/** Decodes and resolves a path; the part of `parseTarget` that also looks at paths which rules made. */
export function parsePath(rawPath: string): { readonly path: string; readonly structural: boolean } | TargetRefusal {
  if (PLAIN.test(rawPath) && !rawPath.includes(EMPTY_SEGMENT)) return { path: rawPath, structural: false };
  const decoded = decodePath(rawPath);
  if (typeof decoded !== 'string') return decoded;
  return resolvePath(decoded);
}

function decodePath(rawPath: string): string | TargetRefusal {
  if (!rawPath.includes('%')) return textOfBytes(rawPath);
  const bad = /%(?![0-9A-Fa-f]{2})(u?)/.exec(rawPath);
  if (bad) return { refused: bad[1] === 'u' ? '%u in the path' : 'a % without two hexadecimal digits in the path' };
  const bytes = rawPath.replace(/%(..)/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  if (/[\x00-\x1f\x7f]/.test(bytes)) return { refused: 'an encoded control character in the path' };
  return textOfBytes(bytes);
}

/** Resolves dot segments in a decoded path, reads backslashes as slashes, makes slashes in a row one. */
export function resolvePath(decoded: string): { readonly path: string; readonly structural: boolean } | TargetRefusal {
  let structural = decoded.includes('\\');
  const kept: string[] = [];
  const segments = decoded.replaceAll('\\', '/').split('/');
  const last = segments.at(-1);
  for (const segment of segments) {
    if (segment === '.' || segment === '..') structural = true;
    if (segment === '..') {
      if (kept.length === 0) return { refused: 'the path leaves the root' };
      kept.pop();
    } else if (segment !== '.' && segment !== '') {
      kept.push(segment);
    }
  }
  const open = kept.length > 0 && (last === '' || last === '.' || last === '..');
  return { path: `/${kept.join('/')}${open ? '/' : ''}`, structural };
}

/** The path for the request line: the bytes as sent if rewriting left the path alone, else the new one encoded once. */
export function wirePath(target: ParsedTarget, path: string): string {
  return path === target.path && !target.structural ? target.rawPath : encodePath(path);
}

/** The target for the request line. `query` must be fit for it already (`encodeQuery`, or as sent). */
export function wireTarget(target: ParsedTarget, path: string, query: string, hasQuery: boolean): string {
  const wire = wirePath(target, path);
  return hasQuery || query !== '' ? `${wire}?${query}` : wire;
}

/** The target for a log: where dot segments or backslashes were resolved, what rules and servers saw; else as sent. */
export function loggedTarget(raw: string): string {
  if (!/\\|\/\.|%2e|%5c/i.test(raw)) return raw;
  const parsed = parseTarget(raw);
  if (isRefused(parsed) || !parsed.structural) return raw;
  return wireTarget(parsed, parsed.path, parsed.query, parsed.hasQuery);
}
