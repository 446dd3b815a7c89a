import { expect, test } from 'vitest';
import { carriesWindowsLogin, challengesWindowsLogin } from '../../src/proxy/windows-authentication.ts';

test.each([
  ['NTLM TlRMTVNTUAAB', true],
  ['ntlm TlRMTVNTUAAB', true],
  ['Negotiate YII', true],
  ['NEGOTIATE', true],
  ['TlRMTVNTUAADAAAA', true],
  ['Basic Zm9v', false],
  ['Bearer NTLM', false],
  ['NTLMx y', false],
])('Authorization: %s is a login: %s', (value, expected) => {
  expect(carriesWindowsLogin(['aUTHORIZATION', value])).toBe(expected);
  expect(carriesWindowsLogin(['X-Authorization', value])).toBe(false);
});

test.each([
  [401, 'NTLM', true],
  [401, 'Negotiate oYG', true],
  [401, 'Basic realm="x", NTLM', true],
  [401, 'Bearer realm="a", Negotiate', true],
  [401, 'Basic realm="NTLM"', false],
  [200, 'NTLM', false],
])('%i with WWW-Authenticate: %s is a challenge: %s', (status, value, expected) => {
  expect(challengesWindowsLogin(status, ['X', 'y', 'WWW-Authenticate', value])).toBe(expected);
});

test('any of several challenge lines counts', () => {
  expect(challengesWindowsLogin(401, ['WWW-Authenticate', 'Basic', 'www-authenticate', 'NTLM'])).toBe(true);
});
