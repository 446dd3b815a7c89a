/** The states of HTML outside and around tags, one byte at a time: text, comments, raw text, tags and their names. */
import { isBlank, nextTagState, type TagState } from './html-attributes.ts';

/** What a byte means for who wants the start tags. */
export type TokenEvent =
  | 'none'
  /** It is a `<`, and a tag may follow. */
  | 'tagBegins'
  /** It ends the name of a start tag that goes on. */
  | 'tagNamed'
  /** It ends a start tag. */
  | 'tagEnds'
  /** What began is no start tag, or one without attributes. */
  | 'noTag';

type State =
  | 'text'
  | 'open' // behind `<`
  | 'close' // behind `</`
  | 'name'
  | 'tag'
  | 'markup' // behind `<!`
  | 'markupDash' // behind `<!-`
  | 'commentStart' // behind `<!--`
  | 'commentStartDash' // behind `<!---`
  | 'comment'
  | 'commentBang' // behind `--!`
  | 'bogus' // not a comment, but ignored like one, up to the next `>`
  | 'raw'
  | 'rawEnd'; // in `</script`

export interface Tokenizer {
  state: State;
  tag: TagState;
  /** Of the tag at hand, lower case; cut where no known name is as long. */
  name: string;
  endTag: boolean;
  /** In a row, inside a comment. */
  dashes: number;
  /** How much of the end tag of a raw text was seen. */
  matched: number;
}

export function newTokenizer(): Tokenizer {
  return { state: 'text', tag: 'beforeName', name: '', endTag: false, dashes: 0, matched: 0 };
}

/** Elements whose content is text up to their end tag. */
const RAW_TEXT: ReadonlySet<string> = new Set('script style textarea title xmp iframe noembed noframes'.split(' '));
const LONGEST_NAME = 100;

const BANG = 0x21;
const DASH = 0x2d;
const SLASH = 0x2f;
const LESS = 0x3c;
const GREATER = 0x3e;
const QUESTION = 0x3f;

/** The next place at or behind `from` whose byte can change the state. */
export function skip(tokens: Tokenizer, bytes: Buffer, from: number): number {
  const sought = soughtByte(tokens);
  if (sought === undefined) return from;
  const found = bytes.indexOf(sought, from);
  return found < 0 ? bytes.length : found;
}

function soughtByte({ state, tag, dashes }: Tokenizer): number | undefined {
  switch (state) {
    case 'text':
    case 'raw':
      return LESS;
    case 'bogus':
      return GREATER;
    case 'comment':
      return dashes === 0 ? DASH : undefined;
    case 'tag':
      return tag === 'doubleQuoted' ? 0x22 : tag === 'singleQuoted' ? 0x27 : undefined;
    default:
      return undefined;
  }
}

export function step(tokens: Tokenizer, byte: number): TokenEvent {
  switch (tokens.state) {
    case 'text':
      return text(tokens, byte);
    case 'open':
      return open(tokens, byte);
    case 'close':
      tokens.state = isLetter(byte) ? 'name' : byte === GREATER ? 'text' : 'bogus';
      tokens.name = letter(byte);
      tokens.endTag = true;
      return 'noTag';
    case 'name':
      return name(tokens, byte);
    case 'tag':
      tokens.tag = nextTagState(tokens.tag, byte);
      return tokens.tag === 'end' ? endOfTag(tokens) : 'none';
    case 'raw':
      tokens.state = byte === LESS ? 'rawEnd' : 'raw';
      tokens.matched = 1;
      return 'none';
    case 'rawEnd':
      return rawEnd(tokens, byte);
    case 'bogus':
      if (byte === GREATER) tokens.state = 'text';
      return 'none';
    default:
      tokens.state = comment(tokens, tokens.state, byte);
      return 'none';
  }
}

function text(tokens: Tokenizer, byte: number): TokenEvent {
  if (byte !== LESS) return 'none';
  tokens.state = 'open';
  return 'tagBegins';
}

function open(tokens: Tokenizer, byte: number): TokenEvent {
  if (isLetter(byte)) {
    tokens.state = 'name';
    tokens.name = letter(byte);
    tokens.endTag = false;
    return 'none';
  }
  if (byte === LESS) return 'tagBegins';
  tokens.state = byte === SLASH ? 'close' : byte === BANG ? 'markup' : byte === QUESTION ? 'bogus' : 'text';
  return 'noTag';
}

function name(tokens: Tokenizer, byte: number): TokenEvent {
  const ends = byte === GREATER;
  if (!ends && byte !== SLASH && !isBlank(byte)) {
    if (tokens.name.length < LONGEST_NAME) tokens.name += letter(byte);
    return 'none';
  }
  if (ends) {
    endOfTag(tokens);
    return 'noTag';
  }
  tokens.state = 'tag';
  tokens.tag = 'beforeName';
  return tokens.endTag ? 'none' : 'tagNamed';
}

function endOfTag(tokens: Tokenizer): TokenEvent {
  tokens.state = !tokens.endTag && RAW_TEXT.has(tokens.name) ? 'raw' : 'text';
  return 'tagEnds';
}

/** `</script` and then a blank, a slash or `>`; anything else was text. */
function rawEnd(tokens: Tokenizer, byte: number): TokenEvent {
  const wanted = `</${tokens.name}`;
  if (tokens.matched < wanted.length) {
    if (letter(byte) === wanted[tokens.matched]) tokens.matched++;
    else tokens.state = 'raw';
  } else if (byte === GREATER) {
    tokens.state = 'text';
  } else if (byte === SLASH || isBlank(byte)) {
    tokens.state = 'tag';
    tokens.tag = 'beforeName';
    tokens.endTag = true;
  } else {
    tokens.state = 'raw';
  }
  // What did not fit may begin the end tag itself.
  return tokens.state === 'raw' ? step(tokens, byte) : 'none';
}

function comment(tokens: Tokenizer, state: State, byte: number): State {
  switch (state) {
    case 'markup':
      return byte === DASH ? 'markupDash' : byte === GREATER ? 'text' : 'bogus';
    case 'markupDash':
      return byte === DASH ? 'commentStart' : byte === GREATER ? 'text' : 'bogus';
    case 'commentStart':
    case 'commentStartDash':
      if (byte === GREATER) return 'text';
      if (state === 'commentStart' && byte === DASH) return 'commentStartDash';
      tokens.dashes = byte !== DASH ? 0 : 2;
      return 'comment';
    case 'commentBang':
      if (byte === GREATER) return 'text';
      tokens.dashes = byte === DASH ? 1 : 0;
      return 'comment';
    default:
      if (byte === DASH) tokens.dashes++;
      else if (tokens.dashes >= 2 && byte === GREATER) return 'text';
      else if (tokens.dashes >= 2 && byte === BANG) return 'commentBang';
      else tokens.dashes = 0;
      return 'comment';
  }
}

function isLetter(byte: number): boolean {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x7a;
}

function letter(byte: number): string {
  return String.fromCharCode(byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte);
}
