/** Where hosts come in that no binding names. */
import { expect, test } from 'vitest';
import type { BindingConfig } from '../../src/config/model.ts';
import { openEntrances } from '../../src/decide/open-entrances.ts';

/** @param text as in `https 10.0.0.1:443:meet.contoso.com` */
function binding(text: string): BindingConfig {
  const [, protocol, address = '', port, host = ''] = /^(\S+) (.*):(\d+):(.*)$/.exec(text) ?? [];
  const span = { file: 'applicationHost.config', start: 0, end: 1 };
  return { protocol: protocol === 'https' ? 'https' : 'http', address, port: Number(port), host, sslFlags: 0, span };
}

function entrances(sites: Readonly<Record<string, readonly string[]>>) {
  const all = Object.entries(sites).map(([name, its]) => ({ name, bindings: its.map(binding) }));
  return openEntrances({ sites: all, settings: { addresses: [] } });
}

const both = { Lync: ['https 10.0.0.1:443:', 'http 10.0.0.1:80:'], Mail: ['https 10.0.0.2:443:mail.contoso.com'] };

test('a host comes in at all bindings without a host, unless one names it', () => {
  const of = entrances({ ...both, Other: ['https *:444:', 'http *:80:meet.contoso.com'] });
  expect(of('meet.contoso.com', undefined)).toEqual(['10.0.0.1:443', '*:444']);
  expect(of('mail.contoso.com', undefined)).toEqual([]);
  expect(of((host) => host.startsWith('mail.'), undefined)).toEqual([]);
  expect(of((host) => host.startsWith('meet.'), undefined)).toEqual(['10.0.0.1:443', '*:444']);
});

test('a wildcard names what has one label more', () => {
  const of = entrances({ Lync: ['https 10.0.0.1:443:'], Mail: ['https 10.0.0.2:443:*.contoso.com'] });
  expect(of('meet.contoso.com', undefined)).toEqual([]);
  expect(of('a.meet.contoso.com', undefined)).toEqual(['10.0.0.1:443']);
  expect(of((host) => host === 'a.meet.contoso.com', undefined)).toEqual([]);
});

test('rules of a site meet what comes to it', () => {
  const of = entrances(both);
  expect(of('meet.contoso.com', 'Lync')).toEqual(['10.0.0.1:443']);
  expect(of('meet.contoso.com', 'Mail')).toEqual([]);
  // That clients use the other address only is not known.
  expect(of('mail.contoso.com', 'Lync')).toEqual(['10.0.0.1:443']);
  const shared = entrances({ Lync: ['https *:443:'], Mail: ['https *:443:mail.contoso.com'] });
  expect(shared('mail.contoso.com', 'Lync')).toEqual([]);
});
