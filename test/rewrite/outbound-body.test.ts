import { describe, expect, test } from 'vitest';
import { refuseFailing } from '../../src/rewrite/outbound-body.ts';
import { leastCpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { bodyAfter, type OutboundText, runHead } from './outbound-configs.ts';
import { condition } from './rule-configs.ts';

const text = async (...from: Parameters<typeof bodyAfter>) => (await bodyAfter(...from)).toString('latin1');

describe('patterns on the whole body (4.1, 4.4)', () => {
  test.each<[string, OutboundText, string, string]>([
    [
      "the vendor's analytics sample",
      { pattern: '</body>', value: '<script>1</script></body>', syntax: 'ExactMatch', occurrences: 1 },
      '<p></BODY></body>',
      '<p><script>1</script></body></body>',
    ],
    ['only what matched is replaced, every time', { pattern: 'a(.)', value: '<{R:1}>' }, 'xabxacx', 'x<b>x<c>x'],
    ['occurrences', { pattern: 'a', value: 'b', occurrences: 2 }, 'aaaa', 'bbaa'],
    ['negative occurrences are no limit', { pattern: 'a', value: 'b', occurrences: -1 }, 'aaaa', 'bbbb'],
    ['ignoreCase="false"', { pattern: 'a', value: 'b', ignoreCase: false }, 'aA', 'bA'],
    ['^ is the start of the body, once', { pattern: '^a', value: 'b' }, 'aaa', 'baa'],
    ['$ is its end', { pattern: 'a$', value: 'b' }, 'aaa', 'aab'],
    ['\\b looks at what stands before', { pattern: '\\ba', value: 'b' }, 'aa a', 'ba b'],
    [
      'a match of nothing, with look-ahead',
      { pattern: '(?=</head>)', value: '<x>' },
      '<head></head>',
      '<head><x></head>',
    ],
    ['matches of nothing everywhere', { pattern: '', value: '-' }, 'ab', '-a-b-'],
    ['an empty value removes', { pattern: 'a', value: '' }, 'bab', 'bb'],
    ['None changes nothing', { pattern: 'a' }, 'bab', 'bab'],
    [
      'ExactMatch knows no special characters',
      { pattern: 'a.(b', value: 'x', syntax: 'ExactMatch' },
      'axb a.(b',
      'axb x',
    ],
    ['ExactMatch of nothing', { pattern: '', value: 'x', syntax: 'ExactMatch' }, 'ab', 'ab'],
    ['a negated pattern leaves nothing to replace', { pattern: 'q', value: 'x', negate: true }, 'ab', 'ab'],
    ['replace="false" is for headers', { pattern: 'a', value: 'x', replace: false }, 'ab', 'xb'],
    [
      'conditions are asked for each match',
      { pattern: '[ab]', value: '{C:1}', conditions: [condition('{R:0}', '^(a)$')] },
      'abab',
      'abab',
    ],
    [
      'and supply captures',
      { pattern: '[ab]', value: '[{C:1}]', conditions: [condition('{R:0}', '(a)')] },
      'ab',
      '[a]b',
    ],
    ['customTags without the flag', { pattern: 'a', value: 'x', customTags: 't' }, 'a', 'x'],
  ])('%s', async (_, rule, body, expected) => {
    expect(await text([rule], body)).toBe(expected);
  });

  test('occurrences count where the rule held', async () => {
    const conditions = [condition('{R:0}', 'b')];
    expect(await text([{ pattern: '[ab]', value: 'x', occurrences: 1, conditions }], 'aabb')).toBe('aaxb');
  });

  test('rules run in order; stopProcessing ends them where the rule held', async () => {
    const rules = [
      { pattern: 'a', value: 'b' },
      { pattern: 'b', value: 'c', stop: true },
      { pattern: 'c', value: 'd' },
    ];
    expect(await text(rules, 'a')).toBe('c');
    expect(await text(rules, 'c')).toBe('d');
  });

  test('UTF-8 where it is declared, else bytes', async () => {
    const rules = [{ pattern: '<(.)>', value: '{R:1}\u20ac' }];
    const euro = '\xe2\x82\xac';
    expect(await text(rules, `<${euro}>`, { contentType: 'text/html;charset=utf-8' })).toBe(euro + euro);
    expect(await text(rules, `<${euro}>`, { contentType: 'application/json' })).toBe(euro + euro);
    expect(await text(rules, `<meta charset='utf-8'><${euro}>`)).toBe(`<meta charset='utf-8'>${euro}${euro}`);
    expect(await text(rules, `\xef\xbb\xbf<${euro}>`)).toBe(`\xef\xbb\xbf${euro}${euro}`);
    expect(await text(rules, `<${euro}>`)).toBe(`<${euro}>`);
    expect(await text(rules, '<\xe9>\xff')).toBe(`\xe9${euro}\xff`);
    expect(await text(rules, '<\xe9>\xff', { contentType: 'text/html;charset=utf-8' })).toBe(`\xe9${euro}\xff`);
  });

  test('where nothing matches it is the very same buffer', async () => {
    const body = Buffer.from('abc');
    expect(await bodyAfter([{ pattern: 'q', value: 'x' }], body)).toBe(body);
  });

  test('random bytes survive a rule that changes other parts', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.constantFrom('utf-8', 'koi8-r', ''),
        async (bytes, charset) => {
          const body = Buffer.concat([bytes, Buffer.from('@@'), bytes]);
          const contentType = charset ? `text/html; charset=${charset}` : 'text/html';
          const rules: OutboundText[] = [{ pattern: '@@', value: '##' }];
          const expected = body.toString('latin1').replaceAll('@@', '##');
          expect(await text(rules, body, { contentType })).toBe(expected);
        },
      ),
      { numRuns: runs(300) },
    );
  });
});

describe('bounds', () => {
  const large = 'a'.repeat(4 * 1024 * 1024);
  const MOST_MS = 6000;

  test('Wildcard without tags is refused', () => {
    const body = runHead([{ pattern: '*', syntax: 'Wildcard', value: 'x' }])?.body;
    expect(() => body && refuseFailing(body)).toThrow('Wildcard patterns cannot be used without tag filters');
  });

  test('a pattern that looks at the rest of the body for each match gives up', async () => {
    const gaveUp = () =>
      expect(bodyAfter([{ pattern: '.*b|a', value: 'a' }], large, { limit: 2 ** 30 })).rejects.toMatchObject({
        kind: 'outboundRuleFailed',
        reason: 'outbound rule "out": match too complex',
      });
    expect(await leastCpuTime(gaveUp, MOST_MS)).toBeLessThan(MOST_MS);
  });

  test('other work goes on meanwhile', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await bodyAfter([{ pattern: 'a', value: 'b' }], large.slice(0, 1024 * 1024), { limit: 2 ** 30 });
    clearInterval(timer);
    expect(turns).toBeGreaterThan(0);
  });

  test('a body that grows without measure is an error', async () => {
    const rules = [{ pattern: '', value: 'x'.repeat(1000) }];
    await expect(bodyAfter(rules, large, { limit: 1024 * 1024 })).rejects.toMatchObject({
      reason: 'outbound rule "out": the body grows beyond 1048576 bytes',
    });
  });

  test('nested repeats over 4 MB', async () => {
    const both = async () => {
      await bodyAfter([{ pattern: '(a+)+b', value: 'x' }], large);
      await bodyAfter([{ pattern: '((.|\\n)*)</body>', value: 'x' }], large).catch(() => undefined);
    };
    expect(await leastCpuTime(both, MOST_MS)).toBeLessThan(MOST_MS);
  });
});
