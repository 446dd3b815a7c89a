/**
 * Runs patterns that the linear engine of V8 cannot take (look-ahead, back-references, large counts): a backtracking
 * machine that counts its steps and gives up when there are too many, as the C++ library does ("match too complex").
 */
import { complement, fold, ignoringCase, includes, type Ranges } from './character-set.ts';
import type { Node } from './regex-syntax.ts';

type Instruction =
  | { readonly op: 'unit'; readonly table: Uint8Array; readonly ranges: Ranges }
  | { readonly op: 'save'; readonly slot: number }
  | { readonly op: 'forget'; readonly from: number; readonly to: number }
  | { readonly op: 'split'; first: number; second: number }
  | { readonly op: 'jump'; to: number }
  /** Remembers where a turn of a loop began. */
  | { readonly op: 'mark'; readonly slot: number }
  /** Fails when the turn consumed nothing, so that loops end. */
  | { readonly op: 'progress'; readonly slot: number }
  | { readonly op: 'assert'; readonly at: '^' | '$' | '\\b' | '\\B' }
  | { readonly op: 'look'; readonly negated: boolean; end: number }
  | { readonly op: 'back'; readonly index: number }
  | { readonly op: 'match' };

export interface RegexProgram {
  readonly code: readonly Instruction[];
  readonly groups: number;
  readonly slots: number;
  readonly ignoreCase: boolean;
}

/** A search took more steps than it may. */
export const TOO_COMPLEX = Symbol('match too complex');

/** About ten milliseconds of work, for the short inputs of rules and conditions. */
const MAX_STEPS = 500_000;
const MAX_CODE = 20_000;

interface Builder {
  readonly code: Instruction[];
  slots: number;
  readonly ignoreCase: boolean;
}

/** Gives nothing where the counts of the pattern multiply beyond what can be kept. */
export function buildProgram(root: Node, groups: number, ignoreCase: boolean): RegexProgram | undefined {
  const builder: Builder = { code: [], slots: (groups + 1) * 2, ignoreCase };
  if (!emit(builder, root)) return undefined;
  builder.code.push({ op: 'match' });
  return { code: builder.code, groups, slots: builder.slots, ignoreCase };
}

function emit(builder: Builder, node: Node): boolean {
  const { code } = builder;
  if (code.length > MAX_CODE) return false;
  switch (node.kind) {
    case 'chars': {
      const cased = builder.ignoreCase ? ignoringCase(node.ranges) : node.ranges;
      const ranges = node.negated ? complement(cased) : cased;
      const table = new Uint8Array(128);
      for (let unit = 0; unit < 128; unit++) table[unit] = includes(ranges, unit) ? 1 : 0;
      code.push({ op: 'unit', table, ranges });
      return true;
    }
    case 'sequence':
      return node.items.every((item) => emit(builder, item));
    case 'choice':
      return emitChoice(builder, node.options);
    case 'group': {
      code.push({ op: 'save', slot: node.index * 2 });
      const done = emit(builder, node.body);
      code.push({ op: 'save', slot: node.index * 2 + 1 });
      return done;
    }
    case 'repeat':
      return emitRepeat(builder, node);
    case 'assertion':
      code.push({ op: 'assert', at: node.at });
      return true;
    case 'lookAhead': {
      const look = { op: 'look' as const, negated: node.negated, end: 0 };
      code.push(look);
      const done = emit(builder, node.body);
      code.push({ op: 'match' });
      look.end = code.length;
      return done;
    }
    case 'backReference':
      code.push({ op: 'back', index: node.index });
      return true;
  }
}

function emitChoice(builder: Builder, options: readonly Node[]): boolean {
  const { code } = builder;
  const exits: { op: 'jump'; to: number }[] = [];
  for (const [index, option] of options.entries()) {
    const last = index === options.length - 1;
    const split = { op: 'split' as const, first: code.length + 1, second: 0 };
    if (!last) code.push(split);
    if (!emit(builder, option)) return false;
    if (last) break;
    const exit = { op: 'jump' as const, to: 0 };
    code.push(exit);
    exits.push(exit);
    split.second = code.length;
  }
  for (const exit of exits) exit.to = code.length;
  return true;
}

function emitRepeat(builder: Builder, node: Node & { kind: 'repeat' }): boolean {
  const { code } = builder;
  const turn = () => {
    if (node.groups[1] > node.groups[0]) code.push({ op: 'forget', from: node.groups[0] * 2, to: node.groups[1] * 2 });
    return emit(builder, node.body);
  };
  for (let n = 0; n < node.min; n++) if (!turn()) return false;
  const slot = builder.slots++;
  const splits: { split: { op: 'split'; first: number; second: number }; into: number }[] = [];
  const optional = () => {
    const split = { op: 'split' as const, first: 0, second: 0 };
    code.push(split);
    splits.push({ split, into: code.length });
    code.push({ op: 'mark', slot });
    const done = turn();
    code.push({ op: 'progress', slot });
    return done;
  };
  if (node.max === Number.POSITIVE_INFINITY) {
    const loop = code.length;
    if (!optional()) return false;
    code.push({ op: 'jump', to: loop });
  } else {
    for (let n = node.min; n < node.max; n++) if (!optional()) return false;
  }
  for (const { split, into } of splits) {
    split.first = node.greedy ? into : code.length;
    split.second = node.greedy ? code.length : into;
  }
  return true;
}

interface Machine {
  readonly program: RegexProgram;
  readonly input: string;
  readonly slots: Int32Array;
  /** Three numbers each: `pc, position, -1` to go on with another way, or `slot, old value, -2` to undo. */
  readonly stack: number[];
  readonly maxSteps: number;
  steps: number;
}

const WAY = -1;
const UNDO = -2;

/**
 * Searches the input; gives the slots (start and end of each group, -1 for none), nothing, or `TOO_COMPLEX`.
 * @param from where the search begins; what stands before still counts for `^` and `\b`
 */
export function runProgram(
  program: RegexProgram,
  input: string,
  from = 0,
): Int32Array | undefined | typeof TOO_COMPLEX {
  // A whole body is looked through unit by unit, which must not count as complexity.
  const maxSteps = MAX_STEPS + 4 * (input.length - from);
  const machine: Machine = { program, input, slots: new Int32Array(program.slots), stack: [], maxSteps, steps: 0 };
  for (let start = from; start <= input.length; start++) {
    machine.slots.fill(-1);
    machine.stack.length = 0;
    const end = run(machine, 0, start);
    if (end >= 0) {
      machine.slots[0] = start;
      machine.slots[1] = end;
      return machine.slots;
    }
    if (machine.steps > maxSteps) return TOO_COMPLEX;
  }
  return undefined;
}

function set(machine: Machine, slot: number, value: number): void {
  machine.stack.push(slot, machine.slots[slot] ?? -1, UNDO);
  machine.slots[slot] = value;
}

/** Takes back what was set since the last way that is still open; gives its entry, or false when there is none. */
function backtrack(machine: Machine, base: number): [number, number] | undefined {
  const { stack, slots } = machine;
  while (stack.length > base) {
    const kind = stack.pop();
    const second = stack.pop() ?? 0;
    const first = stack.pop() ?? 0;
    if (kind === WAY) return [first, second];
    slots[first] = second;
  }
  return undefined;
}

function run(machine: Machine, startPc: number, startAt: number): number {
  const { program, input, slots, stack } = machine;
  const base = stack.length;
  let pc = startPc;
  let at = startAt;
  for (;;) {
    if (++machine.steps > machine.maxSteps) return -1;
    const step = program.code[pc];
    let ok = true;
    switch (step?.op) {
      case 'unit': {
        const unit = at < input.length ? input.charCodeAt(at) : -1;
        ok = unit >= 0 && (unit < 128 ? step.table[unit] === 1 : includes(step.ranges, unit));
        at++;
        pc++;
        break;
      }
      case 'split':
        stack.push(step.second, at, WAY);
        pc = step.first;
        break;
      case 'jump':
        pc = step.to;
        break;
      case 'save':
      case 'mark':
        set(machine, step.slot, at);
        pc++;
        break;
      case 'forget':
        for (let slot = step.from; slot < step.to; slot++) if (slots[slot] !== -1) set(machine, slot, -1);
        pc++;
        break;
      case 'progress':
        ok = slots[step.slot] !== at;
        pc++;
        break;
      case 'assert':
        ok = holds(input, at, step.at);
        pc++;
        break;
      case 'look':
        ok = look(machine, pc + 1, at, step.negated);
        pc = step.end;
        break;
      case 'back': {
        const length = sameAsGroup(machine, step.index, at);
        ok = length >= 0;
        at += length;
        pc++;
        break;
      }
      default:
        return at;
    }
    if (ok) continue;
    const way = backtrack(machine, base);
    if (!way) return -1;
    [pc, at] = way;
  }
}

function look(machine: Machine, pc: number, at: number, negated: boolean): boolean {
  const base = machine.stack.length;
  const found = run(machine, pc, at) >= 0;
  if (negated) {
    while (backtrack(machine, base));
    return !found;
  }
  if (!found) return false;
  // What was captured stays, the other ways inside do not.
  const inner = machine.stack.splice(base);
  for (let i = 0; i < inner.length; i += 3) {
    if (inner[i + 2] === UNDO) machine.stack.push(inner[i] ?? 0, inner[i + 1] ?? 0, UNDO);
  }
  return true;
}

function isWord(unit: number): boolean {
  return (
    (unit >= 0x30 && unit <= 0x39) || (unit >= 0x41 && unit <= 0x5a) || unit === 0x5f || (unit >= 0x61 && unit <= 0x7a)
  );
}

function holds(input: string, at: number, assertion: '^' | '$' | '\\b' | '\\B'): boolean {
  if (assertion === '^') return at === 0;
  if (assertion === '$') return at === input.length;
  const border = isWord(input.charCodeAt(at - 1)) !== isWord(input.charCodeAt(at));
  return border === (assertion === '\\b');
}

/** The length of the group's text if it stands here again, -1 if it does not; a group without text matches nothing. */
function sameAsGroup(machine: Machine, index: number, at: number): number {
  const { slots, input, program } = machine;
  const from = slots[index * 2] ?? -1;
  const to = slots[index * 2 + 1] ?? -1;
  if (from < 0 || to < 0) return 0;
  const length = to - from;
  if (at + length > input.length) return -1;
  machine.steps += length;
  for (let i = 0; i < length; i++) {
    const a = input.charCodeAt(from + i);
    const b = input.charCodeAt(at + i);
    if (a !== b && !(program.ignoreCase && fold(a) === fold(b))) return -1;
  }
  return length;
}
