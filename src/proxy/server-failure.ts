/** What went wrong with a server, in the words of arr.md section 8: 502.3 with the WinHTTP code an ARR log would show. */
import { codeOf, ExchangeError, type FailureKind } from '../errors.ts';
import { isTooLong, MessageFault } from '../http1/message-fault.ts';

const KINDS: Readonly<Record<string, FailureKind>> = {
  ECONNREFUSED: 'cannotConnect',
  EHOSTUNREACH: 'cannotConnect',
  ENETUNREACH: 'cannotConnect',
  EACCES: 'cannotConnect',
  // A link-local address without a scope.
  EINVAL: 'cannotConnect',
  ETIMEDOUT: 'serverTimeout',
  LYCHGATE_CERTIFICATE_REFUSED: 'secureChannel',
  ERR_TLS_CERT_ALTNAME_INVALID: 'secureChannel',
};

/** Codes of OpenSSL and of Node's certificate checks all begin with one of these. */
const TLS_CODE =
  /^(ERR_SSL|ERR_TLS|ERR_OSSL|CERT_|UNABLE_|SELF_SIGNED|DEPTH_ZERO|INVALID_(CA|PURPOSE)|PATH_LENGTH_|EPROTO|CRL_|ERROR_IN_CERT|HOSTNAME_MISMATCH)/;

/** @param server address and port, for the log */
export function serverFailure(error: unknown, server: string): ExchangeError {
  if (error instanceof ExchangeError) return error;
  const code = codeOf(error) || codeOf(error instanceof Error ? error.cause : undefined);
  const text = error instanceof Error ? error.message : String(error);
  const fault = error instanceof MessageFault;
  return new ExchangeError(
    fault ? 'invalidResponse' : kindOf(code),
    `${server}: ${text}${code && !text.includes(code) ? ` (${code})` : ''}`,
    error,
  ).by(fault && isTooLong(error) ? 'maxResponseHeaderSize' : undefined);
}

function kindOf(code: string): FailureKind {
  const known = KINDS[code];
  if (known !== undefined) return known;
  return TLS_CODE.test(code) ? 'secureChannel' : 'connectionAborted';
}
