import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkConfig } from '../../src/service/check-config.ts';
import { writeFiles } from '../config/written.ts';

const FILES = {
  'config/settings.json': '{ "certificates": [], "bindings": [{ "protocol": "http" }], "iis": ["web.config"] }',
  'config/web.config':
    '<configuration><system.webServer><rewrite><rules><rule name="a"><match url=".*" /><action type="AbortRequest" /></rule></rules></rewrite></system.webServer></configuration>',
};

describe.runIf(process.platform !== 'win32')('by permissions', () => {
  test.each<[what: string, folder: number, file: number, named: string | undefined]>([
    ['owner and group write', 0o775, 0o664, undefined],
    ['all others read', 0o755, 0o644, undefined],
    ['all write the file', 0o755, 0o666, 'web.config'],
    ['all write in the folder', 0o777, 0o644, 'settings.json, web.config'],
    ['all write in the folder, with the sticky bit', 0o1777, 0o644, undefined],
    ['all write the file in a folder with the sticky bit', 0o1777, 0o646, 'web.config'],
  ])('%s', (_, folder, file, named) => {
    const config = join(writeFiles(FILES), 'config');
    chmodSync(join(config, 'settings.json'), 0o644);
    chmodSync(join(config, 'web.config'), file);
    chmodSync(config, folder);
    const told = checkConfig(config).diagnostics.filter(({ code }) => code === 'LG6035');
    const message =
      named && `Every account of this machine can change ${config}/${named}, or put another file in its place.`;
    expect(told.map((each) => [each.severity, each.message])).toEqual(message ? [['warning', message]] : []);
  });
});
