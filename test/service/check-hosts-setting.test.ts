/** Names in `hosts` that are nearly those of servers: told, where the server itself has no address there. */
import { expect, test } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

function told(hosts: Record<string, string>, servers: readonly string[]): readonly string[] {
  const farm = servers.map((address) => `<server address="${address}" />`).join('');
  const folder = writeFiles({
    'settings.json': JSON.stringify({ hosts }),
    'applicationHost.config': `<configuration><webFarms><webFarm name="f">${farm}</webFarm></webFarms></configuration>`,
  });
  const { diagnostics } = checkConfig(folder);
  return diagnostics.filter(({ code }) => code === 'LG6012').map(({ advice }) => advice);
}

const meant = 'Did you mean "ex02.a.local"? Write the same name here and in the farm.';

test.each([
  ['another ending', { 'ex02.a.lokal': '10.0.0.2' }, ['ex02.a.local'], [meant]],
  ['letters that changed places', { 'xe02.a.local': '10.0.0.2' }, ['ex02.a.local'], [meant]],
  ['an address', { '10.0.0.2': '10.0.0.2' }, ['ex02.a.local'], ['Write "NAME": "10.0.0.2".']],
  ['both servers are there', { 'ex01.a.local': '10.0.0.1', 'ex02.a.local': '10.0.0.2' }, ['ex01.a.local', 'EX02.a.local'], []], // biome-ignore format: one line
  ['one of a row that is switched to DNS', { 'ex01.a.local': '10.0.0.1' }, ['ex01.a.local', 'ex02.a.local'], []],
  ['near to two', { 'ex03.a.local': '10.0.0.1' }, ['ex01.a.local', 'ex02.a.local'], []],
  ['another name', { 'sql.a.local': '10.0.0.1' }, ['ex02.a.local'], []],
])('%s', (_, hosts: Record<string, string>, servers, expected) => {
  expect(told(hosts, servers)).toEqual(expected);
});
