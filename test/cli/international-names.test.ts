/** International names on the command line: traced URLs, headers and replayed logs are read as the service reads a request. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { applicationHost, webFarm, writeFolder } from '../integration/environment.ts';
import { commandLine } from './command-line.ts';

const RULES = String.raw`
  <rule name="books" stopProcessing="true">
    <match url="(.*)" />
    <conditions><add input="{HTTP_HOST}" pattern="^bücher\.test(:\d+)?$" /></conditions>
    <action type="Rewrite" url="http://Bücher-Farm/{R:1}" />
  </rule>
  <rule name="by map" stopProcessing="true">
    <match url="^map$" />
    <conditions><add input="{Hosts:{HTTP_HOST}}" pattern="(.+)" /></conditions>
    <action type="Redirect" url="https://{C:1}/" />
  </rule>
  <rule name="renamed">
    <match url="^renamed$" />
    <serverVariables><set name="HTTP_HOST" value="bücher.test" /></serverVariables>
    <action type="None" />
  </rule>
  <rule name="after" stopProcessing="true">
    <match url="^renamed$" />
    <conditions><add input="{HTTP_HOST}" pattern="^bücher\.test$" /></conditions>
    <action type="Rewrite" url="http://bücher-farm/" />
  </rule>`;

const MAPS = `<rewriteMaps><rewriteMap name="Hosts"><add key="größe.test" value="böden.test" /><add key="ä" value="kept.test" /></rewriteMap></rewriteMaps>`;

function published(): string {
  const host = applicationHost({
    bindings: ['http *:80:bücher.test', 'http *:80:größe.test', 'http *:80:*.ö.test'],
    farms: webFarm('Bücher-Farm', { servers: [{ address: 'srv-ä.test' }] }),
    rules: RULES,
    more: '<proxy enabled="true" />',
  }).replace('<globalRules>', `${MAPS}<globalRules>`);
  return writeFolder({ iis: host }).configDir;
}

async function traced(url: string, ...more: string[]) {
  const { out } = await commandLine('trace', url, '--json', '--config', published(), ...more);
  return JSON.parse(out).outcome;
}

test.each([
  'http://bücher.test/a',
  'http://BÜCHER.TEST/a',
  'http://bu\u0308cher.test/a',
  'http://bücher。test/a',
  'http://b%C3%BCcher.test/a',
  'http://xn--bcher-kva.test/a',
  'http://XN--BCHER-KVA.test:80/a',
])('trace %s', async (url) => {
  expect(await traced(url)).toEqual({
    action: 'proxy',
    url: 'http://xn--bcher-farm-9db/a',
    farm: 'Bücher-Farm',
    servers: ['http://xn--srv--ooa.test:8080'],
  });
});

test.each(['bücher.test', 'Bücher.Test:80', 'b%C3%BCcher.test', 'xn--bcher-kva.test', 'bücher．test'])(
  'trace --header "Host: %s"',
  async (host) => {
    expect(await traced('http://größe.test/a', '--header', `Host: ${host}`)).toMatchObject({ farm: 'Bücher-Farm' });
  },
);

test.each([
  'http://bü cher.test/',
  'http://bücher..test/',
  'http://１２７.0.0.1/',
  'http://b%C3cher.test/',
  'http://a／b.test/',
])('trace %s is refused as the service refuses it', async (url) => {
  expect(await traced(url)).toMatchObject({ action: 'error', error: { iisStatus: '400' } });
});

test('a key of a rewrite map is found by the host that clients send', async () => {
  const location = { action: 'redirect', location: 'https://xn--bden-5qa.test/' };
  expect(await traced('http://xn--gre-6ka8i.test/map')).toMatchObject(location);
  expect(await traced('http://größe.test/map')).toMatchObject(location);
  expect(await traced('http://x.ö.test/map')).toMatchObject({ action: 'none' });
});

test('a host that a rule sets is read by the rules behind it as any other', async () => {
  expect(await traced('http://größe.test/renamed')).toMatchObject({
    farm: 'Bücher-Farm',
    setVariables: { HTTP_HOST: 'xn--bcher-kva.test' },
  });
});

test.each([
  ['xn--bcher-kva.test', 'UTF-8', 1],
  ['bücher.test', 'UTF-8', 1],
  ['BÜCHER.test:80', 'UTF-8', 1],
  ['b%C3%BCcher.test', 'UTF-8', 1],
  ['b\xfccher.test', 'latin1', 0],
] as const)('a log with cs-host %s in %s', async (host, encoding, taken) => {
  const config = published();
  const file = join(config, 'u_ex.log');
  const lines = `#Software: Microsoft Internet Information Services 10.0\n#Fields: cs-method cs-uri-stem cs-uri-query s-port cs-host sc-status\nGET /a - 80 ${host} 200\n`;
  writeFileSync(file, Buffer.from(lines, encoding === 'UTF-8' ? 'utf8' : 'latin1'));
  const { out } = await commandLine('trace', '--log', file, '--config', config, '--json');
  const { farms } = JSON.parse(out) as { farms: Record<string, unknown>[] };
  expect(farms.filter(({ name, requests }) => name === 'Bücher-Farm' && requests === 1)).toHaveLength(taken);
});
