import { SaxesParser } from 'saxes';
import { describe, expect, it } from 'vitest';
import { spanWithin } from '../../src/config/diagnostic.ts';
import { decode } from '../../src/config/files.ts';
import { parseXml, type XmlElement } from '../../src/config/xml.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { fileSets } from './rule-files.ts';
import { unmark } from './written.ts';

function saxesAccepts(text: string): boolean {
  const parser = new SaxesParser();
  let good = true;
  parser.on('error', () => {
    good = false;
  });
  parser.write(text).close();
  return good;
}

/** Every fault with the place it names; where it has to do with another place, that is marked too. */
const cases: readonly (readonly [what: string, marked: string, related?: 'first' | '', goesOn?: 'goes on'])[] = [
  ['a raw & in a value', '<a>\n  <b url="x?a=1«&»b=2" />\n</a>', '', 'goes on'],
  ['a raw & at the end of a value', '<a b="«&»" />', '', 'goes on'],
  ['a raw & in text', '<a>x «&» y</a>', '', 'goes on'],
  ['an unknown entity', '<a b="1«&nbsp;»2" />', '', 'goes on'],
  ['an entity without semicolon', '<a b="1«&»amp 2" />', '', 'goes on'],
  ['a character reference to nothing', '<a b="«&#0;»" />', '', 'goes on'],
  ['a surrogate by number', '<a b="«&#xD800;»" />', '', 'goes on'],
  ['a raw < in a value', '<a b="1 «<» 2" />', '', 'goes on'],
  ['a value that is not closed', '<a b=«"»x>\n  «<»c d="y" /></a>', 'first'],
  ['a mismatched tag', '<a>\n  «<b»>\n  «</a>»', 'first'],
  ['a tag in the wrong case', '<a>«<rule»>«</Rule>»</a>', 'first'],
  ['a tag that is not closed', '«<a»>\n<b />\n«»', 'first'],
  ['a closing tag too many', '<a />«</a>»'],
  ['a duplicate attribute', '<a «b»="1" c="2" «b»="3" />', 'first', 'goes on'],
  ['text after the root', '<a />\n«junk»\n'],
  ['text before the root', '«junk» <a />'],
  ['a second root', '<a />\n«<b» />'],
  ['no element', '«»  \n'],
  ['a value without quotes', '<a b=«1» />', '', 'goes on'],
  ['an attribute without value', '<a «b» />'],
  ['no blank between attributes', '<a b="1"«c»="2" />', '', 'goes on'],
  ['a blank after <', '<a>«<» b /></a>'],
  ['a blank in />', '«<a» b="1" «/» >', 'first'],
  ['a tag in a tag', '«<a» b="1" «<»c />', 'first'],
  ['a tag cut off', '«<a» b="1" «»', 'first'],
  ['a value cut off', '<a b=«"»1«»', 'first'],
  ['two hyphens in a comment', '<a><!-- x «--» y --></a>', '', 'goes on'],
  ['a comment that is not closed', '<a>«<!--» x'],
  ['a CDATA section that is not closed', '<a>«<![CDATA[» x'],
  ['a document type', '«<!DOCTYPE» a><a />'],
  ['a late declaration', '<!-- x -->\n«<?xml» version="1.0"?><a />'],
  ['a faulty declaration', '«<?xml verzion="1.0"?>»<a />'],
  ['a character that XML forbids', '<a b="x«\u0001»y" />', '', 'goes on'],
  ['an instruction that is not closed', '<a>«<?»php x</a>'],
  ['a faulty closing tag', '<a>«</a» b></a>'],
  ['three characters in text', '<a>x «]]>» y</a>', '', 'goes on'],
];

describe('faults of XML', () => {
  it.each(cases.map(([what, marked, related = '', goesOn]) => ({ what, marked, related, goesOn })))('$what', (each) => {
    const { marked, related, goesOn } = each;
    const { text, places } = unmark(marked);
    const { faults, complete } = parseXml('x', text);
    const [fault, ...more] = faults;
    expect(more).toEqual([]);
    expect(complete).toBe(goesOn === 'goes on');
    const main = places[related === '' ? 0 : 1];
    expect([fault?.span.start, fault?.span.end]).toEqual(main);
    if (related !== '') expect([fault?.related?.span.start, fault?.related?.span.end]).toEqual(places[0]);
    else expect(fault?.related).toBeUndefined();
    if (fault?.kind === 'malformed') expect(saxesAccepts(text)).toBe(false);
  });

  it.each([
    ['\n', 'Remove the empty lines before it: not even white space may stand there.'],
    ['\r\n\r\n', 'Remove the empty lines before it: not even white space may stand there.'],
    ['  \n\t', 'Remove the empty lines before it: not even white space may stand there.'],
    [' ', 'Remove the blanks before it: not even white space may stand there.'],
    ['\t ', 'Remove the blanks before it: not even white space may stand there.'],
    ['<!-- x -->', 'Make <?xml …?> the very first characters of the file; nothing may stand before it, not even a blank or a comment.'],
    ['\n<!-- x -->\n', 'Make <?xml …?> the very first characters of the file; nothing may stand before it, not even a blank or a comment.'],
  ])('knows the cure for what stands before the declaration: %j', (before, advice) => {
    const { faults } = parseXml('x', `${before}<?xml version="1.0"?>\n<a />`);
    expect(faults.map(({ span, advice: cure }) => [span.start, span.end, cure])).toEqual([
      [before.length, before.length + 5, advice],
    ]);
  }); // biome-ignore format: one row, one line

  it('names the line of the opening tag', () => {
    const [fault] = parseXml('x', '<a>\n  <rule>\n  </a>').faults;
    expect(fault?.message).toContain('line 2, column 3');
  });

  it('tells all of them, in order of place', () => {
    const { text, places } = unmark(
      '<a b="«&»" c="«<»" d=«e» «b»="1">«\u0002»«&nbsp;»<!-- a «--» b --><c d="1"«e»="2"/></a>',
    );
    const { faults, complete } = parseXml('x', text);
    expect(faults.map(({ span }) => [span.start, span.end])).toEqual(places);
    expect(complete).toBe(true);
  });

  it('takes what is faulty as it stands', () => {
    const { root } = parseXml('x', '<a url="x?a=1&b=2&nbsp;<c>" b=/d/ b="2"/>');
    expect(root?.attributes.map(({ name, value }) => [name, value.value])).toEqual([
      ['url', 'x?a=1&b=2&nbsp;<c>'],
      ['b', '/d/'],
    ]);
  });

  it.each([
    ['a quote inside a value', '<a b="x«y» z" c="1" />'],
    ['a quote forgotten on one line', '<a b="x>«<»c d="y" /></a>'],
    ['a quote forgotten at the end', '<a b="x «<»c> </a>'],
  ])('stops where it is not plain what is meant: %s', (_, marked) => {
    const { text, places } = unmark(marked.replace('x«', 'x"«'));
    const { faults, complete } = parseXml('x', text);
    expect(faults.map(({ span }) => [span.start, span.end])).toEqual(places);
    expect(complete).toBe(false);
  });

  it('bounds depth', () => {
    expect(parseXml('x', '<a>'.repeat(300)).faults[0]?.kind).toBe('limit');
    expect(parseXml('x', '<a>'.repeat(200) + '</a>'.repeat(200)).faults).toEqual([]);
  });
});

describe('values', () => {
  function firstValue(source: string) {
    const { root } = parseXml('x', source);
    return root!.attributes[0]!.value;
  }

  it('keeps plain values without offsets', () => {
    expect(firstValue('<a b="x y" />')).toEqual({ value: 'x y', span: { file: 'x', start: 6, end: 9 } });
  });

  it('decodes references and knows where each unit stood', () => {
    const value = firstValue('<a b="x&amp;&#x1F600;&#65;\r\n\ty" />');
    expect(value.value).toBe('x&😀A  y');
    expect(value.offsets).toEqual([6, 7, 12, 12, 21, 26, 28, 29, 30]);
    expect(spanWithin(value, 1, 2)).toEqual({ file: 'x', start: 7, end: 12 });
    expect(spanWithin(value, 7, 8)).toEqual({ file: 'x', start: 29, end: 30 });
  });

  it('keeps line ends that are written as references', () => {
    expect(firstValue("<a b='&#10;&#9;' />").value).toBe('\n\t');
  });

  it('gives places of elements and attributes', () => {
    const text = '<?xml version="1.0"?>\n<a x = "1"><b/>t</a>';
    const root = parseXml('x', text).root!;
    const cut = ({ start, end }: { start: number; end: number }) => text.slice(start, end);
    expect(cut(root.tagSpan)).toBe('<a x = "1">');
    expect(cut(root.nameSpan)).toBe('a');
    expect(cut(root.attributes[0]!.span)).toBe('x = "1"');
    expect(cut(root.children[0]!.tagSpan)).toBe('<b/>');
    expect(cut(root.text!)).toBe('t');
  });
});

function saxesTree(text: string): unknown {
  const parser = new SaxesParser();
  const stack: { name: string; attributes: unknown; children: unknown[] }[] = [];
  let root: unknown;
  parser.on('opentag', (tag) => {
    const element = { name: tag.name, attributes: Object.entries(tag.attributes), children: [] };
    stack.at(-1)?.children.push(element);
    root ??= element;
    stack.push(element);
  });
  parser.on('closetag', () => {
    stack.pop();
  });
  parser.write(text).close();
  return root;
}

function tree(element: XmlElement): unknown {
  return {
    name: element.name,
    attributes: element.attributes.map(({ name, value }) => [name, value.value]),
    children: element.children.map(tree),
  };
}

describe('agreement with saxes', () => {
  for (const { title, files } of fileSets) {
    it.runIf(files.length > 0)(`on ${title}, in verdict and content`, () => {
      for (const { name, bytes } of files) {
        const { text } = decode(bytes);
        // Which encodings are read is not a matter of XML, and document types are refused on purpose.
        if (text === undefined || text.includes('<!DOCTYPE')) continue;
        const parsed = parseXml(name, text);
        expect([name, parsed.faults.length === 0]).toEqual([name, saxesAccepts(text)]);
        if (parsed.faults.length === 0) expect(tree(parsed.root!)).toEqual(saxesTree(text));
      }
    });
  }

  const piece = fc.constantFrom(
    ...[
      '<a>',
      '</a>',
      '<a',
      '<b/>',
      '</b>',
      '<b>',
      '>',
      '/>',
      ' ',
      '\n',
      '\r\n',
      '\t',
      'x',
      '="1"',
      " y='2'",
      '=',
      '"',
      "'",
    ],
    ...['&amp;', '&', '&lt;', '&#65;', '&#x20AC;', '&#0;', '&foo;', '<', '<!--', '-->', '--', '-', '<![CDATA[', ']]>'],
    ...[
      '<?xml version="1.0"?>',
      '<?p q?>',
      '<?',
      '?>',
      '<!',
      'é',
      '😀',
      ':',
      '.',
      '1',
      'xmlns="u"',
      '\uFFFE',
      '\u0000',
      ']',
    ],
  );

  it('on random sequences of XML pieces', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), fc.boolean(), (pieces, wrapped) => {
        const text = wrapped ? `<r>${pieces.join('')}</r>` : pieces.join('');
        const parsed = parseXml('x', text);
        expect(parsed.faults.length === 0).toBe(saxesAccepts(text));
        if (parsed.faults.length === 0) expect(tree(parsed.root!)).toEqual(saxesTree(text));
      }),
      { numRuns: runs(6000) },
    );
  });

  it('on random values', () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
        const text = `<r a="${pieces.join('')}" b='${pieces.join('')}'/>`;
        expect(parseXml('x', text).faults.length === 0).toBe(saxesAccepts(text));
      }),
      { numRuns: runs(3000) },
    );
  });
});
