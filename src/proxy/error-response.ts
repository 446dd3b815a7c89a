/** The page a client sees when something failed: what kind of failure and a reference to the log, and nothing more. */
import { reasonPhrase } from '../reason-phrase.ts';

const EXPLANATIONS: Readonly<Record<string, string>> = {
  400: 'The request could not be understood.',
  403: 'The request leads somewhere that is not published here.',
  '403.7': 'This service asks for a certificate, and your program has shown none.',
  '403.16': 'The certificate that your program has shown is not trusted here, or not valid any more.',
  404: 'Nothing is published under this address.',
  408: 'The request did not arrive in time.',
  411: 'The request does not tell the length of its body, which this service needs.',
  413: 'The request is larger than this service takes.',
  414: 'The address is longer than this service takes.',
  431: 'The headers of the request are larger than this service takes.',
  500: 'The service could not handle the request.',
  501: 'This service does not offer the method of the request.',
  502: 'The server behind this service did not give a valid answer.',
  '502.4': 'No server behind this service takes requests now.',
  503: 'The service cannot take the request now.',
  505: 'This service does not speak the version of HTTP that the request names.',
};

/** @param reference the X-ARR-LOG-ID of the exchange, under which the log tells what happened */
export function errorPage(status: number, subStatus: number, reference: string): string {
  const phrase = reasonPhrase(status);
  const code = subStatus === 0 ? String(status) : `${status}.${subStatus}`;
  return `<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><title>${status} ${phrase}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:15vh auto;padding:0 1rem;color:#222}h1{font-size:1.4rem}small{color:#666}</style></head>
<body><h1>${code} ${phrase}</h1><p>${EXPLANATIONS[code] ?? EXPLANATIONS[status] ?? ''}</p><p><small>Reference: ${reference}</small></p></body>
</html>
`;
}
