/** Lync and Office Web Apps published in the style of real files: five farms, SSL and plain rules, sixteen minutes. */
import { onTestFinished } from 'vitest';
import { type FrontEndOptions, startFrontEnd } from '../../src/demo/front-end.ts';
import { startOfficeWebApps } from '../../src/demo/office-web-apps.ts';
import type { StandIn } from '../../src/demo/stand-in.ts';
import {
  applicationHost,
  certificateFor,
  type FolderContents,
  farmRules,
  type Published,
  startProxy,
  webFarm,
} from './environment.ts';
import { freePort } from './ports.ts';

export const LYNC_NAMES = ['webext.contoso.com', 'meet.contoso.com', 'dialin.contoso.com', 'lyncdiscover.contoso.com'];
export const OFFICE = 'officewebapps.contoso.com';
const NAMES = [...LYNC_NAMES, OFFICE];

export interface Lync {
  readonly proxy: Published;
  readonly httpsPort: number;
  readonly httpPort: number;
  readonly frontEnd: StandIn;
  readonly office: StandIn;
  readonly ca: string;
}

export interface LyncOptions {
  readonly protocol?: string;
  readonly settings?: FolderContents['settings'];
  readonly frontEnd?: Partial<FrontEndOptions>;
  readonly rules?: string;
}

/** Each name has a certificate of its own, so that the choice by SNI shows. Everything ends with the test. */
export async function publishLync(options: LyncOptions = {}): Promise<Lync> {
  const frontEnd = await startFrontEnd({
    httpPort: 0,
    httpsPort: 0,
    certificate: certificateFor('pool01.contoso.local', ...LYNC_NAMES),
    ...options.frontEnd,
  });
  onTestFinished(() => frontEnd.close());
  const office = await startOfficeWebApps({
    httpsPort: 0,
    certificate: certificateFor('owas01.contoso.local', OFFICE),
  });
  onTestFinished(() => office.close());
  const contents = await lyncFolder(frontEnd, office, options);
  const proxy = await startProxy(contents.folder);
  const { authority } = await import('./environment.ts');
  return { proxy, ...contents.ports, frontEnd, office, ca: authority.certPem };
}

/** The folder alone, for a service that is started as a process. */
export async function lyncFolder(frontEnd: StandIn, office: StandIn, { protocol, settings, rules }: LyncOptions = {}) {
  const httpsPort = await freePort();
  const httpPort = await freePort();
  const inner = { httpPort: frontEnd.httpPort, httpsPort: frontEnd.httpsPort };
  const farm = (name: string) =>
    webFarm(name, {
      servers: [
        name === OFFICE
          ? { address: 'owas01.contoso.local', httpsPort: office.httpsPort }
          : { address: 'pool01.contoso.local', ...inner },
      ],
      ...(protocol === undefined ? {} : { protocol }),
    });
  const folder: FolderContents = {
    iis: applicationHost({
      bindings: NAMES.flatMap((name) => [`https *:${httpsPort}:${name}`, `http *:${httpPort}:${name}`]),
      farms: NAMES.map(farm).join('\n'),
      rules: (rules ?? '') + NAMES.map((name) => farmRules(name, `${name.split('.')[0]}.*`)).join(''),
    }),
    settings: { hosts: { 'pool01.contoso.local': '127.0.0.1', 'owas01.contoso.local': '127.0.0.1' }, ...settings },
    certificates: Object.fromEntries(NAMES.map((name) => [name, [name]])),
  };
  return { folder, ports: { httpsPort, httpPort } };
}
