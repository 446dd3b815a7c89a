import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { startFrontEnd } from '../../src/demo/front-end.ts';
import { ask, openRaw } from './clients.ts';
import { applicationHost, authority, certificateFor, farmRules, startProxy, webFarm } from './environment.ts';
import { freePort } from './ports.ts';
import { HOST, publishRecorded } from './recorded-farm.ts';

test('two listeners with the same host name present different certificates (external and internal adapter)', async () => {
  const frontEnd = await startFrontEnd({ httpPort: 0, httpsPort: 0, certificate: certificateFor('fe01') });
  onTestFinished(() => frontEnd.close());
  const port = await freePort();
  const host = 'meet.contoso.com';
  await startProxy({
    iis: applicationHost({
      bindings: [`https 127.0.0.1:${port}:${host}`, `https 127.0.0.2:${port}:${host}`],
      farms: webFarm('fe', { servers: [{ address: 'fe01', httpsPort: frontEnd.httpsPort }] }),
      rules: farmRules('fe', host),
    }),
    certificates: { outside: [host, 'outside.contoso.com'], inside: [host, 'inside.contoso.local'] },
    settings: {
      hosts: { fe01: '127.0.0.1' },
      certificates: [
        { cert: '../certs/outside.crt', key: '../certs/outside.key', listeners: [`127.0.0.1:${port}`] },
        { cert: '../certs/inside.crt', key: '../certs/inside.key', listeners: [`127.0.0.2:${port}`] },
      ],
    },
  });
  const names = async (address: string) => {
    const told = await ask({ protocol: 'HTTP/1.1', address, port, host, ca: authority.certPem, path: '/echo' });
    expect(told.status).toBe(200);
    return told.certificate;
  };
  expect(await names('127.0.0.1')).toBe(`DNS:${host}, DNS:outside.contoso.com`);
  expect(await names('127.0.0.2')).toBe(`DNS:${host}, DNS:inside.contoso.local`);
});

test('a TLS handshake for HTTP/2 that ends behind the beginning of the stop: the session is told to go', async () => {
  const farm = await publishRecorded();
  const { socket } = openRaw(farm.httpsPort);
  await once(socket, 'connect');
  // Connections are taken in their order, so that the first one is taken when this one is served.
  await ask({ protocol: 'HTTP/1.1', port: farm.httpsPort, host: HOST, ca: farm.ca });
  const stopped = farm.proxy.serving.stop(100);
  const tls = connectTls({ socket, servername: HOST, ca: farm.ca, ALPNProtocols: ['h2'] });
  await once(tls, 'secureConnect');
  const session = connectHttp2(`https://${HOST}`, { createConnection: () => tls });
  await Promise.all([once(session, 'goaway'), once(session, 'close')]);
  expect(await stopped).toBe(0);
});
