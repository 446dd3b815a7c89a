/** The site of a request whose listener nobody knows is that of the listener which would take it. */
import { expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { createDecider } from '../../src/decide/decide.ts';
import { imaginedRequest } from '../../src/decide/imagined-request.ts';
import { planListeners } from '../../src/decide/listener-plan.ts';
import { writeFiles } from '../config/written.ts';

interface World {
  readonly sites: Readonly<Record<string, readonly string[]>>;
  readonly addresses?: Readonly<Record<string, string>>;
}

function configOf({ sites, addresses = {} }: World) {
  const site = ([name, bindings]: [string, readonly string[]], at: number) =>
    `<site name="${name}" id="${at + 1}"><application path="/" /><bindings>${bindings
      .map((each) => `<binding protocol="${each.split(' ')[0]}" bindingInformation="${each.split(' ')[1]}" />`)
      .join('')}</bindings></site>`;
  const folder = writeFiles({
    'applicationHost.config': `<configuration><system.applicationHost><sites>${Object.entries(sites).map(site).join('')}</sites></system.applicationHost></configuration>`,
    'settings.json': JSON.stringify({ addresses }),
  });
  const { config } = loadConfig(folder);
  if (config === undefined) throw new Error('the configuration of this test');
  return config;
}

test.each<[string, World]>([
  [
    'an address before all of them',
    { sites: { C: ['http 10.0.0.1:80:x.test'], A: ['http *:80:x.test', 'http *:80:y.test'] } },
  ],
  [
    'all of them before an address',
    { sites: { C: ['http *:80:'], A: ['http 10.0.0.1:80:x.test', 'https *:443:x.test'] } },
  ],
  ['two addresses', { sites: { C: ['http 10.0.0.1:80:'], A: ['http 10.0.0.2:80:x.test'] } }],
  ['ports', { sites: { C: ['https *:8443:x.test'], A: ['https *:443:x.test', 'https *:8443:*.test'] } }],
  [
    'one address stands for two',
    {
      sites: { C: ['http 10.0.0.1:80:y.test'], A: ['http 10.0.0.2:80:x.test'] },
      addresses: { '10.0.0.1': '127.0.0.1', '10.0.0.2': '127.0.0.1' },
    },
  ],
  [
    'all of them stand for an address',
    { sites: { C: ['http *:80:'], A: ['http 10.0.0.2:80:x.test'] }, addresses: { '10.0.0.2': '*' } },
  ],
])('%s', (_, world) => {
  const config = configOf(world);
  const decide = createDecider(config);
  for (const { name, address, standsFor, port, tls } of planListeners(config)) {
    for (const authority of ['x.test', 'y.test', 'a.test', 'other', '']) {
      for (const protocol of ['HTTP/1.0', 'HTTP/1.1'] as const) {
        const at = standsFor ?? address;
        const asked = imaginedRequest({
          ...{ scheme: tls ? 'https' : 'http', authority, target: '/', protocol },
          connection: { localAddress: at === '*' ? '192.0.2.77' : at, localPort: port },
        });
        const { site } = decide({ ...asked, connection: { ...asked.connection, listener: name } });
        expect([name, authority, protocol, decide(asked).site]).toEqual([name, authority, protocol, site]);
      }
    }
  }
});

test('nobody knows the address or the port: what could be meant is looked through', () => {
  const decide = createDecider(configOf({ sites: { C: ['http 10.0.0.1:80:x.test'], A: ['http 10.0.0.2:80:y.test'] } }));
  const site = (authority: string, localPort: number) =>
    decide(imaginedRequest({ scheme: 'http', authority, target: '/', connection: { localPort } })).site;
  expect([site('x.test', 80), site('y.test', 80), site('y.test', 8080), site('z.test', 80)]).toEqual([
    'C',
    'A',
    'A',
    '',
  ]);
});
