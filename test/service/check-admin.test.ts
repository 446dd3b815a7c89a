/** The admin listener in settings.json: its token, and an address that others reach. */
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { unmark, writeFiles } from '../config/written.ts';
import { marked } from './processes.ts';

const TOKEN = '0123456789abcdef';
const settingsWith = (admin: string) =>
  `{ "iis": [], "certificates": [], "bindings": [{ "protocol": "http" }], "admin": ${admin} }`;

/** The findings, each with the place that it names, and the token. */
function check(admin: string, token?: string | Uint8Array, mode = 0o600) {
  const { text, places } = unmark(settingsWith(admin));
  const folder = writeFiles({ 'settings.json': text, ...(token !== undefined && { token }) });
  if (token !== undefined) chmodSync(join(folder, 'token'), mode);
  const { diagnostics, adminToken } = checkConfig(folder);
  const found = diagnostics.filter(({ code }) => code.startsWith('LG603'));
  for (const { span } of found) expect([[span.start, span.end]]).toEqual(places);
  return { codes: found.map(({ code }) => code), messages: found.map(({ message }) => message), adminToken };
}

describe('the token', () => {
  it.each([
    [TOKEN, TOKEN],
    [`${TOKEN}\n`, TOKEN],
    [`  ${TOKEN}+/=~!\r\n\n`, `${TOKEN}+/=~!`],
  ])('%j is %s', (text, token) => {
    expect(check('{ "tokenFile": "token" }', text)).toEqual({ codes: [], messages: [], adminToken: token });
  });

  it.each([
    ['', 'it has less than 16 characters'],
    [TOKEN.slice(1), 'it has less than 16 characters'],
    [`\n\n${' '.repeat(40)}\n`, 'it has less than 16 characters'],
    [`${TOKEN} ${TOKEN}`, 'it has more in it than one word of ASCII characters'],
    [`${TOKEN}\n${TOKEN}\n`, 'it has more in it than one word of ASCII characters'],
    [`${TOKEN}ü`, 'it has more in it than one word of ASCII characters'],
    [new Uint8Array(64), 'it has more in it than one word of ASCII characters'],
    ['x'.repeat(5000), 'it has more than 4096 bytes'],
  ])('%j cannot be used: LG6031', (text, why) => {
    const { codes, messages, adminToken } = check('{ "tokenFile": «"token"» }', text);
    expect([codes, adminToken]).toEqual([['LG6031'], undefined]);
    expect(messages[0]).toMatch(new RegExp(`/token holds no token: ${why}\\.$`));
  });

  it('that is not there, or is a folder: LG6030', () => {
    expect(check('{ "tokenFile": «"none"» }').messages).toEqual([expect.stringMatching(/none cannot be read: it does not exist\.$/)]); // biome-ignore format: one line
    expect(check('{ "tokenFile": «"."» }').codes).toEqual(['LG6030']);
  });

  it.each([
    [0o600, []],
    [0o640, []],
    [0o604, ['LG6032']],
    [0o644, ['LG6032']],
    [0o602, ['LG6032']],
  ])('of mode %o: %j', (mode, codes) => {
    const told = check(codes.length > 0 ? '{ "tokenFile": «"token"» }' : '{ "tokenFile": "token" }', TOKEN, mode);
    expect([told.codes, told.adminToken]).toEqual([codes, TOKEN]);
  });

  it('keeps the service from starting where it cannot be used', async () => {
    const folder = writeFiles({ 'settings.json': settingsWith('{ "tokenFile": "token" }'), token: 'short' });
    const service = marked(['run', '--config', folder]);
    expect(await service.exit()).toBe(1);
    expect(service.stderr()).toContain('error LG6031 ');
  });
});

describe('the address', () => {
  it.each(['127.0.0.1:9443', '127.1.2.3:80', '[::1]:9443', 'localhost:9443'])('%s needs no token', (address) => {
    expect(check(`{ "address": "${address}" }`).codes).toEqual([]);
  });

  it.each(['0.0.0.0:9443', '*:9443', '[::]:9443', '10.0.0.9:9443', '[2001:db8::1]:9443'])(
    '%s does: LG6033',
    (address) => {
      expect(check(`{ "address": «"${address}"» }`).codes).toEqual(['LG6033']);
      expect(check(`{ "address": "${address}", "tokenFile": "token" }`, TOKEN).codes).toEqual([]);
    },
  );

  it('may be none', () => {
    expect(check('false').codes).toEqual([]);
    expect(check('{ "address": false, "tokenFile": "none" }').codes).toEqual([]);
  });
});
