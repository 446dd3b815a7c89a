import { expect, test } from 'vitest';
import { forms } from '../../src/config/settings-table.ts';
import { readStatusCodes } from '../../src/farm/status-codes.ts';
import { fc } from '../properties.ts';
import { runs } from '../random.ts';

test.each([
  ['200-399', [200, 399], [199, 400]],
  ['500-', [500, 999], [499, 200]],
  ['200,301-302, 404 , 500 - 502', [200, 301, 302, 404, 500, 502], [201, 300, 303, 503]],
  ['100-999', [100, 999], []],
  ['999', [999], [998]],
])('%s', (text, inside, outside) => {
  const codes = readStatusCodes(text);
  expect(inside.map((status) => codes?.(status))).toEqual(inside.map(() => true));
  expect(outside.map((status) => codes?.(status))).toEqual(outside.map(() => false));
});

test('what the configuration check takes can be read, and nothing else', () => {
  const part = fc.oneof(fc.integer({ min: 0, max: 1200 }).map(String), fc.constantFrom('-', ',', ' ', 'x', ''));
  fc.assert(
    fc.property(fc.array(part, { maxLength: 7 }), (parts) => {
      const text = parts.join('');
      expect(forms.statusCodes.fits(text)).toBe(readStatusCodes(text) !== undefined);
    }),
    { numRuns: runs(5000) },
  );
});
