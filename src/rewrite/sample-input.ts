/** Texts that a pattern matches, to imagine a request with. */
import type { PatternSyntax } from '../config/rewrite-model.ts';
import { complement, includes, type Ranges } from './character-set.ts';
import { compilePattern, isFault } from './pattern.ts';
import { type Node, readRegex } from './regex-syntax.ts';

/** The preferred units for a place that takes several. */
const LIKED = [...'axn0-./_ ', 'A'].map((char) => char.charCodeAt(0));
const LONGEST = 200;

/** Up to three texts that match: as short as can be, with each loop turned once, and the same in capitals. */
export function sampleInputs(syntax: PatternSyntax, pattern: string, ignoreCase: boolean): readonly string[] {
  const compiled = compilePattern(syntax, pattern, ignoreCase);
  if (isFault(compiled)) return [];
  const [short, long] = [0, 1].map((turns) => sampleOf(syntax, pattern, turns));
  const samples = new Set([short, long, long?.toUpperCase()].filter((sample) => sample !== undefined));
  return [...samples].filter((sample) => sample.length <= LONGEST && typeof compiled.match(sample) === 'object');
}

function sampleOf(syntax: PatternSyntax, pattern: string, turns: number): string | undefined {
  if (syntax === 'ExactMatch') return pattern;
  if (syntax === 'Wildcard') return pattern.replaceAll('*', 'a'.repeat(turns)).replaceAll('?', 'a');
  const read = readRegex(pattern);
  return 'kind' in read ? undefined : sampleOfNode(read.root, turns);
}

/** May not match in the end: assertions and back-references are not heeded. */
function sampleOfNode(node: Node, turns: number): string {
  switch (node.kind) {
    case 'chars':
      return sampleUnit(node.negated ? complement(node.ranges) : node.ranges);
    case 'sequence':
      return node.items.map((item) => sampleOfNode(item, turns)).join('');
    case 'choice':
      return node.options[0] ? sampleOfNode(node.options[0], turns) : '';
    case 'group':
      return sampleOfNode(node.body, turns);
    case 'repeat':
      return sampleOfNode(node.body, turns).repeat(Math.min(LONGEST, node.max, Math.max(node.min, turns)));
    default:
      return '';
  }
}

function sampleUnit(ranges: Ranges): string {
  const unit = LIKED.find((liked) => includes(ranges, liked)) ?? ranges[0]?.[0];
  return unit === undefined ? '' : String.fromCharCode(unit);
}
