import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { curl } from '../demo/real-curl.ts';
import { type Lync, publishLync } from './lync.ts';

const REDIRECT = `
  <rule name="to https" stopProcessing="true">
    <match url="(.*)" />
    <conditions><add input="{HTTPS}" pattern="off" /><add input="{HTTP_HOST}" pattern="^meet\\." /></conditions>
    <action type="Redirect" url="https://{HTTP_HOST}/{R:1}" redirectType="Permanent" />
  </rule>`;

const connect = ({ proxy, httpsPort }: Lync) => ['--cacert', proxy.ca, '--connect-to', `::127.0.0.1:${httpsPort}`];
const STATUS = ['--output', '/dev/null', '--write-out', '%{http_version} %{http_code}'];

test.each([
  ['--http1.1', '1.1'],
  ['--http2', '2'],
])('curl %s', async (option, version) => {
  const lync = await publishLync();
  const { stdout } = await curl([option, ...connect(lync), ...STATUS, 'https://meet.contoso.com/meet/alice/7M3K2P']);
  expect(stdout).toBe(`${version} 200`);
});

test('HTTP/1.0 with and without Host', async () => {
  const lync = await publishLync();
  const { stdout } = await curl(['--http1.0', ...connect(lync), 'https://meet.contoso.com/meet']);
  expect(stdout).toContain('Join the meeting');
});

test('no SNI: the default certificate, and the site by Host', async () => {
  const lync = await publishLync({ settings: { defaultCertificate: 'webext.contoso.com' } });
  // An address in the URL sends no SNI.
  const url = `https://127.0.0.1:${lync.httpsPort}/dialin`;
  const { stdout, stderr } = await curl(['--verbose', '--insecure', '--header', 'Host: dialin.contoso.com', url]);
  expect(stdout).toContain('Dial-in conferencing');
  expect(stderr).toMatch(/subject: CN=webext\.contoso\.com/);
});

test('an unknown host is 400', async () => {
  const lync = await publishLync();
  const { stdout } = await curl([
    '--insecure',
    '--connect-to',
    `::127.0.0.1:${lync.httpsPort}`,
    ...STATUS,
    'https://www.fabrikam.com/',
  ]);
  expect(stdout).toBe('2 400');
});

test.each(['--http1.1', '--http2'])('an upload with Expect: 100-continue, %s', async (option) => {
  const lync = await publishLync();
  const file = join(lync.proxy.dir, 'upload.bin');
  writeFileSync(file, Buffer.alloc(3_000_000, 7));
  const { stdout } = await curl([
    ...[option, ...connect(lync), '--header', 'Expect: 100-continue', '--upload-file', file],
    'https://webext.contoso.com/DataCollabWeb/Upload',
  ]);
  expect(JSON.parse(stdout)).toMatchObject({ length: statSync(file).size });
  expect(lync.frontEnd.requests.all[0]?.method).toBe('PUT');
});

test('a redirect by rule is followed to https', async () => {
  const lync = await publishLync({ rules: REDIRECT });
  const to = (port: number, published: number) => ['--connect-to', `:${published}:127.0.0.1:${port}`];
  const args = ['--location', '--cacert', lync.proxy.ca, ...to(lync.httpPort, 80), ...to(lync.httpsPort, 443)];
  const { stdout } = await curl([
    ...args,
    '--write-out',
    ' %{num_redirects} %{url_effective}',
    'http://meet.contoso.com/meet/x?a=b%2Fc',
  ]);
  expect(stdout).toContain('Join the meeting');
  expect(stdout).toMatch(/ 1 https:\/\/meet\.contoso\.com\/meet\/x\?a=b%2Fc$/);
});

test('a kept connection carries several requests, also behind an error', async () => {
  const lync = await publishLync();
  const urls = ['/meet', '/nowhere', '/dialin'].map((path) => `https://webext.contoso.com${path}`);
  const { stdout } = await curl([
    '--http1.1',
    ...connect(lync),
    '--write-out',
    '[%{http_code} %{num_connects}]',
    ...urls,
  ]);
  expect([...stdout.matchAll(/\[(\d+ \d)\]/g)].map(([, each]) => each)).toEqual(['200 1', '404 0', '200 0']);
});
