import { expect, test } from 'vitest';
import { md4 } from '../../src/demo/md4.ts';
import { challengeMessage, provesPassword, readMessage } from '../../src/demo/ntlm-messages.ts';

test.each([
  ['', '31d6cfe0d16ae931b73c59d7e0c089c0'],
  ['a', 'bde52cb31de33e46245e05fbdbd6fb24'],
  ['message digest', 'd9130a8164549fe818874806e1c7014b'],
  [
    '12345678901234567890123456789012345678901234567890123456789012345678901234567890',
    'e33b4ddc9c38f2199c3e7b164fcc0536',
  ],
])('MD4 of %j is as in RFC 1320', (text, digest) => {
  expect(md4(Buffer.from(text)).toString('hex')).toBe(digest);
});

test.each([55, 56, 63, 64, 65, 119, 120])('MD4 takes %i bytes', (length) => {
  expect(md4(Buffer.alloc(length)).length).toBe(16);
});

/** The worked example of MS-NLMP 4.2.4. */
const challenge = Buffer.from('0123456789abcdef', 'hex');
const example = {
  domain: 'Domain',
  user: 'User',
  ntResponse: Buffer.from(
    [
      '68cd0ab851e51c96aabc927bebef6a1c',
      '01010000000000000000000000000000aaaaaaaaaaaaaaaa00000000',
      '02000c0044006f006d00610069006e0001000c005300650072007600650072000000000000000000',
    ].join(''),
    'hex',
  ),
};

test('the NTLMv2 answer of the specification proves the password', () => {
  expect(provesPassword(example, 'Password', challenge)).toBe(true);
});

test.each([
  ['another password', example, 'password', challenge],
  ['another user', { ...example, user: 'Usher' }, 'Password', challenge],
  ['another challenge', example, 'Password', Buffer.alloc(8)],
  ['an NTLMv1 answer', { ...example, ntResponse: example.ntResponse.subarray(0, 24) }, 'Password', challenge],
  ['no answer', { ...example, ntResponse: Buffer.alloc(0) }, 'Password', challenge],
])('%s proves nothing', (_, login, password, against) => {
  expect(provesPassword(login, password, against)).toBe(false);
});

test('a challenge carries the eight bytes, the flags and the target info', () => {
  const target = { domain: 'CONTOSO', computer: 'FE01', dnsDomain: 'contoso.local', dnsComputer: 'fe01.contoso.local' };
  const message = challengeMessage(challenge, target, new Date(0));
  expect(message.subarray(0, 12).toString('hex')).toBe('4e544c4d5353500002000000');
  expect(message.subarray(24, 32)).toEqual(challenge);
  expect(message.readUInt32LE(20)).toBe(0xa2898205);
  expect(message.subarray(56, 70).toString('utf16le')).toBe('CONTOSO');
  const info = message.subarray(message.readUInt32LE(44));
  expect(info.length).toBe(message.readUInt16LE(40));
  expect(info.subarray(-4)).toEqual(Buffer.alloc(4));
  expect(info.subarray(-12, -4).readBigUInt64LE()).toBe(116_444_736_000_000_000n);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['another protocol', Buffer.from('a082...not ntlm at all')],
  ['type 2', Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([2, 0, 0, 0])])],
  ['a short type 3', Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([3, 0, 0, 0])])],
  [
    'fields outside the message',
    Buffer.concat([Buffer.from('NTLMSSP\0'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(60, 255)]),
  ],
])('%s is no message of a client', (_, token) => {
  expect(readMessage(token)).toBeUndefined();
});
