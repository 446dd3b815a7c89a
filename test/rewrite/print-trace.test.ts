import { expect, test } from 'vitest';
import { printTrace, traceJson } from '../../src/rewrite/print-trace.ts';
import { createRecorder } from '../../src/rewrite/trace.ts';
import { condition, type RuleText, ruleSet, run } from './rule-configs.ts';

const farms = [{ name: 'Farm', servers: (scheme: string) => [`${scheme}://10.0.0.20:4443`] }];

function trace(rules: readonly RuleText[], path = '/a?q') {
  const recorder = createRecorder();
  const outcome = run({ global: ruleSet(rules) }, path, { scheme: 'https' }, recorder);
  return traceJson(outcome, recorder, { method: 'GET', url: `https://www.mysite.com${path}` }, farms);
}

test.each<[string, RuleText, object]>([
  [
    'proxy',
    { to: 'https://farm/{R:0}', set: [['HTTP_X_A', 'b']] },
    {
      action: 'proxy',
      url: 'https://farm/a?q',
      farm: 'Farm',
      servers: ['https://10.0.0.20:4443'],
      setVariables: { HTTP_X_A: 'b' },
    },
  ],
  ['no farm', { to: 'http://other:81/' }, { action: 'proxy', url: 'http://other:81/?q' }],
  ['none', { to: '/b' }, { action: 'none', url: '/b?q' }],
  [
    'redirect',
    { type: 'Redirect', to: '/b' },
    { action: 'redirect', status: 301, location: 'https://www.mysite.com/b?q' },
  ],
  [
    'respond',
    { type: 'CustomResponse', status: 403, reason: 'No', description: 'Go' },
    { action: 'respond', status: 403, subStatus: 0, reason: 'No', body: 'Go' },
  ],
  ['abort', { type: 'AbortRequest' }, { action: 'abort' }],
  [
    'error',
    { to: '{x:y}' },
    { action: 'error', error: { iisStatus: '500.51', message: 'The expression "{x:y}" cannot be expanded.' } },
  ],
  [
    'bad request',
    { to: 'http://{UrlDecode:%40}/' },
    { action: 'error', error: { iisStatus: '400', message: 'the host of "http://@/" is not valid' } },
  ],
])('%s as JSON', (_, rule, outcome) => {
  const json = trace([rule]);
  expect(json.request).toEqual({ method: 'GET', url: 'https://www.mysite.com/a?q' });
  expect(json.outcome).toEqual(outcome);
  expect(JSON.parse(JSON.stringify(json)).events[0]).toEqual({
    event: 'URL_REWRITE_START',
    RequestURL: '/a',
    QueryString: 'q',
    Scope: 'Global',
  });
});

test('as text', () => {
  const rules: RuleText[] = [
    { name: 'one', url: '^b' },
    { name: 'two', url: '^a', conditions: [condition('{HTTPS}', 'off')] },
    {
      name: 'three',
      url: '(.*)',
      conditions: [condition('{HTTPS}', 'on')],
      to: 'https://farm/{R:1}',
      stop: true,
      set: [['HTTP_X_A', 'b']],
    },
  ];
  expect(printTrace(trace(rules)).join('\n')).toBe(`GET https://www.mysite.com/a?q

Global rules on "/a"
  rule "one"
    "a" does not match "^b"
  rule "two"
    "a" matches "^a"
    no  {HTTPS} = "ON" against "off"
    conditions fail
  rule "three"
    "a" matches "(.*)"
    yes {HTTPS} = "ON" against "on"
    conditions hold
    sets HTTP_X_A = "b"
    rewrites to https://farm/a?q
    stops here

=> proxied to https://farm/a?q
   farm Farm: https://10.0.0.20:4443
   HTTP_X_A = "b"`);
});

test('what came with the request cannot steer the terminal', () => {
  const lines = printTrace(trace([{ url: '(.*)', to: '/{UrlDecode:{QUERY_STRING}}' }], '/a?%1b[2J')).join('\n');
  expect(lines).toContain('\\x1b[2J');
  expect(lines).not.toContain('\x1b');
});
