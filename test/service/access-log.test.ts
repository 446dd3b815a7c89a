/** The access log of a running service: IIS's fields and ours, one line for each request, whatever a client sends. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openRaw } from '../integration/clients.ts';
import { writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { marked } from './processes.ts';
import { HOST, type PublishedService, publish } from './published.ts';

const FIELDS =
  'date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) cs-host sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken x-arr-log-id x-site x-rule x-farm x-server x-protocol x-tls x-server-time'.split(
    ' ',
  );
const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

async function stop({ service }: PublishedService): Promise<void> {
  service.child.kill('SIGTERM');
  expect(await service.exit()).toBe(0);
}

/** Six requests: proxied, posted, over HTTP/2, for a strange host, for a path that no rule takes, refused in the head. */
async function sixRequests(published: PublishedService): Promise<void> {
  const { get, httpPort } = published;
  const plain = { port: httpPort, plain: true };
  await get('/a%20b?x=1&y=%3A', {
    headers: { 'User-Agent': 'Mozilla/5.0 (Windows NT 10.0)', Referer: 'https://r/?q' },
  });
  await get('/', { method: 'POST', body: 'twelve bytes' });
  await get('/second', { protocol: 'HTTP/2' });
  await get('/', { ...plain, host: 'www.example.com' });
  await get('/%', plain);
  const client = openRaw(httpPort);
  client.socket.write(`GET / HTTP/1.1\r\nHost: ${HOST}\r\nHost: ${HOST}\r\n\r\n`);
  await client.closed();
}

test('JSON on standard output: exactly the fields, for refused requests too', async () => {
  const published = await publish({ workers: 2, log: { access: { format: 'json' } } });
  await sixRequests(published);
  await stop(published);
  const lines = published.service.stdout().split('\n').filter(Boolean);
  const entries = lines.map((line) => JSON.parse(line) as Record<string, string | number>);
  expect(entries).toHaveLength(6);
  for (const entry of entries) {
    expect(Object.keys(entry)).toEqual(FIELDS);
    expect(entry['x-arr-log-id']).toMatch(GUID);
  }
  expect(new Set(entries.map((entry) => entry['x-arr-log-id'])).size).toBe(6);
  expect(entries.map((entry) => entry['sc-status']).sort()).toEqual([200, 200, 200, 400, 400, 400]);
  expect(entries.find((entry) => entry['cs-uri-stem'] === '/a%20b')).toEqual({
    date: expect.stringMatching(/^\d{4}-\d\d-\d\d$/),
    time: expect.stringMatching(/^\d\d:\d\d:\d\d$/),
    's-ip': '127.0.0.1',
    'cs-method': 'GET',
    'cs-uri-stem': '/a%20b',
    'cs-uri-query': 'x=1&y=%3A',
    's-port': published.httpsPort,
    'cs-username': '',
    'c-ip': '127.0.0.1',
    'cs(User-Agent)': 'Mozilla/5.0 (Windows NT 10.0)',
    'cs(Referer)': 'https://r/?q',
    'cs-host': HOST,
    'sc-status': 200,
    'sc-substatus': 0,
    'sc-win32-status': 0,
    'sc-bytes': 6,
    'cs-bytes': 0,
    'time-taken': expect.any(Number),
    'x-arr-log-id': expect.any(String),
    'x-site': 'Published',
    'x-rule': 'ARR_fe_loadbalance_SSL',
    'x-farm': 'fe',
    'x-server': 'fe01.contoso.local',
    'x-protocol': 'HTTP/1.1',
    'x-tls': 'TLSv1.3',
    'x-server-time': expect.any(Number),
  });
  expect(entries.find((entry) => entry['cs-method'] === 'POST')).toMatchObject({ 'cs-bytes': 12, 'sc-status': 200 });
  expect(entries.find((entry) => entry['x-protocol'] === 'HTTP/2.0')).toMatchObject({ 'cs-uri-stem': '/second' });
  expect(entries.find((entry) => entry['cs-host'] === 'www.example.com')).toMatchObject({
    'sc-status': 400,
    'x-site': '',
    'x-farm': '',
    'x-server': '',
    'x-server-time': '',
  });
});

test('W3C in a file named from the folder of the settings: header and lines with the same fields', async () => {
  const published = await publish({ log: { access: { format: 'w3c', file: '../access.log' } } });
  await sixRequests(published);
  await stop(published);
  expect(published.service.stdout()).toBe('');
  const lines = readFileSync(join(published.dir, 'access.log'), 'latin1').split('\n');
  expect(lines.pop()).toBe('');
  expect(lines.slice(0, 2)).toEqual(['#Software: Lychgate', '#Version: 1.0']);
  expect(lines[2]).toMatch(/^#Date: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
  expect(lines[3]).toBe(`#Fields: ${FIELDS.join(' ')}`);
  const entries = lines.slice(4).map((line) => line.split(' '));
  expect(entries).toHaveLength(6);
  for (const entry of entries) {
    expect(entry).toHaveLength(FIELDS.length);
    expect(entry.every((value) => value !== '')).toBe(true);
  }
  const first = Object.fromEntries(FIELDS.map((name, index) => [name, entries[0]?.[index]]));
  expect(first).toMatchObject({
    'cs-uri-stem': '/a%20b',
    'cs-uri-query': `x=1&y=%3A&X-ARR-LOG-ID=${first['x-arr-log-id']}`,
    'cs-username': '-',
    'cs(User-Agent)': 'Mozilla/5.0+(Windows+NT+10.0)',
    'sc-status': '200',
  });
});

test('chosen fields, in their order', async () => {
  const fields = ['sc-status', 'cs-method', 'x-farm'];
  const published = await publish({ log: { access: { format: 'w3c', fields } } });
  await published.get();
  await stop(published);
  expect(published.service.stdout().split('\n').slice(3)).toEqual([`#Fields: ${fields.join(' ')}`, '200 GET fe', '']);
});

const hostile = 'agent\x1b[2J\x1b]0;owned\x07 \x9b31m \xe2\x80\xa8 "quoted" \\n #Fields: x';

test.each(['json', 'w3c'])('%s: nothing in a header begins a second line or steers a terminal', async (format) => {
  const published = await publish({ log: { access: { format } } });
  const { httpPort, service } = published;
  const send = async (head: string) => {
    const client = openRaw(httpPort);
    client.socket.write(`GET /line HTTP/1.1\r\nHost: ${HOST}\r\n${head}Connection: close\r\n\r\n`, 'latin1');
    return await client.closed();
  };
  const answers = [
    await send(`User-Agent: ${hostile}\r\n`),
    await send('User-Agent: a\rGET /forged HTTP/1.1\r\n'),
    await send('User-Agent: a\nX-Forged: yes\r\n'),
    await send(`Referer: http://r/\u0085\x00\r\n`),
    await send('User-Agent: folded\r\n 2026-01-01 forged\r\n'),
  ];
  await published.get('/last', { port: httpPort, plain: true });
  await stop(published);
  const lines = service
    .stdout()
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  expect(lines.length).toBe(answers.length + 1);
  for (const line of lines) {
    expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
    expect(line).toContain(format === 'json' ? '"cs-method":"GET"' : ' GET ');
  }
  expect(lines.join('\n')).not.toMatch(/^(?!.*\/(line|last)).*forged/m);
  expect(lines.at(-1)).toContain('/last');
});

test('a log file that cannot be opened keeps the service from starting', async () => {
  const port = await freePort();
  const { configDir, dir } = writeFolder({
    iis: '<configuration />',
    settings: {
      bindings: [{ protocol: 'http', address: '127.0.0.1', port }],
      log: { level: 'info', access: { format: 'json', file: '../logs/access.log' } },
    },
  });
  const service = marked(['run', '--config', configDir]);
  expect(await service.exit()).toBe(3);
  expect(service.stderr()).toContain(
    `lychgate: cannot open the access log ${join(dir, 'logs/access.log')}: its folder does not exist. Change "log"`,
  );
  expect(service.family()).toEqual([]);
});
