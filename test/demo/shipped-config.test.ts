import { globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ParseError, parse } from 'jsonc-parser';
import { SaxesParser } from 'saxes';
import { describe, expect, test } from 'vitest';
import { demoApplicationHost, demoSettings } from '../../src/demo/demo-config.ts';
import { demoPlan } from '../../src/demo/demo-plan.ts';

const folder = join(import.meta.dirname, '../../config');
const read = (file: string) => readFileSync(join(folder, file), 'utf8');
const shipped = read('applicationHost.config');
const plan = demoPlan({ authority: 'ca.pem', platform: 'linux' });
const examples = readdirSync(join(folder, 'examples'), { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() ? entry.name : [],
);

/** Every element as its path and attributes. */
function elementsOf(xml: string): { path: string; attributes: Record<string, string> }[] {
  const found: { path: string; attributes: Record<string, string> }[] = [];
  const open: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    open.push(name);
    found.push({ path: open.join('/'), attributes: attributes as Record<string, string> });
  });
  parser.on('closetag', () => open.pop());
  parser.write(xml).close();
  return found;
}

const valuesOf = (xml: string, path: RegExp, attribute: string) =>
  elementsOf(xml)
    .filter((element) => path.test(element.path))
    .flatMap((element) => element.attributes[attribute] ?? []);

test('the shipped file has each name on 443 and 80 and as a farm', () => {
  const names = [...plan.certificates.listener].sort();
  expect(valuesOf(shipped, /\/binding$/, 'bindingInformation').sort()).toEqual(
    [...names.map((name) => `*:443:${name}`), ...names.map((name) => `*:80:${name}`)].sort(),
  );
  expect(valuesOf(shipped, /\/webFarm$/, 'name').sort()).toEqual(names);
  expect(valuesOf(shipped, /\/protocol$/, 'timeout')).toEqual(Array(5).fill('00:16:00'));
  expect(valuesOf(shipped, /\/cache$/, 'enabled')).toEqual(Array(5).fill('false'));
});

test('only discovery is published without TLS', () => {
  const targets = valuesOf(shipped, /\/action$/, 'url');
  expect(targets.filter((url) => url.startsWith('http:'))).toEqual(['http://lyncdiscover.contoso.com/{R:0}']);
  expect(targets.filter((url) => url.startsWith('https:')).sort()).toEqual(
    [...plan.certificates.listener].sort().map((name) => `https://${name}/{R:0}`),
  );
});

describe.each(['applicationHost.config', ...examples.map((name) => `examples/${name}/applicationHost.config`)])(
  '%s',
  (file) => {
    const text = read(file);

    test('each rewrite leads to a farm of the file, each rule names its hosts', () => {
      const elements = elementsOf(text);
      const farms = valuesOf(text, /\/webFarm$/, 'name');
      const targets = elements.flatMap(({ path, attributes }) =>
        path.endsWith('/globalRules/rule/action') && attributes.type === 'Rewrite' ? [attributes.url ?? ''] : [],
      );
      expect(targets.length).toBeGreaterThan(0);
      for (const target of targets) {
        expect(farms).toContain(/^https?:\/\/([^/]+)\/\{R:[01]\}$/.exec(target)?.[1]);
      }
      const rules = elements.filter(({ path }) => path.endsWith('/globalRules/rule'));
      const hosts = elements.filter(({ attributes }) => attributes.input === '{HTTP_HOST}');
      expect(hosts.length).toBe(rules.length);
      const wildcard = rules.some(({ attributes }) => attributes.patternSyntax === 'Wildcard');
      for (const { attributes } of hosts) {
        expect(attributes.pattern).toMatch(wildcard ? /^[a-z]+\.contoso\.com$/ : /^\^.*\\\.contoso\\\.com\)?\$$/);
      }
      expect(new Set(rules.map(({ attributes }) => attributes.name)).size).toBe(rules.length);
    });

    test('each outbound rule is for answers of one folder, and has a precondition of the file', () => {
      const elements = elementsOf(text);
      const preConditions = valuesOf(text, /\/preCondition$/, 'name');
      const rules = elements.filter(({ path }) => path.endsWith('/outboundRules/rule'));
      for (const { attributes } of rules) expect(preConditions).toContain(attributes.preCondition);
      const urls = elements.filter(
        ({ path, attributes }) => /\/preCondition\//.test(path) && attributes.input === '{URL}',
      );
      expect(urls.length).toBe(preConditions.length);
    });

    test('no server can be taken for the proxy itself', () => {
      for (const address of valuesOf(text, /\/server$/, 'address')) {
        expect(address).toMatch(/^192\.0\.2\.\d+$|^[a-z0-9]+\.contoso\.local$/);
      }
    });
  },
);

test.each(['settings.json', ...globSync('examples/*/settings.json', { cwd: folder })])(
  '%s leads every server name somewhere',
  (file) => {
    const errors: ParseError[] = [];
    const settings = parse(read(file), errors, { allowTrailingComma: false });
    expect(errors).toEqual([]);
    const servers = valuesOf(read(file.replace('settings.json', 'applicationHost.config')), /\/server$/, 'address');
    expect(Object.keys(settings.hosts).sort()).toEqual([...new Set(servers)].sort());
  },
);

test('the shipped file is what the demo publishes, on the usual ports (vitest -u writes it)', async () => {
  const listener = { address: '*', httpsPort: 443, httpPort: 80 };
  const officeWebApps = { ...plan.officeWebApps, httpsPort: 443 };
  const text = demoApplicationHost({ ...plan, listener, officeWebApps });
  await expect(text).toMatchFileSnapshot(join(folder, 'applicationHost.config'));
});

test('the demo differs from the shipped file in its ports and in nothing else', () => {
  const lines = shipped.split('\n');
  const changed = demoApplicationHost(plan)
    .split('\n')
    .flatMap((line, i) => (line === lines[i] ? [] : [line.trim()]));
  const hosts = [...plan.certificates.listener];
  const office = hosts.pop();
  const https = (host?: string) =>
    `<binding protocol="https" bindingInformation="127.0.0.1:8443:${host}" sslFlags="0" />`;
  const http = (host?: string) => `<binding protocol="http" bindingInformation="127.0.0.1:8880:${host}" />`;
  expect(changed).toEqual([
    ...hosts.map(https),
    ...hosts.map(http),
    https(office),
    http(office),
    '<applicationRequestRouting httpPort="80" httpsPort="4444" />',
  ]);
});

test('other ports of the Front End find their way into the demo', () => {
  const frontEnd = { ...plan.frontEnd, httpPort: 18080, httpsPort: 14443 };
  const text = demoApplicationHost({ ...plan, frontEnd });
  expect(valuesOf(text, /\/server\/applicationRequestRouting$/, 'httpsPort')).toEqual([
    ...Array(4).fill('14443'),
    '4444',
  ]);
  expect(valuesOf(text, /\/server\/applicationRequestRouting$/, 'httpPort')).toEqual([...Array(4).fill('18080'), '80']);
});

test("the demo's settings lead the names of the shipped file to the stand-ins", () => {
  const errors: ParseError[] = [];
  const settings = parse(demoSettings(plan, { certificates: 'certs', authority: 'ca.pem' }), errors);
  expect(errors).toEqual([]);
  expect(settings).toEqual({
    hosts: { 'pool01.contoso.local': '127.0.0.2', 'owas01.contoso.local': '127.0.0.3' },
    admin: { address: '127.0.0.1:9444' },
    certificates: ['certs'],
    defaultCertificate: 'webext.contoso.com',
    upstream: { ca: 'ca.pem' },
  });
});
