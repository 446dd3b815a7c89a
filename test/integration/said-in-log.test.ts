/** Answers of our own that the rules are the cause of: the service log names rule and reason, at its default level. */
import { expect, test } from 'vitest';
import { ask } from './clients.ts';
import { applicationHost, startProxy, webFarm } from './environment.ts';
import { freePort } from './ports.ts';
import { ok, startRecordingServer } from './recording-server.ts';

const host = 'app.contoso.com';

const rule = (name: string, action: string, more = '') =>
  `<rule name="${name}" stopProcessing="true"><match url="^${name}" />${more}<action ${action} /></rule>`;
const EMPTIED = '<serverVariables><set name="HTTP_ACCEPT_ENCODING" value="" /></serverVariables>';

async function publish() {
  const answer = () => ok('zipped', 'Content-Type: text/html\r\nContent-Encoding: gzip\r\n');
  const { httpPort } = await startRecordingServer({ answer });
  const port = await freePort();
  const proxy = await startProxy({
    iis: applicationHost({
      bindings: [`http *:${port}:${host}`],
      farms: webFarm('fe', { servers: [{ address: 'fe.contoso.local', httpPort }] }),
      rules:
        rule('computed', 'type="Rewrite" url="http://{QUERY_STRING}/"') +
        rule('broken-global', 'type="Rewrite" url="/{Nowhere:{URL}}"'),
      more: `<rewrite>
        <rules>${[
          rule('file', 'type="Rewrite" url="/index.html"'),
          rule('challenge', 'type="None"'),
          rule('broken', 'type="Rewrite" url="/{Nowhere:{URL}}"'),
          rule('plain', 'type="Rewrite" url="http://fe/"'),
          rule('emptied', 'type="Rewrite" url="http://fe/"', EMPTIED),
        ].join('')}</rules>
        <outboundRules><rule name="links"><match filterByTags="A" pattern="x" /><action type="Rewrite" value="y" /></rule></outboundRules>
        <allowedServerVariables><add name="HTTP_ACCEPT_ENCODING" /></allowedServerVariables>
      </rewrite>`,
    }),
    settings: { hosts: { 'fe.contoso.local': '127.0.0.1' } },
  });
  const get = (path: string) => ask({ protocol: 'HTTP/1.1', plain: true, port, host, path });
  const lines = () =>
    proxy.logged.flatMap(({ code, rule: name, msg, leftOut }) =>
      code === undefined ? [] : [{ code, rule: name, msg, ...(leftOut === undefined ? {} : { leftOut }) }],
    );
  return { get, lines, proxy };
}

const ENCODED =
  'Outbound rewrite rules cannot be applied when the content of the HTTP response is encoded ("gzip"). Outbound rule "links" changes the body';

test.each([
  ['/file?secret', 404, '404.0', 'file', 'rule "file" leaves the request to a file; Lychgate has none'],
  ['/challenge/x', 404, '404.0', 'challenge', 'rule "challenge" leaves the request to a file; Lychgate has none'],
  ['/nothing', 404, '404.0', '', 'no rule took the request'],
  [
    '/computed?other.example',
    403,
    '403.0',
    'computed',
    'rule "computed" leads to other.example, which is neither a farm nor in upstream.allow',
  ],
  ['/broken', 500, '500.50', 'broken', 'rule "broken": The expression "/{Nowhere:{URL}}" cannot be expanded.'],
  [
    '/broken-global',
    500,
    '500.51',
    'broken-global',
    'rule "broken-global": The expression "/{Nowhere:{URL}}" cannot be expanded.',
  ],
  [
    '/plain',
    500,
    '500.52',
    'plain',
    `${ENCODED}: set HTTP_ACCEPT_ENCODING to "" among the serverVariables of the inbound rule.`,
  ],
  [
    '/emptied',
    500,
    '500.52',
    'emptied',
    `${ENCODED}, and the server compresses it although it was sent no Accept-Encoding: switch its compression off.`,
  ],
])('%s', async (path, status, code, name, msg) => {
  const { get, lines, proxy } = await publish();
  expect((await get(path)).status).toBe(status);
  expect(lines()).toEqual([{ code, rule: name, msg }]);
  const line = proxy.logged.find(({ code: of }) => of === code);
  expect(line).toMatchObject({
    client: '127.0.0.1',
    url: expect.stringMatching(new RegExp(`://${host}(:\\d+)?/\\w+`)),
  });
  expect(line?.url).not.toContain('?');
});

test('whatever a request can cause is told so often of each kind, and then the number of those left out', async () => {
  const { get, lines, proxy } = await publish();
  const kinds = [
    ['/nothing', '404.0'],
    ['/computed?other.example', '403.0'],
    ['/broken', '500.50'],
    ['/broken-global', '500.51'],
    ['/plain', '500.52'],
    // No request at all.
    ['/%', '400.601'],
  ] as const;
  for (let times = 0; times < 13; times++) for (const [path] of kinds) await get(path);
  const told = (code: string) => lines().filter((line) => line.code === code).length;
  expect(kinds.map(([, code]) => [code, told(code)])).toEqual(kinds.map(([, code]) => [code, 10]));
  await proxy.serving.stop(1);
  const sums = proxy.logged.filter(({ msg }) => String(msg).startsWith('left out, of the kind: '));
  expect(sums.map(({ leftOut }) => leftOut)).toEqual(kinds.map(() => 3));
});

test('what any client can ask for is told so often of each rule, and then no more', async () => {
  const { get, lines } = await publish();
  for (let times = 0; times < 15; times++) await get('/nothing');
  await get('/file');
  expect(lines().map(({ rule: name }) => name)).toEqual([...Array(10).fill(''), 'file']);
});
