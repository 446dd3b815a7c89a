/** The inside of an HTML tag: where its attributes are and where it ends, as the tokenizer of the HTML standard has it. */

export type TagState =
  | 'beforeName'
  | 'inName'
  | 'afterName'
  | 'beforeValue'
  | 'doubleQuoted'
  | 'singleQuoted'
  | 'unquoted'
  | 'end';

const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const SLASH = 0x2f;
const EQUALS = 0x3d;
const GREATER = 0x3e;

export function isBlank(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x09 || byte === 0x0d || byte === 0x0c;
}

/** The state behind one more byte; behind the name of a tag it is `beforeName`. */
export function nextTagState(state: TagState, byte: number): TagState {
  switch (state) {
    case 'doubleQuoted':
      return byte === QUOTE ? 'beforeName' : state;
    case 'singleQuoted':
      return byte === APOSTROPHE ? 'beforeName' : state;
    case 'unquoted':
      return byte === GREATER ? 'end' : isBlank(byte) ? 'beforeName' : state;
    case 'beforeValue':
      if (byte === QUOTE) return 'doubleQuoted';
      if (byte === APOSTROPHE) return 'singleQuoted';
      return byte === GREATER ? 'end' : isBlank(byte) ? state : 'unquoted';
    default:
      return outsideValue(state, byte);
  }
}

function outsideValue(state: TagState, byte: number): TagState {
  if (byte === GREATER) return 'end';
  if (byte === SLASH) return 'beforeName';
  if (isBlank(byte)) return state === 'inName' ? 'afterName' : state;
  // An equals sign that no name goes before is the first letter of one.
  return byte === EQUALS && state !== 'beforeName' ? 'beforeValue' : 'inName';
}

export interface Attribute {
  /** Lower case. */
  readonly name: string;
  /** Where the value stands in the tag, without its quotes. */
  readonly from: number;
  readonly to: number;
  readonly quote: '"' | "'" | '';
}

/** The attributes that have a value, in order, of a whole tag as latin1. */
export function readAttributes(tag: string): readonly Attribute[] {
  const attributes: Attribute[] = [];
  let state: TagState = 'beforeName';
  let nameFrom = 0;
  let name = '';
  let from = 0;
  for (let at = nameEnd(tag); at < tag.length; at++) {
    const next = nextTagState(state, tag.charCodeAt(at));
    if (next === state) continue;
    if (state === 'inName') name = tag.slice(nameFrom, at).toLowerCase();
    if (next === 'inName') nameFrom = at;
    else if (next === 'unquoted') from = at;
    else if (next === 'doubleQuoted' || next === 'singleQuoted') from = at + 1;
    const quote = QUOTES[state];
    if (quote !== undefined) attributes.push({ name, from, to: at, quote });
    state = next;
  }
  return attributes;
}

const QUOTES: { readonly [state in TagState]?: Attribute['quote'] } = {
  doubleQuoted: '"',
  singleQuoted: "'",
  unquoted: '',
};

/** Behind `<` and the name. */
function nameEnd(tag: string): number {
  const found = /[\s/>]/.exec(tag);
  return found ? found.index : tag.length;
}
