import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type DemoPlan, demoPlan, shellLine } from '../../src/demo/demo-plan.ts';
import { startFrontEnd } from '../../src/demo/front-end.ts';
import { startOfficeWebApps } from '../../src/demo/office-web-apps.ts';
import { curl, throwAwayCertificate } from './real-curl.ts';

const paper = demoPlan({ authority: 'ca.pem', platform: 'linux' });

test('the ports need no root and the servers stand apart from the listener', () => {
  expect(paper.listener).toEqual({ address: '127.0.0.1', httpsPort: 8443, httpPort: 8880 });
  const sockets = [
    `${paper.frontEnd.address}:${paper.frontEnd.httpsPort}`,
    `${paper.frontEnd.address}:${paper.frontEnd.httpPort}`,
    `${paper.officeWebApps.address}:${paper.officeWebApps.httpsPort}`,
  ];
  expect(sockets).toEqual(['127.0.0.2:4443', '127.0.0.2:8080', '127.0.0.3:4444']);
  const mac = demoPlan({ authority: 'ca.pem', platform: 'darwin' });
  expect([mac.frontEnd.address, mac.officeWebApps.address]).toEqual(['127.0.0.1', '127.0.0.1']);
});

test('a line can be pasted into a shell', async () => {
  const args = ['--user', 'CONTOSO\\alice:secret', "it's", 'a b', 'https://x/?a=1&b=2', '::127.0.0.1:8443'];
  const line = shellLine({ ...paper.tries[0]!, args }).replace(/^curl/, "printf '%s\\n'");
  const { stdout } = await promisify(execFile)('sh', ['-c', line]);
  expect(stdout.split('\n').slice(0, -1)).toEqual(args);
  expect(shellLine(paper.tries[0]!)).toBe(
    'curl --cacert ca.pem --connect-to ::127.0.0.1:8443 https://meet.contoso.com/meet/alice/7M3K2P',
  );
});

/** Without a proxy between, each line must already show what it promises. */
describe('straight at the servers', () => {
  let certificate: Awaited<ReturnType<typeof throwAwayCertificate>>;
  let frontEnd: Awaited<ReturnType<typeof startFrontEnd>>;
  let officeWebApps: Awaited<ReturnType<typeof startOfficeWebApps>>;
  let plans: { readonly frontEnd: DemoPlan; readonly officeWebApps: DemoPlan };

  beforeAll(async () => {
    certificate = await throwAwayCertificate(paper.certificates.listener);
    frontEnd = await startFrontEnd({ httpPort: 0, httpsPort: 0, certificate: certificate.pem, pollSeconds: 0 });
    officeWebApps = await startOfficeWebApps({ httpsPort: 0, certificate: certificate.pem });
    const planAt = ({ httpPort, httpsPort }: { httpPort: number; httpsPort: number }) =>
      demoPlan({ authority: certificate.certFile, listener: { address: '127.0.0.1', httpPort, httpsPort } });
    plans = { frontEnd: planAt(frontEnd), officeWebApps: planAt(officeWebApps) };
  });
  afterAll(async () => {
    await frontEnd?.close();
    await officeWebApps?.close();
    await certificate?.remove();
  });

  const ofServers = [...paper.tries.entries()].flatMap(([i, { title, answeredBy }]) =>
    answeredBy === 'proxy' ? [] : [{ i, title, answeredBy }],
  );

  test.each(ofServers)('$title', async ({ i, answeredBy }) => {
    const { args, status, shows } = plans[answeredBy].tries[i]!;
    const { stdout } = await curl([...args, '--write-out', '%{http_code}']);
    expect(stdout.slice(-3)).toBe(String(status));
    expect(stdout).toContain(shows);
  });
});
