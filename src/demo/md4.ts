/** MD4 (RFC 1320), which NTLM is built on and which OpenSSL 3 no longer offers. For the stand-in's logins, nothing else. */

const SHIFTS = [
  [3, 7, 11, 19],
  [3, 5, 9, 13],
  [3, 9, 11, 15],
] as const;
const ADDENDS = [0, 0x5a827999, 0x6ed9eba1] as const;
const WORDS = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15],
  [0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15],
] as const;
const MIX = [
  (x: number, y: number, z: number) => (x & y) | (~x & z),
  (x: number, y: number, z: number) => (x & y) | (x & z) | (y & z),
  (x: number, y: number, z: number) => x ^ y ^ z,
] as const;

type State = readonly [number, number, number, number];

/** The MD4 digest of `message`, 16 bytes. */
export function md4(message: Buffer): Buffer {
  const padded = pad(message);
  let state: State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let block = 0; block < padded.length; block += 64) {
    state = absorb(state, padded, block);
  }
  const digest = Buffer.alloc(16);
  for (const [i, word] of state.entries()) {
    digest.writeUInt32LE(word >>> 0, i * 4);
  }
  return digest;
}

function pad(message: Buffer): Buffer {
  const padded = Buffer.alloc((((message.length + 8) >> 6) + 1) * 64);
  message.copy(padded);
  padded[message.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(message.length) * 8n, padded.length - 8);
  return padded;
}

function absorb(state: State, padded: Buffer, block: number): State {
  let [a, b, c, d] = state;
  for (const round of [0, 1, 2] as const) {
    for (const [i, word] of WORDS[round].entries()) {
      const sum = (a + MIX[round](b, c, d) + padded.readUInt32LE(block + word * 4) + ADDENDS[round]) | 0;
      const shift = SHIFTS[round][(i % 4) as 0 | 1 | 2 | 3];
      // The four registers change places after each step, as in the RFC's [ABCD] [DABC] [CDAB] [BCDA].
      [a, b, c, d] = [d, (sum << shift) | (sum >>> (32 - shift)), b, c];
    }
  }
  return [(state[0] + a) | 0, (state[1] + b) | 0, (state[2] + c) | 0, (state[3] + d) | 0];
}
