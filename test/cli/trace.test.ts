/** `lychgate trace`: the fixed JSON and the lines for a person, over a folder and over files of rules. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writeFiles } from '../config/written.ts';
import { applicationHost, farmRules, webFarm, writeFolder } from '../integration/environment.ts';
import { commandLine, inTerminal } from './command-line.ts';

function rulesFile(rules: string): string {
  const dir = mkdtempSync(join(tmpdir(), 'lychgate-trace-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'rules.config');
  writeFileSync(
    file,
    `<rewrite><allowedServerVariables><add name="HTTP_X_A" /></allowedServerVariables><rules>${rules}</rules></rewrite>`,
  );
  return file;
}

async function traced(url: string, ...args: string[]) {
  const { code, out, err } = await commandLine('trace', url, '--json', ...args);
  expect(err).toBe('');
  return { code, ...JSON.parse(out) };
}

const API = `<rule name="Api" stopProcessing="true">
  <match url="^api/(.*)" />
  <conditions>
    <add input="{REQUEST_METHOD}" pattern="^POST$" />
    <add input="{HTTP_X_KEY}" pattern="^secret$" />
    <add input="{REMOTE_ADDR}" pattern="^10\\." />
  </conditions>
  <serverVariables><set name="HTTP_X_A" value="b" /></serverVariables>
  <action type="Rewrite" url="http://backend.contoso.local:8080/{R:1}" />
</rule>`;

test('--rules with --method, --header and --remote: the outcome and every event', async () => {
  const file = rulesFile(API);
  const asked = ['--rules', file, '--method', 'POST', '--header', 'X-Key: secret', '--remote', '10.0.0.1'];
  const trace = await traced('https://www.contoso.com/api/x?y=1', ...asked);
  expect(Object.keys(trace)).toEqual(['code', 'request', 'outcome', 'events']);
  expect(trace.code).toBe(0);
  expect(trace.request).toEqual({ method: 'POST', url: 'https://www.contoso.com/api/x?y=1' });
  expect(trace.outcome).toEqual({
    action: 'proxy',
    url: 'http://backend.contoso.local:8080/x?y=1',
    setVariables: { HTTP_X_A: 'b' },
  });
  expect(trace.events.map(({ event }: { event: string }) => event)).toEqual([
    'URL_REWRITE_START',
    'RULE_EVALUATION_START',
    'PATTERN_MATCH',
    'CONDITIONS_EVALUATION_START',
    'CONDITION_EVALUATION',
    'CONDITION_EVALUATION',
    'CONDITION_EVALUATION',
    'CONDITIONS_EVALUATION_END',
    'REWRITE_ACTION',
    'RULE_EVALUATION_END',
    'URL_REWRITE_END',
  ]);
});

test.each([
  ['GET', 'X-Key: secret', '10.0.0.1'],
  ['POST', 'X-Key: other', '10.0.0.1'],
  ['POST', 'X-Key: secret', '192.0.2.1'],
])('%s, %s, %s: a condition fails, and no rule takes it', async (method, header, remote) => {
  const asked = ['--rules', rulesFile(API), '--method', method, '--header', header, '--remote', remote];
  const { code, outcome } = await traced('https://www.contoso.com/api/x?y=1', ...asked);
  expect([code, outcome]).toEqual([0, { action: 'none', url: '/api/x?y=1' }]);
});

test.each([
  [
    '<action type="Redirect" url="/new?id={R:1}" redirectType="Permanent" />',
    { action: 'redirect', status: 301, location: 'https://a.contoso.com/new?id=12' },
  ],
  [
    '<action type="CustomResponse" statusCode="403" subStatusCode="4" statusReason="No" statusDescription="Closed" />',
    { action: 'respond', status: 403, subStatus: 4, reason: 'No', body: 'Closed' },
  ],
  ['<action type="AbortRequest" />', { action: 'abort' }],
])('%s', async (action, outcome) => {
  const file = rulesFile(`<rule name="Old"><match url="^old/(\\d+)$" />${action}</rule>`);
  expect((await traced('https://a.contoso.com/old/12', '--rules', file)).outcome).toEqual(outcome);
});

test('a web.config alone: what it sets is taken to be allowed, and that it must be is told', async () => {
  const site = (allowed: string) =>
    `<rewrite>${allowed}<rules><rule name="Git" stopProcessing="true"><match url="(.*)" />
    <serverVariables><set name="HTTP_X_A" value="b" /><set name="HTTP_X_B" value="c" /></serverVariables>
    <action type="Rewrite" url="http://git01/{R:1}" /></rule></rules></rewrite>`;
  const alone = join(rulesFile(''), '..', 'web.config');
  writeFileSync(alone, `<configuration><system.webServer>${site('')}</system.webServer></configuration>`);
  const { out } = await commandLine('trace', 'https://a/x', '--rules', alone);
  expect(out).toContain(`     sets HTTP_X_A = "b"
     sets HTTP_X_B = "c"
     provided that allowedServerVariables of applicationHost.config allows it
     rewrites to http://git01/x
`);
  expect((await traced('https://a/x', '--rules', alone)).outcome.action).toBe('proxy');
  // A list of its own says what is allowed.
  writeFileSync(alone, site('<allowedServerVariables><add name="HTTP_X_A" /></allowedServerVariables>'));
  expect((await traced('https://a/x', '--rules', alone)).outcome.error.iisStatus).toBe('500.50');
  writeFileSync(
    alone,
    site('<allowedServerVariables><add name="HTTP_X_A" /><add name="HTTP_X_B" /></allowedServerVariables>'),
  );
  expect((await commandLine('trace', 'https://a/x', '--rules', alone)).out).not.toContain('provided that');
});

test('--base: the rules of a folder see the path below it', async () => {
  const file = rulesFile('<rule name="Old"><match url="^old$" /><action type="Redirect" url="new" /></rule>');
  const at = async (path: string) =>
    (await traced(`https://a${path}`, '--rules', file, '--base', '/app')).outcome.action;
  expect([await at('/app/old'), await at('/old')]).toEqual(['redirect', 'none']);
});

function publishedFolder(): string {
  return writeFolder({
    iis: applicationHost({
      bindings: ['https *:443:meet.contoso.com', 'http *:80:meet.contoso.com'],
      farms: webFarm('meet-farm', {
        servers: [{ address: '10.0.0.20' }, { address: '10.0.0.21', httpsPort: 444, httpPort: 81 }],
      }),
      rules: farmRules('Meet-Farm', 'meet.contoso.com', 'meet'),
    }),
  }).configDir;
}

test('--config: the farm by its name, and its servers for the scheme', async () => {
  const config = publishedFolder();
  const https = await traced('https://meet.contoso.com/a%20b?c', '--config', config);
  expect(https.outcome).toEqual({
    action: 'proxy',
    url: 'https://meet-farm/a%20b?c',
    farm: 'meet-farm',
    servers: ['https://10.0.0.20:4443', 'https://10.0.0.21:444'],
  });
  const http = await traced('http://meet.contoso.com/', '--config', config);
  expect(http.outcome.servers).toEqual(['http://10.0.0.20:8080', 'http://10.0.0.21:81']);
});

test('what is refused before any rule is asked', async () => {
  const config = publishedFolder();
  const unknown = await traced('https://www.contoso.com/', '--config', config);
  expect(unknown).toMatchObject({ code: 1, events: [] });
  expect(unknown.outcome).toEqual({
    action: 'error',
    error: { status: 400, iisStatus: '400', message: 'no binding takes www.contoso.com on port 443' },
  });
  const outside = await traced('https://meet.contoso.com/a/../../b', '--config', config);
  expect(outside).toMatchObject({ code: 0, outcome: { action: 'error', error: { iisStatus: '400' } }, events: [] });
});

test('the site is that of the Host header where one is given', async () => {
  const host = ['--header', 'Host: meet.contoso.com'];
  const { outcome } = await traced('https://10.1.1.1/x', ...host, '--config', publishedFolder());
  expect(outcome).toMatchObject({ action: 'proxy', farm: 'meet-farm' });
});

test('a method that is never proxied', async () => {
  const asked = ['--method', 'TRACE', '--config', publishedFolder()];
  const { code, outcome } = await traced('https://meet.contoso.com/', ...asked);
  expect([code, outcome.error.iisStatus]).toEqual([1, '501']);
});

test('{HTTP_VERSION} and IPv6 addresses of servers are written as IIS writes them', async () => {
  const { configDir } = writeFolder({
    iis: applicationHost({
      bindings: ['https *:443:meet.contoso.com'],
      farms: webFarm('fe', { servers: [{ address: '2001:db8::1' }] }),
      rules:
        '<rule name="A"><match url=".*" /><serverVariables><set name="HTTP_X_V" value="{HTTP_VERSION}" /></serverVariables><action type="Rewrite" url="https://fe/" /></rule>',
    }),
  });
  const { outcome } = await traced('https://meet.contoso.com/', '--config', configDir);
  expect(outcome).toMatchObject({ servers: ['https://[2001:db8::1]:4443'], setVariables: { HTTP_X_V: 'HTTP/1.1' } });
});

test('a host that the request brought is refused unless settings allow it', async () => {
  const folder = (settings: Record<string, unknown>) =>
    writeFolder({
      iis: applicationHost({
        bindings: ['https *:443:'],
        farms: webFarm('fe', { servers: [{ address: '10.0.0.20' }] }),
        rules: '<rule name="A"><match url=".*" /><action type="Rewrite" url="https://{HTTP_HOST}/{R:0}" /></rule>',
        more: '<proxy enabled="true" />',
      }),
      settings,
    }).configDir;
  const at = async (host: string, settings: Record<string, unknown>) =>
    (await traced(`https://${host}/a`, '--config', folder(settings))).outcome;
  expect(await at('a.example', {})).toEqual({
    action: 'error',
    error: { status: 403, message: 'a.example is neither a farm nor in upstream.allow' },
  });
  const shown = (settings: Record<string, unknown>) =>
    commandLine('trace', 'https://a.example/a', '--config', folder(settings));
  expect((await shown({})).out).toContain('=> 403: a.example is neither a farm nor in upstream.allow');
  expect(await at('a.example', { upstream: { allow: ['a.example'] } })).toMatchObject({ url: 'https://a.example/a' });
  expect(await at('FE', {})).toMatchObject({ action: 'proxy', farm: 'fe' });
});

test('lines for a person', async () => {
  const { code, out } = await commandLine('trace', 'https://meet.contoso.com/x', '--config', publishedFolder());
  expect(code).toBe(0);
  expect(out).toBe(`GET https://meet.contoso.com/x

Global rules on "/x"
  +  ARR_meet_loadbalance_SSL: "x" matches "*"
     yes {HTTPS} = "ON" matches "on"
     yes {HTTP_HOST} = "meet.contoso.com" matches "meet.contoso.com"
     captured {R:0} = "x", {R:1} = "x", {C:0} = "meet.contoso.com"
     rewrites to https://Meet-Farm/x
     stops here

=> proxied to https://meet-farm/x
   farm meet-farm: https://10.0.0.20:4443, https://10.0.0.21:444
`);
});

test('rules with errors are told in place of a trace: exit code 1', async () => {
  const file = rulesFile('<rule name="A" foo="1"><match url=".*" /><action type="None" /></rule>');
  const { code, out, err } = await commandLine('trace', 'https://a/', '--rules', file);
  expect([code, out]).toEqual([1, '']);
  expect(err).toContain(`${file}:1:`);
  expect(err).toContain('error LG2001');
});

test('--rules with an applicationHost.config that has bindings: the Host tells the site', async () => {
  const site = (name: string, id: number) =>
    `<site name="${name}" id="${id}"><bindings><binding protocol="http" bindingInformation="*:80:${name}.example" /></bindings></site>`;
  const rule = (name: string) =>
    `<location path="${name}"><system.webServer><rewrite><rules><rule name="${name}"><match url="(.*)" /><action type="Redirect" url="http://to-${name}/" /></rule></rules></rewrite></system.webServer></location>`;
  const dir = mkdtempSync(join(tmpdir(), 'lychgate-trace-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  const file = join(dir, 'applicationHost.config');
  writeFileSync(
    file,
    `<configuration><system.applicationHost><sites>${site('one', 1)}${site('two', 2)}</sites></system.applicationHost>${rule('one')}${rule('two')}</configuration>`,
  );
  const locationOf = async (host: string) => (await traced(`http://${host}/a`, '--rules', file)).outcome.location;
  expect([await locationOf('one.example'), await locationOf('two.example')]).toEqual([
    'http://to-one/',
    'http://to-two/',
  ]);
  expect(await traced('http://three.example/a', '--rules', file)).toMatchObject({ code: 1, outcome: { error: { iisStatus: '400' } } }); // biome-ignore format: one line
});

test('--rules: a host that the request brought is refused, as it is when served', async () => {
  const file = rulesFile('<rule name="r" stopProcessing="true"><match url="^(.*)$" /><action type="Rewrite" url="https://internal{R:1}/" /></rule>'); // biome-ignore format: one line
  expect((await traced('https://s/.evil.com', '--rules', file)).outcome).toEqual({
    action: 'error',
    error: { status: 403, message: 'internal.evil.com is neither a farm nor in upstream.allow' },
  });
});

test('a new URL that the asked one ends with is told', async () => {
  const file = rulesFile('<rule name="r"><match url="^q10/(.*)$" /><action type="Rewrite" url="{R:1}" /></rule>');
  const { out } = await commandLine('trace', 'https://s.example/q10/foo?x=1', '--rules', file);
  expect(out).toContain('   the URL is now /foo?x=1');
  const same = await commandLine('trace', 'https://s.example/other?x=1#part', '--rules', file);
  expect(same.out).not.toContain('the URL is now');
});

test.each([
  ['https://h.example:443/', 'h.example'],
  ['http://h.example:80/', 'h.example'],
  ['http://h.example:443/', 'h.example:443'],
  ['https://user:pw@h.example/', 'h.example'],
  ['https://user:pw@h.example:8443/', 'h.example:8443'],
])('the Host of %s is %s', async (url, host) => {
  const file = rulesFile('<rule name="r"><match url=".*" /><action type="Redirect" url="/{HTTP_HOST}" /></rule>');
  expect((await traced(url, '--rules', file)).outcome.location).toContain(`/${host}`);
});

test.each([
  ['a URL', (rules: string) => ['https://meet.contoso.com/one%20two/three', '--rules', rules]],
  [
    'a log against a folder',
    (rules: string) => {
      const log = join(mkdtempSync(join(tmpdir(), 'lychgate-trace-')), 'a.log');
      onTestFinished(() => rmSync(dirname(log), { recursive: true, force: true }));
      writeFileSync(log, '#Fields: cs-method cs-uri-stem s-port cs-host\nGET /one 443 meet.contoso.com\n');
      const { configDir } = writeFolder({
        iis: applicationHost({ bindings: ['https *:443:'], farms: '', rules: '' }),
        settings: {},
      });
      return ['--log', log, '--rules', rules, '--against', configDir];
    },
  ],
])('%s fits the terminal, and is whole in a file', async (_, argsWith) => {
  const rule = `<rule name="A rule with a long name of many words, for meetings and for dial-in, as IIS Manager lets one write"
    stopProcessing="true"><match url=".*" /><action type="CustomResponse" statusCode="403" statusReason="${'no '.repeat(40)}" /></rule>`;
  const args = ['trace', ...argsWith(rulesFile(rule.replace(/\s+/g, ' ')))];
  const { out } = await commandLine(...args);
  const widest = (text: string) => Math.max(...text.split('\n').map((line) => line.length));
  expect(widest(out)).toBeGreaterThan(100);
  for (const columns of [60, 80, 100]) {
    const shown = await inTerminal(columns, ...args);
    expect(widest(shown)).toBeLessThanOrEqual(columns);
    expect(shown.split(/\s+/)).toEqual(out.split(/\s+/));
  }
});

test.each(['GE T', 'GET ', ' GET', 'GET/1', 'GÉT', 'A\nB', 'get', 'M!', 'A'.repeat(33)])(
  '--method "%s" is no method',
  async (method) => {
    const { code, err } = await commandLine('trace', 'http://a/', '--rules', rulesFile(API), '--method', method);
    expect([code, err]).toEqual([
      2,
      expect.stringContaining('is no method: one word in capitals is wanted, such as POST'),
    ]);
  },
);

test.each(['PROPFIND', 'M-SEARCH', 'RPC_IN_DATA'])('--method "%s" is one', async (method) => {
  const { code, out } = await commandLine(
    'trace',
    'http://a/',
    '--rules',
    rulesFile(API),
    '--method',
    method,
    '--json',
  );
  expect([code, JSON.parse(out).request.method]).toEqual([0, method]);
});

test('headers as a server reads them: bytes of UTF-8, without blanks around a value, the first of two', async () => {
  const rule = (input: string, pattern: string) =>
    `<rule name="r" stopProcessing="true"><match url=".*" /><conditions><add input="${input}" pattern="${pattern}" /></conditions><action type="AbortRequest" /></rule>`;
  const action = async (rules: string, ...headers: string[]) => {
    const more = headers.flatMap((header) => ['--header', header]);
    const { out } = await commandLine('trace', 'http://a/', '--rules', rulesFile(rules), '--json', ...more);
    return JSON.parse(out).outcome.action;
  };
  expect(await action(rule('{HTTP_X_D}', '^1$'), 'X-D: 1', 'x-d: 2')).toBe('abort');
  expect(await action(rule('{HTTP_X_D}', '^1$'), 'X-D:   1\t ')).toBe('abort');
  expect(await action(rule('{HTTP_X_D}', '^ü$'), 'X-D: ü')).toBe('none');
  expect(await action(rule('{HTTP_HOST}', '^b$'), 'Host: b ')).toBe('abort');
});

test('--address tells which of the sites is asked', async () => {
  const site = (name: string, binding: string) =>
    `<site name="${name}" id="${name.length}"><application path="/" /><bindings><binding protocol="http" bindingInformation="${binding}" /></bindings></site>`;
  const answer = (name: string, status: number) =>
    `<location path="${name}"><system.webServer><rewrite><rules><rule name="r"><match url=".*" /><action type="CustomResponse" statusCode="${status}" /></rule></rules></rewrite></system.webServer></location>`;
  const config = writeFiles({
    'applicationHost.config': `<configuration><system.applicationHost><sites>${site('A', '10.0.0.1:80:')}${site('All', '*:80:')}</sites></system.applicationHost>${answer('A', 403)}${answer('All', 410)}</configuration>`,
    'settings.json': '{}',
  });
  const status = async (...more: string[]) =>
    JSON.parse((await commandLine('trace', 'http://x/', '--config', config, '--json', ...more)).out).outcome.status;
  expect([await status(), await status('--address', '10.0.0.1'), await status('--address', '10.0.0.2')]).toEqual([
    410, 403, 410,
  ]);
  const { code, err } = await commandLine('trace', 'http://x/', '--config', config, '--address', 'here');
  expect([code, err]).toEqual([2, expect.stringContaining('--address "here" is no IP address')]);
});
