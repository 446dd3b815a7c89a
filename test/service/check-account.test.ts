import { expect, test } from 'vitest';
import { type Diagnostic, reportInto } from '../../src/config/diagnostic.ts';
import { checkAccount } from '../../src/service/check-account.ts';

const MACHINE = '         0          0 4294967295\n';

test.each([
  ['root', 0, MACHINE, true],
  ['root where /proc says nothing', 0, '', true],
  ['root of a rootless container', 0, '         0       1000          1\n         1     100000      65536\n', false],
  ['root of a user namespace with all accounts moved', 0, '         0     100000      65536\n', false],
  ['an account of its own', 1000, MACHINE, false],
  ['no such accounts (Windows)', undefined, '', false],
])('%s', (_who, uid, uidMap, warned) => {
  const diagnostics: Diagnostic[] = [];
  checkAccount({ file: '/config/settings.json' }, reportInto(diagnostics), { uid, uidMap });
  expect(diagnostics.map(({ code, severity }) => `${code} ${severity}`)).toEqual(warned ? ['LG6034 warning'] : []);
});
