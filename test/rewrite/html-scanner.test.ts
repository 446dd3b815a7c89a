import { describe, expect, test } from 'vitest';
import { readAttributes } from '../../src/rewrite/html-attributes.ts';
import { createTagScanner, MAX_TAG_BYTES, type TagHandler } from '../../src/rewrite/html-scanner.ts';
import { cpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';

/** Every start tag of these is seen and put in brackets. */
function marking(seen: string[] = []): TagHandler {
  return {
    wants: (name) => name === 'a' || name === 'img' || name === 'script',
    rewrite: (name, tag) => {
      seen.push(`${name} ${tag.toString('latin1')}`);
      return Buffer.concat([Buffer.from('['), tag, Buffer.from(']')]);
    },
  };
}

function scan(pieces: readonly string[], handler = marking()): string {
  const scanner = createTagScanner(handler);
  const out = pieces.map((piece) => Buffer.from(scanner.write(Buffer.from(piece, 'latin1'))));
  return Buffer.concat([...out, scanner.end()]).toString('latin1');
}

describe('finds start tags where the HTML standard has them', () => {
  test.each([
    ['plain', '<p><a href=x>t</a>', '<p>[<a href=x>]t</a>'],
    ['letter case', '<A HREF=x>', '[<A HREF=x>]'],
    ['a tag without attributes has nothing to look at', '<a>', '<a>'],
    ['another name that begins alike', '<abbr title=x>', '<abbr title=x>'],
    ['self-closing', '<img src=x/><img src="x" />', '[<img src=x/>][<img src="x" />]'],
    ['line ends between attributes', '<a\n\thref\r\n=\f"x"\n>', '[<a\n\thref\r\n=\f"x"\n>]'],
    ['a slash behind the name', '<img/src=x>', '[<img/src=x>]'],
    ['> in double quotes', '<a t="x>y" href=z>', '[<a t="x>y" href=z>]'],
    ['> in single quotes', "<a t='x>\"y' href=z>", "[<a t='x>\"y' href=z>]"],
    ['a quote that begins no value ends nothing', '<a t"x>y" href=z>', '[<a t"x>]y" href=z>'],
    ['a quote inside an unquoted value', '<a t=x"y>z">', '[<a t=x"y>]z">'],
    ['an equals sign as a name', '<a ="x>y">', '[<a ="x>]y">'],
    ['quotes of a tag that is not wanted', '<p t="<a href=x>"><a href=y>', '<p t="<a href=x>">[<a href=y>]'],
    ['quotes of an end tag', '</p t="<a href=x>"><a href=y>', '</p t="<a href=x>">[<a href=y>]'],
    ['less-than signs in text', 'a < b <1 <<a href=x>', 'a < b <1 <[<a href=x>]'],
    ['comment', '<!--<a href=x>--><a href=y>', '<!--<a href=x>-->[<a href=y>]'],
    ['comment with dashes', '<!-- - -- --- <a href=x> ---><a href=y>', '<!-- - -- --- <a href=x> --->[<a href=y>]'],
    ['comment that ends with --!>', '<!--<a href=x>--!><a href=y>', '<!--<a href=x>--!>[<a href=y>]'],
    ['comment with --! inside', '<!----!x<a href=x>--><a href=y>', '<!----!x<a href=x>-->[<a href=y>]'],
    ['abrupt comments', '<!--><a href=x><!---><a href=y>', '<!-->[<a href=x>]<!--->[<a href=y>]'],
    [
      'conditional comment',
      '<!--[if IE]><a href=x><![endif]--><a href=y>',
      '<!--[if IE]><a href=x><![endif]-->[<a href=y>]',
    ],
    [
      'doctype and other markup',
      '<!DOCTYPE html><!x <a href=x><?php <a href=y>',
      '<!DOCTYPE html><!x <a href=x><?php <a href=y>',
    ],
    ['</ and no letter', '</ <a href=x><a href=y></><a href=z>', '</ <a href=x>[<a href=y>]</>[<a href=z>]'],
    ['script', '<script src=x>"<a href=x>"</script><a href=y>', '[<script src=x>]"<a href=x>"</script>[<a href=y>]'],
    ['script without attributes', '<script><a href=x></SCRIPT ><a href=y>', '<script><a href=x></SCRIPT >[<a href=y>]'],
    [
      'almost the end of a script',
      '<script></scrip></scripts><</script/><a href=y>',
      '<script></scrip></scripts><</script/>[<a href=y>]',
    ],
    ['an end tag inside an end tag', '<script></scr</script><a href=y>', '<script></scr</script>[<a href=y>]'],
    [
      'style, title, textarea',
      '<style><a href=x></style><title><a href=x></title><textarea><a href=x></textarea>',
      '<style><a href=x></style><title><a href=x></title><textarea><a href=x></textarea>',
    ],
    ['an unfinished tag', 'x<a href="y', 'x<a href="y'],
    ['an unfinished beginning', 'x<', 'x<'],
    ['bytes beyond ASCII', '\xff<a title=\xe9\x80>\x00', '\xff[<a title=\xe9\x80>]\x00'],
  ])('%s', (_, html, expected) => {
    expect(scan([html])).toBe(expected);
    expect(scan([...html])).toBe(expected);
  });
});

describe('readAttributes', () => {
  test.each([
    ['<a href=x title="y z" q=\'"\'>', ['href=x', 'title="y z', 'q=\'"']],
    ['<a disabled href = x/ >', ['href=x/']],
    ['<a HREF="" href=y>', ['href="', 'href=y']],
    ["<a a=1 b c=''d=4>", ['a=1', "c='", 'd=4']],
    ['<a =x=1>', ['=x=1']],
    ['<a x=>', []],
    ['<a/href=x>', ['href=x']],
    ['<a', []],
  ])('%s', (tag, expected) => {
    expect(readAttributes(tag).map(({ name, from, to, quote }) => `${name}=${quote}${tag.slice(from, to)}`)).toEqual(
      expected,
    );
  });
});

const markup = fc.constantFrom(
  ...['<', '>', '</', '<!--', '-->', '--!>', '-', '"', "'", '=', '/', ' ', 'a', 'href', '<a href="', '<img src=x>'],
  ...['<script>', '</script>', '<script src=y>', '<title>', '</title>', '<!', '<?', '\n', '\xe9', '<p t="', 'x'],
);
const html = fc.array(markup, { maxLength: 60 }).map((parts) => parts.join(''));

function cut(text: string, places: readonly number[]): string[] {
  const at = [0, ...places.map((place) => Math.floor(place * (text.length + 1))).sort((a, b) => a - b), text.length];
  return at.slice(1).map((to, i) => text.slice(at[i], to));
}

const places = fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { maxLength: 12 });

test('cut anywhere, it finds the same tags as in one piece', () => {
  fc.assert(
    fc.property(html, places, (text, where) => {
      const whole: string[] = [];
      const pieces: string[] = [];
      expect(scan(cut(text, where), marking(pieces))).toBe(scan([text], marking(whole)));
      expect(pieces).toEqual(whole);
    }),
    { numRuns: runs(3000) },
  );
});

test('where nothing is rewritten, every byte is as it was', () => {
  const bytes = fc.oneof(
    html,
    fc.uint8Array({ maxLength: 300 }).map((each) => Buffer.from(each).toString('latin1')),
  );
  fc.assert(
    fc.property(bytes, places, (text, where) => {
      expect(scan(cut(text, where), { wants: () => true, rewrite: () => undefined })).toBe(text);
    }),
    { numRuns: runs(2000) },
  );
});

describe('bounds', () => {
  /** Feeds pieces and gives the most bytes that were ever kept back. */
  function mostKept(pieces: Iterable<Buffer>): number {
    const scanner = createTagScanner(marking());
    let fed = 0;
    let out = 0;
    let most = 0;
    for (const piece of pieces) {
      fed += piece.length;
      out += scanner.write(piece).length;
      most = Math.max(most, fed - out);
    }
    expect(out + scanner.end().length).toBe(fed);
    return most;
  }

  function* repeated(first: string, piece: string, times: number): Iterable<Buffer> {
    yield Buffer.from(first);
    const bytes = Buffer.from(piece);
    for (let i = 0; i < times; i++) yield bytes;
  }

  test.each([
    ['1 MB in a value that nothing closes', '<a href="', 'x'.repeat(1024), 1024],
    ['1 MB of a tag without >', '<a ', 'x '.repeat(512), 1024],
    ['1 MB of <', '', '<'.repeat(1024), 1024],
    ['1 MB of <a', '', '<a '.repeat(1024), 341],
    ['1 MB of a name', '<', 'a'.repeat(1024), 1024],
    ['1 MB of a comment', '<!--', '-'.repeat(1024), 1024],
    ['1 MB of an unfinished end of a script', '<script>', '</scrip'.repeat(1024), 146],
    ['200 KB in single bytes', '<a href="', 'x', 200 * 1024],
  ])('%s: at most one tag is kept, in linear time', (_, first, piece, times) => {
    const { value, milliseconds } = cpuTime(() => mostKept(repeated(first, piece, times)));
    expect(value).toBeLessThanOrEqual(MAX_TAG_BYTES);
    expect(milliseconds).toBeLessThan(1000);
  });

  test('a tag is rewritten up to the bound and passes beyond it, however it is cut', () => {
    const tag = (length: number) => `<a href="${'x'.repeat(length - 11)}">`;
    for (const size of [1024, MAX_TAG_BYTES + 5, 4 * MAX_TAG_BYTES]) {
      const chunks = (text: string) => text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      const fits = tag(MAX_TAG_BYTES);
      expect(scan(chunks(`-${fits}<a x>`))).toBe(`-[${fits}][<a x>]`);
      const long = tag(MAX_TAG_BYTES + 1);
      expect(scan(chunks(`-${long}<a x>`))).toBe(`-${long}[<a x>]`);
    }
  });

  test('10,000 attributes are read in no time', () => {
    const tag = `<a ${Array.from({ length: 10_000 }, (_, i) => `a${i}=x`).join(' ')}>`;
    const { value, milliseconds } = cpuTime(() => readAttributes(tag));
    expect(value).toHaveLength(10_000);
    expect(milliseconds).toBeLessThan(200);
  });
});
