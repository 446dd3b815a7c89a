/** Which name a mistyped one was most likely meant to be. */
import { expect, test } from 'vitest';
import { nearest } from '../src/nearest.ts';

test.each([
  ['josn', 'json'],
  ['hepl', 'help'],
  ['fromat', 'format'],
  ['FORMAT', 'format'],
  ['jso', 'json'],
  ['jsoon', 'json'],
  ['jsin', 'json'],
  ['nojs', undefined],
  ['xml', undefined],
])('%s: %s', (name, found) => {
  expect(nearest(name, ['format', 'help', 'json'])).toBe(found);
});
