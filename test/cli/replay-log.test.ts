/** `lychgate trace --log`: what logs come to, over the command line as an administrator calls it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { writeIisLog } from '../../loadtest/iis-log.ts';
import { runCommandLine } from '../../src/cli/cli.ts';
import { applicationHost, farmRules, webFarm, writeFolder } from '../integration/environment.ts';
import { commandLine } from './command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'lychgate-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const published = (farm: string, more = '') =>
  writeFolder({
    iis: applicationHost({
      bindings: ['https *:443:meet.contoso.com', 'http *:80:meet.contoso.com', 'https *:8443:other.contoso.com'],
      farms:
        webFarm(farm, { servers: [{ address: '10.0.0.20' }] }) +
        webFarm('idle', { servers: [{ address: '10.0.0.21' }] }),
      rules: `${more}<rule name="Teapot"><match url="^tea$" /><action type="CustomResponse" statusCode="418" statusReason="T" statusDescription="T" /></rule>
        <rule name="Fails"><match url="^fails.*" /><action type="Redirect" url="https://{R:0}@x/" /></rule>
        <rule name="Path only"><match url="^old$" /><action type="Rewrite" url="/new" /></rule>${farmRules(farm, 'meet.contoso.com', 'meet')}`,
    }),
  }).configDir;

let config: string;
beforeEach(() => {
  config = published('fe');
});
const HEAD = '#Software: Microsoft Internet Information Services 10.0\n';
const FIELDS = '#Fields: cs-method cs-uri-stem cs-uri-query s-port cs-host sc-status\n';
const LINES = `GET /a X-ARR-LOG-ID=1 443 meet.contoso.com 200
GET /tea - 443 meet.contoso.com 200
GET /nobody - 8443 other.contoso.com 200
GET /nobody a=1 8443 other.contoso.com 404
GET /a/../../b - 443 meet.contoso.com 200
GET /a - 443 unknown.contoso.com 400
TRACE /a - 443 meet.contoso.com 501
GET /fails - 443 meet.contoso.com 200
this is no request
`;

async function replay(...args: string[]) {
  const { code, out, err } = await commandLine('trace', '--json', '--config', config, ...args);
  return { code, err, json: JSON.parse(out) };
}

test('the summary as JSON', async () => {
  const log = file('small.log', HEAD + FIELDS + LINES);
  const { code, err, json } = await replay('--log', log);
  expect([code, err]).toEqual([0, '']);
  expect(json).toEqual({
    files: [{ name: log, lines: 11 }],
    notCounted: [{ name: 'Path only' }],
    requests: 8,
    malformed: 1,
    notes: [],
    actions: { proxy: 1, redirect: 0, respond: 1, abort: 0, none: 2, error: 1, refused: 3 },
    rules: [
      { name: 'Teapot', requests: 1 },
      { name: 'Fails', requests: 1 },
      { name: 'ARR_meet_loadbalance_SSL', requests: 1 },
      { name: 'ARR_meet_loadbalance', requests: 0 },
    ],
    farms: [
      { name: 'fe', requests: 1 },
      { name: 'idle', requests: 0 },
    ],
    direct: { list: [], requests: 0, names: 0, otherRequests: 0 },
    notTaken: {
      urls: [{ path: '/nobody', requests: 2, answeredBefore: 1 }],
      requests: 2,
      names: 1,
      otherRequests: 0,
    },
    refused: {
      list: [
        { message: '400 no binding takes unknown.contoso.com on port 443', requests: 1 },
        { message: '400 the path leaves the root', requests: 1 },
        { message: '501 the method TRACE is not proxied', requests: 1 },
      ],
      requests: 3,
      names: 3,
      otherRequests: 0,
    },
    failed: {
      list: [{ message: 'Fails: 400 the host of a redirect to "https://fails@x" is not valid', requests: 1 }],
      requests: 1,
      names: 1,
      otherRequests: 0,
    },
  });
});

test('the summary as text', async () => {
  const { code, out, err } = await commandLine('trace', '--log', file('text.log', FIELDS + LINES), '--config', config);
  expect([code, err]).toEqual([0, '']);
  expect(out).toContain('8 requests from ');
  expect(out).toContain(', 1 lines could not be read\n');
  expect(out).toContain('\n           1  proxied (12.5 %)\n');
  expect(out).toContain('\n           0  idle\n');
  expect(out).toContain('\n           2  /nobody  (the log has 1 of them answered below 400)\n');
  expect(out).toContain('\n           1  400 the path leaves the root\n');
  expect(out).not.toContain('\x1b');
});

test('several files, gzip by content and not by name, an empty one, one without line end', async () => {
  const { code, json } = await replay(
    '--log',
    file('packed.log', gzipSync(FIELDS + LINES)),
    file('plain.gz', `\ufeff${FIELDS.replaceAll('\n', '\r\n')}GET /a - 443 meet.contoso.com 200`),
    '--log',
    file('empty.log', ''),
    file('members.gz', Buffer.concat([gzipSync(FIELDS), gzipSync('GET /a - 443 meet.contoso.com 200\n')])),
  );
  expect(code).toBe(0);
  expect(json.files.map(({ lines }: { lines: number }) => lines)).toEqual([10, 0, 2, 2]);
  expect([json.requests, json.actions.proxy, json.malformed]).toEqual([10, 3, 1]);
});

test('a gzip file that ends too early, or is damaged: what came before is counted, exit code 3', async () => {
  const lines = Array.from({ length: 20_000 }, (_, index) => `GET /${index * 7919} - 443 meet.contoso.com 200\n`);
  const packed = gzipSync(FIELDS + lines.join(''));
  const cut = file('cut.gz', packed.subarray(0, packed.length >> 1));
  const { code, err, json } = await replay('--log', cut);
  expect([code, err]).toEqual([3, `lychgate: ${cut}: the compressed file ends too early\n`]);
  expect(json.files[0].error).toBe('the compressed file ends too early');
  expect(json.requests).toBeGreaterThan(5000);
  expect(json.requests).toBeLessThan(20_000);
  packed.fill(0xff, packed.length >> 1, (packed.length >> 1) + 100);
  const damaged = await replay('--log', file('damaged.gz', packed));
  expect([damaged.code, damaged.json.files[0].error]).toEqual([
    3,
    expect.stringMatching(/^the compressed file is damaged/),
  ]);
});

const NO_LOG = 'it is no IIS log in W3C extended format';
const IIS_LINE = '192.0.2.9, -, 11/26/2026, 7:55:20, W3SVC2, ARR01, 10.0.0.5, 4502, 163, 3223, 200, 0, GET, /a, -,';
const NCSA_LINE = '192.0.2.9 - alice [26/Nov/2026:07:55:20 +0100] "GET /a HTTP/1.1" 200 3223';
const OUR_LINE = '{"date":"2026-11-26","time":"07:55:20","cs-method":"GET","sc-status":200}';

describe('what is no log is told in one sentence, exit code 3', () => {
  const noise = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 251));
  const choose = 'in IIS Manager, "Logging", the format W3C is to be chosen';
  test.each<[string, string | Buffer, string]>([
    ['binary', noise, ', but a binary file'],
    ['binary without an end of line', Buffer.alloc(1_000_000), ', but a binary file'],
    ['a few bytes', Buffer.from([1, 0, 2]), ', but a binary file'],
    ['gzip of something else', gzipSync(noise), ', but a binary file'],
    ['gzip of JSON', gzipSync('{"a": 1}\n'), ', but JSON'],
    ['gzip of gzip', gzipSync(gzipSync(FIELDS + LINES)), ', but a binary file'],
    ['gzip of nothing', gzipSync(''), ': it is empty'],
    ['ZIP', Buffer.concat([Buffer.from('PK\x03\x04'), noise]), ', but a ZIP archive: unpack it first'],
    ['empty', '', ': it is empty'],
    ['JSON', '\n  [\n{"a": 1}]\n', ', but JSON'],
    ['JSON in one long line', `{"a": "${'x'.repeat(600_000)}"}`, ', but JSON'],
    [
      'our own log in JSON',
      `${OUR_LINE}\n${OUR_LINE}\n`,
      ', but a log of Lychgate in JSON: with "log": { "access": { "format": "w3c" } } in settings.json it can be replayed',
    ],
    ['XML', '\ufeff<?xml version="1.0"?>\n<configuration />\n', ', but XML or HTML'],
    ['XML without a mark', '<configuration />\n', ', but XML or HTML'],
    ['NCSA', `${NCSA_LINE}\n`, `, but a log in NCSA format: ${choose}`],
    ['IIS', `${IIS_LINE}\r\n${IIS_LINE}\r\n`, `, but a log in IIS format: ${choose}`],
    ['UTF-16', Buffer.from(`\ufeff${FIELDS}`, 'utf16le'), ', but UTF-16 text: it has to be UTF-8, as IIS writes it'],
    ['prose', 'hello\nworld\n', ': no line begins with "#Fields:"'],
    ['lines without their head', 'GET /a - 443 meet.contoso.com 200\n', ': no line begins with "#Fields:"'],
    [
      'another W3C log',
      '#Fields: date time action src-ip\n1 2 DROP 3\n',
      ': its line "#Fields:" has no column cs-method and no column cs-uri-stem',
    ],
  ])('%s', async (_name, content, why) => {
    const log = file('no.log', content);
    expect(await commandLine('trace', '--log', log, '--config', config)).toEqual({
      code: 3,
      out: '',
      err: `lychgate: ${log}: ${NO_LOG}${why}\n`,
    });
    const { code, json } = await replay('--log', log);
    expect([code, json.requests, json.notes, json.files[0].error]).toEqual([3, 0, [], NO_LOG + why]);
  });

  test('beside a log: it is told behind the sum of the others', async () => {
    const no = file('no.log', '{}\n');
    const empty = file('empty.log', '');
    const log = file('good.log', FIELDS + LINES);
    for (const files of [
      [no, log, empty],
      [empty, log, no],
    ]) {
      const { code, out, err } = await commandLine('trace', '--config', config, '--log', ...files);
      expect([code, err]).toEqual([3, `lychgate: ${no}: ${NO_LOG}, but JSON\n`]);
      expect(out).toContain('8 requests from ');
    }
  });

  test('a log that begins in the midst of its lines, and one without a request, are logs', async () => {
    const piece = file('piece.log', `GET /cut\n${FIELDS}GET /a - 443 meet.contoso.com 200\n`);
    const head = file('head.log', HEAD + FIELDS);
    const { code, err, json } = await replay('--log', piece, head);
    expect([code, err, json.requests, json.malformed]).toEqual([0, '', 1, 1]);
    expect((await replay('--log', head)).code).toBe(0);
  });
});

test('what the log does not tell is said once, and taken from the bindings', async () => {
  const log = file(
    'bare.log',
    '#Fields: cs-method cs-uri-stem s-port\nGET /a 443\nGET /a 80\nGET /a 8443\nGET /a 443\n',
  );
  const { json } = await replay('--log', log, log);
  expect(json.actions).toMatchObject({ proxy: 6, none: 2 });
  expect(json.rules.slice(2)).toEqual([
    { name: 'ARR_meet_loadbalance_SSL', requests: 4 },
    { name: 'ARR_meet_loadbalance', requests: 2 },
  ]);
  expect(json.notes).toEqual([
    'no column cs-uri-query: every request is taken for one without a query',
    'no column cs-host: each port stands for the host of its first binding (443: meet.contoso.com, 80: meet.contoso.com, 8443: other.contoso.com). Rules that look at the host cannot be told apart',
  ]);
});

test('--against: whose fate another configuration changes', async () => {
  const other = published(
    'pool',
    '<rule name="Teapot 2"><match url="^nobody$" /><action type="AbortRequest" /></rule>',
  );
  const log = file('against.log', `${FIELDS}${LINES}GET /b - 443 meet.contoso.com 200\n`);
  const { code, json } = await replay('--log', log, '--against', other);
  expect(code).toBe(0);
  expect(json.changes).toEqual({
    against: other,
    requests: 4,
    groups: [
      {
        from: 'farm fe',
        to: 'farm pool',
        requests: 2,
        example: {
          request: 'GET https://meet.contoso.com/a',
          from: 'https://fe/a',
          to: 'https://pool/a',
        },
        urls: [
          { path: '/a', requests: 1 },
          { path: '/b', requests: 1 },
        ],
        names: 2,
        otherRequests: 0,
      },
      {
        from: '404, no rule',
        to: 'abort',
        requests: 2,
        example: {
          request: 'GET https://other.contoso.com/nobody',
          from: 'no rule took it: 404',
          to: 'connection dropped',
        },
        urls: [{ path: '/nobody', requests: 2 }],
        names: 1,
        otherRequests: 0,
      },
    ],
    otherRequests: 0,
  });
  const same = await replay('--log', log, '--against', config);
  expect(same.json.changes).toMatchObject({ requests: 0, groups: [] });
  const { out } = await commandLine('trace', '--log', log, '--config', config, '--against', other);
  expect(out).toContain(`Another fate with ${other}: 4 of 9 requests\n           2  farm fe -> farm pool\n`);
});

test('--against: another URL at the same farm, other headers', async () => {
  const rules = (to: string, value: string) =>
    writeFolder({
      iis: applicationHost({
        bindings: ['https *:443:'],
        farms: webFarm('fe', { servers: [{ address: '10.0.0.20' }] }),
        rules: `<rule name="A"><match url="(.*)" /><serverVariables><set name="HTTP_X_A" value="${value}" /></serverVariables><action type="Rewrite" url="https://fe/${to}{R:1}" /></rule>`,
      }),
    }).configDir;
  const log = file('same.log', `${FIELDS}GET /a - 443 a 200\n`);
  const kinds = async (to: string, value: string) => {
    const asked = ['--config', rules('', '1'), '--against', rules(to, value)];
    const { out } = await commandLine('trace', '--json', '--log', log, ...asked);
    return JSON.parse(out).changes.groups.map(({ to: kind }: { to: string }) => kind);
  };
  expect(await kinds('', '1')).toEqual([]);
  expect(await kinds('x/', '1')).toEqual(['farm fe, another URL']);
  expect(await kinds('', '2')).toEqual(['farm fe, other headers']);
});

test('--rules: files without bindings take every request', async () => {
  const rules = file(
    'web.config',
    '<configuration><system.webServer><rewrite><rules><rule name="A"><match url="^a$" /><action type="Redirect" url="/b" /></rule></rules></rewrite></system.webServer></configuration>',
  );
  const { out, code } = await commandLine(
    'trace',
    '--json',
    '--rules',
    rules,
    '--log',
    file('rules.log', FIELDS + LINES),
  );
  expect(code).toBe(0);
  const json = JSON.parse(out);
  expect(json.actions).toMatchObject({ redirect: 2, none: 4, refused: 2 });
  expect(json.rules).toEqual([{ name: 'A', site: 'fragment', requests: 2 }]);
});

test.each<[number, string[], RegExp]>([
  [2, ['--log', 'LOG', 'https://a/'], /one of both/],
  [2, ['--log', 'LOG', '--method', 'GET'], /--method is for a URL/],
  [2, ['--log', '-', '-'], /standard input/],
  [3, ['--log', 'FOLDER'], /^lychgate: --log .*: this is a folder, a file is wanted\.\n$/],
  [2, ['--log', 'LOG', '--against', 'LOG'], /a folder is wanted/],
  [2, ['https://a/', '--against', 'FOLDER'], /it needs --log/],
  [3, ['--log', 'FOLDER/missing.log'], /cannot read .*missing\.log/],
  [3, ['--log', 'LOG', '--against', 'FOLDER/missing'], /cannot read/],
  [1, ['--log', 'LOG', '--against', 'BROKEN'], /error LG/],
])('exit code %d: %j', async (exit, args, message) => {
  const broken = writeFolder({ iis: '<configuration><a>' }).configDir;
  const names: Record<string, string> = { LOG: file('use.log', FIELDS), FOLDER: folder, BROKEN: broken };
  const real = args.map((arg) => arg.replace(/^(LOG|FOLDER|BROKEN)/, (name) => names[name] ?? name));
  const { code, out, err } = await commandLine('trace', ...real, '--config', config);
  expect([code, out]).toEqual([exit, '']);
  expect(err).toMatch(message);
});

test('a line without end is one malformed line, and the next one counts again', async () => {
  const log = file(
    'long.log',
    `${FIELDS}${'x'.repeat(2_000_000)}\nGET /a - 443 meet.contoso.com 200\n${'y'.repeat(2_000_000)}`,
  );
  const { json } = await replay('--log', log);
  expect([json.malformed, json.requests]).toEqual([2, 1]);
});

test('more paths than are kept: the rest is counted together', async () => {
  const lines = Array.from({ length: 12_000 }, (_, index) => `GET /${index} - 8443 other.contoso.com 404\n`);
  const { json } = await replay('--log', file('many.log', FIELDS + lines.join('')));
  expect(json.notTaken).toMatchObject({ requests: 12_000, names: 10_000, otherRequests: 2000 });
  expect(json.notTaken.urls).toHaveLength(20);
});

test('the progress bar: on a terminal alone, and gone at the end', async () => {
  const log = join(folder, 'bar.log');
  writeIisLog(log, 5000);
  let err = '';
  let out = '';
  const code = await runCommandLine(['trace', '--log', log, '--config', config], {
    out: { isTTY: true, write: (text) => (out += text) },
    err: { isTTY: true, write: (text) => (err += text) },
  });
  expect(code).toBe(0);
  expect(err).toMatch(/\r\x1b\[K\[[#.]{24}\] +\d+ % {2}[\d,]+ lines, [\d,]+ a second/);
  expect(err.endsWith('\r\x1b[K')).toBe(true);
  expect(out).toContain('\x1b[1m5,000 requests from');
});

test('files that are no logs are not counted among those that requests are from', async () => {
  const log = file('counted.log', `${HEAD}${FIELDS}${LINES}`);
  const other = file('counted.log.gz', gzipSync(`${HEAD}${FIELDS}${LINES}`));
  const none = file('no.log', '<x />');
  const headline = async (...logs: string[]) => {
    const { code, out } = await commandLine('trace', ...logs.flatMap((each) => ['--log', each]), '--config', config);
    return `${code} ${out.split('\n')[0]}`;
  };
  expect(await headline(log, none)).toMatch(/^3 8 requests from \S+counted\.log[ ,.]/);
  expect(await headline(log, other, none)).toMatch(/^3 16 requests from 2 files/);
});
