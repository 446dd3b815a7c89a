import { expect, test } from 'vitest';
import { reportInto } from '../../src/config/diagnostic.ts';
import type { Config } from '../../src/config/model.ts';
import { checkPublication } from '../../src/publication/check-publication.ts';
import { isRefused, parseTarget } from '../../src/rewrite/target.ts';
import { createRecorder } from '../../src/rewrite/trace.ts';
import { cpuTime } from '../cpu-time.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';
import { condition, map, type RuleText, ruleSet, ruleSettings, run, sitesOf } from './rule-configs.ts';

const expression = fc
  .array(
    fc.constantFrom(
      ...[
        '{R:0}',
        '{R:1}',
        '{C:1}',
        '{C:0}',
        '{URL}',
        '{QUERY_STRING}',
        '{UNENCODED_URL}',
        '{HTTP_HOST}',
        '{REQUEST_URI}',
      ],
      ...[
        '{UrlDecode:{QUERY_STRING}}',
        '{UrlEncode:{R:1}}',
        '{m:{R:1}}',
        '{',
        '}',
        '/',
        '?',
        '#',
        '\\',
        '..',
        'http://',
        'https://farm/',
        'ä',
        '%41',
        ':',
        '@',
      ],
    ),
    { maxLength: 5 },
  )
  .map((parts) => parts.join(''));
const pattern = fc.constantFrom('.*', '(.*)', '^(a+)+$', '(.)(.)?', '*', '(?!x)(.*)', '([^/]*)/(.*)', '');
const variable = fc.tuple(fc.constantFrom('HTTP_X', 'MINE'), expression);
const ruleText = fc.record<RuleText>(
  {
    url: pattern,
    syntax: fc.constantFrom('ECMAScript', 'Wildcard', 'ExactMatch'),
    conditions: fc.array(
      fc.tuple(expression, pattern).map(([input, text]) => condition(input, text)),
      { maxLength: 2 },
    ),
    any: fc.boolean(),
    trackAll: fc.boolean(),
    negate: fc.boolean(),
    stop: fc.boolean(),
    append: fc.boolean(),
    to: expression,
    type: fc.constantFrom('Rewrite', 'Redirect', 'CustomResponse', 'None'),
    status: fc.constant(403),
    reason: expression,
    description: expression,
    set: fc.array(variable, { maxLength: 1 }),
    basePath: fc.constantFrom('/', '/a'),
  },
  { requiredKeys: ['url'] },
);
const rawTarget = fc
  .array(
    fc.constantFrom('/', 'a', 'aaaa', '%20', '%0d%0a', '%2e', '..', '?', '%3F', '\xe4', '%E4', '%40', '\\', ':', '//'),
    { maxLength: 10 },
  )
  .map((parts) => `/${parts.join('')}`);

test('no rule and no request makes it throw, and nothing leaves that could break a message', () => {
  fc.assert(
    fc.property(fc.array(ruleText, { minLength: 1, maxLength: 3 }), rawTarget, fc.boolean(), (rules, raw, keep) => {
      if (isRefused(parseTarget(raw))) return;
      const rewriteMaps = [map('m', { a: 'http://b/', __proto__x: 'x' })];
      const set = ruleSet(rules, {
        rewriteMaps,
        allowedServerVariables: ['HTTP_X', 'MINE'],
        useOriginalURLEncoding: !keep,
      });
      const { value: outcome, milliseconds } = cpuTime(() => {
        const recorded = run({ site: set }, raw, {}, createRecorder());
        // Without a recorder other ways are taken: captures come late, and rules are found by host.
        expect(run({ site: set }, raw, {})).toEqual(recorded);
        return recorded;
      });
      expect(milliseconds).toBeLessThan(500);
      if (outcome.kind === 'none' || outcome.kind === 'proxy') {
        expect(outcome.target).toMatch(/^\/[\x21-\x7e\x80-\xff]*$/);
        const path = outcome.target.split('?')[0]!;
        if (raw.split('?')[0] !== path) expect(path).not.toMatch(/\/\.{1,2}(\/|$)/);
        for (const value of outcome.setVariables?.values() ?? []) expect(value).not.toMatch(/[\r\n\0]|[^\x00-\xff]/);
      }
      // What the administrator wrote may be any name of a farm; what came with a request is a host name.
      if (outcome.kind === 'proxy') {
        expect(outcome.host).toMatch(
          outcome.literalHost ? /^(\[[0-9a-f:.]+\]|[^:@%[\]/?#\x00-\x1f\x7f]+)$/ : /^(\[[0-9a-f:.]+\]|[a-z0-9_.~-]+)$/,
        );
      }
      if (outcome.kind === 'redirect') expect(outcome.location).toMatch(/^[a-z]+:[\x21-\x7e]*$/i);
      if (outcome.kind === 'respond') expect(outcome.reason).not.toMatch(/[\x00-\x1f\x7f]|[^\x00-\xff]/);
      const config = {
        ...sitesOf({ site: set }),
        webFarms: [],
        proxy: { enabled: false },
        settings: ruleSettings(),
      };
      checkPublication(config as unknown as Config, reportInto([]));
    }),
    { numRuns: runs(3000) },
  );
});
