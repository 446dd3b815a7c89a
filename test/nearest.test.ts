/** Which name a mistyped one was most likely meant to be. */
import { expect, test } from 'vitest';
import { didYouMean, nearest } from '../src/nearest.ts';

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
  // The beginning of one only, where it is long enough to tell.
  ['form', 'format'],
  ['for', undefined],
])('%s: %s', (name, found) => {
  expect(nearest(name, ['format', 'help', 'json'])).toBe(found);
});

test.each([
  ['adress', 'addresses'],
  ['certificat', 'certificates'],
  ['clientCert', 'clientCertificates'],
  ['cleintCert', 'clientCertificates'],
  // Too short to tell, or the beginning of nothing.
  ['adres', undefined],
  ['adverse', undefined],
])('the beginning of one only, misspelt: %s', (name, found) => {
  expect(nearest(name, ['addresses', 'certificates', 'clientCertificates', 'workers'])).toBe(found);
});

test('the beginning of several names is none of them', () => {
  expect(nearest('bindingInfo', ['bindingInformation', 'protocol'])).toBe('bindingInformation');
  expect(nearest('binding', ['bindingInformation', 'bindingProtocols'])).toBeUndefined();
});

test('of several that are as near all are told', () => {
  expect(didYouMean('fe03', ['fe01', 'fe02', 'edge'])).toBe('Did you mean "fe01" or "fe02"? ');
  expect(didYouMean('fe02', ['FE02', 'fe01'])).toBe('Did you mean "FE02"? ');
});
