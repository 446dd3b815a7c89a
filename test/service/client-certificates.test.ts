/** Certificates of clients over several workers: a TLS session that another worker began keeps its verdict. */
import { expect, test } from 'vitest';
import { createAuthority, type Issued, issueCertificate } from '../../src/tls/issue.ts';
import { ask, type Protocol } from '../integration/clients.ts';
import { applicationHost, authority, farmRules, webFarm, writeFolder } from '../integration/environment.ts';
import { freePort } from '../integration/ports.ts';
import { marked } from './processes.ts';
import { HOST, heldServer } from './published.ts';

const clients = createAuthority('Clients');
const shownBy = (from: typeof clients) => issueCertificate(from, { names: ['anna'], usage: 'client' });

test.each<Protocol>(['HTTP/1.1', 'HTTP/2'])(
  '3 workers over %s: who was trusted is, and who was not is not',
  async (protocol) => {
    const server = await heldServer();
    const port = await freePort();
    const folder = writeFolder({
      iis: applicationHost({
        bindings: [`https 127.0.0.1:${port}:${HOST}`],
        farms: webFarm('fe', { servers: [{ address: 'fe01.contoso.local', httpPort: server.port }] }),
        rules: farmRules('fe', HOST).replace('https://fe', 'http://fe'),
      }),
      certificates: { meet: [HOST] },
      files: { '../clients.pem': clients.certPem },
      settings: {
        hosts: { 'fe01.contoso.local': '127.0.0.1' },
        log: { level: 'info', access: { format: 'off' } },
        tls: { clientCertificates: { mode: 'require', ca: '../clients.pem' } },
        workers: 3,
      },
    });
    const service = marked(['run', '--config', folder.configDir]);
    await service.prints(/Lychgate serves/);
    const get = (shown?: Issued, session?: Buffer) => {
      const own = { ...(shown && { cert: shown.certPem, key: shown.keyPem }), ...(session && { session }) };
      return ask({ protocol, port, host: HOST, ca: authority.certPem, tls: own });
    };
    const cases: readonly (readonly [Issued | undefined, number, string])[] = [
      [shownBy(clients), 200, 'answer'],
      [shownBy(createAuthority('Others')), 403, '403.16'],
      [undefined, 403, '403.7'],
    ];
    for (const [shown, status, text] of cases) {
      const { session } = await get(shown);
      // The kernel spreads them over the workers.
      for (let i = 0; i < 12; i++) {
        const told = await get(shown, session);
        expect([told.resumed, told.status]).toEqual([true, status]);
        expect(told.body.toString()).toContain(text);
      }
    }
  },
);
