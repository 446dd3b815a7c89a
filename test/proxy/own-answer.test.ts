/** The page for a failure: its status line and what it says, for every kind there is. */
import { expect, test } from 'vitest';
import { ExchangeError, type FailureKind } from '../../src/errors.ts';
import { failurePage } from '../../src/proxy/own-answer.ts';

const PHRASES: Readonly<Record<FailureKind, string>> = {
  badRequest: '400.601 Bad Request',
  tooManyForwards: '400.605 Bad Request',
  clientGone: '400.604 Bad Request',
  noSite: '400 Bad Request',
  noRule: '404 Not Found',
  http11Required: '401 Unauthorized',
  targetNotAllowed: '403 Forbidden',
  clientCertificateRequired: '403.7 Forbidden',
  clientCertificateUntrusted: '403.16 Forbidden',
  methodRefused: '501 Not Implemented',
  targetTooLong: '414 URI Too Long',
  headersTooLarge: '431 Request Header Fields Too Large',
  lengthRequired: '411 Length Required',
  bodyTooLarge: '413 Content Too Large',
  requestTimeout: '408 Request Timeout',
  tooManyPinned: '503 Service Unavailable',
  serverBusy: '503 Service Unavailable',
  queueTimeout: '503 Service Unavailable',
  serverStopped: '502.3 Bad Gateway',
  versionRefused: '505 HTTP Version Not Supported',
  ruleFailed: '500.50 Internal Server Error',
  globalRuleFailed: '500.51 Internal Server Error',
  outboundRuleFailed: '500.52 Internal Server Error',
  internal: '500 Internal Server Error',
  noServer: '502.4 Bad Gateway',
  nameNotResolved: '502.3 Bad Gateway',
  cannotConnect: '502.3 Bad Gateway',
  outOfSockets: '502.3 Bad Gateway',
  serverTimeout: '502.3 Bad Gateway',
  connectionAborted: '502.3 Bad Gateway',
  invalidResponse: '502.3 Bad Gateway',
  secureChannel: '502.3 Bad Gateway',
};

test.each(Object.entries(PHRASES) as [FailureKind, string][])('%s: %s', (kind, shown) => {
  const { status, reason, body } = failurePage(new ExchangeError(kind, 'for the log'), 'id', undefined);
  expect(`${status} ${reason}`).toBe(shown.replace(/\.\d+/, ''));
  expect(body).toContain(`<h1>${shown}</h1>`);
  expect(body).not.toContain('for the log');
});
