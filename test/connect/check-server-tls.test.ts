/** What settings.json says of the TLS with servers, and how `validate` takes it. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { unmark, writeFiles } from '../config/written.ts';

const FARM =
  '<configuration><webFarms><webFarm name="fe"><server address="10.0.0.1" /></webFarm></webFarms></configuration>';

/** Code, and where it is told. */
function findings(marked: string) {
  const { text, places } = unmark(
    `{ "certificates": [], "bindings": [{ "protocol": "http" }], "farms": { "fe": { ${marked} } } }`,
  );
  const folder = writeFiles({ 'applicationHost.config': FARM, 'settings.json': text });
  const { config, diagnostics } = checkConfig(join(folder));
  const told = diagnostics.filter(({ code }) => code !== 'LG2303');
  return {
    config,
    codes: told.map(({ code }) => code),
    places: told.map(({ span }) => [span.start, span.end]),
    marked: places,
  };
}

test.each<[string, string[]]>([
  ['"minVersion": «"TLSv1"»', ['LG4037']],
  ['"minVersion": «"TLSv1.1"»', ['LG4037']],
  ['"minVersion": "TLSv1.2"', []],
  ['"minVersion": "TLSv1.3"', []],
  ['"minVersion": «"SSLv3"»', ['LG6004']],
  ['"ciphers": "AES256-SHA:DEFAULT:@SECLEVEL=0"', []],
  ['"ciphers": «"RC4-SHA"»', ['LG4030']],
  ['"ciphers": «"DES-CBC3-SHA"»', ['LG4030']],
  ['"ciphers": «""»', ['LG6004']],
  ['"minVersion": «"TLSv1"», "ciphers": «"NO-SUCH-CIPHER"»', ['LG4037', 'LG4030']],
  ['"allowPartialTrustChain": true', []],
  ['"allowPartialTrustChain": «"yes"»', ['LG6003']],
])('%s', (marked, expected) => {
  const { codes, places, marked: wanted } = findings(marked);
  expect([codes, places]).toEqual([expected, wanted]);
});

test('OpenSSL’s level is told once, at the version that lowers it', () => {
  expect(findings('"minVersion": «"TLSv1"», "verify": "chain", "ciphers": "AES128-SHA"').codes).toEqual(['LG4037']);
});
