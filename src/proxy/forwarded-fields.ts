/** Fields in which a proxy tells a server what it has seen itself: from whom a request came, how, and what for. */

/** By which servers and frameworks go besides X-Forwarded-…, X-Original-… and X-ARR-…. */
const NAMES: ReadonlySet<string> = new Set([
  'forwarded',
  // How the client came.
  'front-end-https',
  'x-url-scheme',
  // From where it came.
  'client-ip',
  'true-client-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-real-ip',
  // What it asked for: a server that takes these decides by them, where our rules have decided by host and URL.
  'x-host',
  'x-http-host-override',
  'x-rewrite-url',
]);

/** @param name lower case, with `-` for `_` */
export function isForwardedField(name: string): boolean {
  return (
    name.startsWith('x-forwarded-') || name.startsWith('x-original-') || name.startsWith('x-arr-') || NAMES.has(name)
  );
}
