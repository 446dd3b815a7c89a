/** Whether the new URL of a rule is one of this site, whatever a request brings. */
import type { RewriteMapConfig } from '../config/rewrite-model.ts';
import { beginsWithSlash, isPathVariable } from './server-variables.ts';
import { type Part, readTemplate } from './template.ts';

/**
 * False where it may be absolute: that a request goes nowhere is told only where that is certain.
 * @param captured the input of the condition that supplies `{C:n}`
 */
export function staysHere(url: string, maps: readonly RewriteMapConfig[], captured = ''): boolean {
  const { parts, unclosed } = readTemplate(url);
  const [first, second] = parts;
  if (unclosed.length > 0 || parts.some((part) => part.kind === 'text' && /\/\/|:$|:\\/.test(part.text))) return false;
  if (first === undefined) return true;
  if (first.kind === 'text') return !mayBeScheme(first.text, second);
  if (first.kind !== 'condition') return beginsHere(first, maps);
  const [source, more] = readTemplate(captured).parts;
  return source?.kind === 'call' && more === undefined && givesPaths(source, maps);
}

/** Beginnings of a scheme that what follows may complete. */
function mayBeScheme(text: string, next: Part | undefined): boolean {
  return (
    /^\\\\|^[A-Za-z][A-Za-z0-9+.-]*:/.test(text) || (next !== undefined && 'https:/'.startsWith(text.toLowerCase()))
  );
}

function beginsHere(part: Part, maps: readonly RewriteMapConfig[]): boolean {
  if (part.kind === 'rule') return true;
  if (part.kind === 'variable') return isPathVariable(part.name) || beginsWithSlash(part.name);
  return part.kind === 'call' && givesPaths(part, maps);
}

/** Whether all that a map has are paths. */
function givesPaths(part: Part & { kind: 'call' }, maps: readonly RewriteMapConfig[]): boolean {
  const map = maps.find(({ name }) => name.value.toLowerCase() === part.name.toLowerCase());
  if (!map) return false;
  // A default that is empty is no match of the condition before, or the root.
  return [map.defaultValue, ...map.entries.map(({ value }) => value)].every(
    (value) => /^(?:\/(?!\/)|$)/.test(value) && !value.includes('://'),
  );
}
