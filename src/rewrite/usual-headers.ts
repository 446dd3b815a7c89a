/** Headers that rules usually look at, and which of them a misspelt server variable was most likely meant to be. */
import { editDistance, nearest } from '../nearest.ts';

/** Of requests, as server variables write them, without `HTTP_`. Those that are alike must both stand here. */
const OF_REQUESTS: readonly string[] = `
  HOST USER_AGENT COOKIE REFERER ORIGIN ACCEPT ACCEPT_CHARSET ACCEPT_ENCODING ACCEPT_LANGUAGE AUTHORIZATION
  CONNECTION UPGRADE CONTENT_TYPE CONTENT_LENGTH CONTENT_ENCODING TRANSFER_ENCODING CACHE_CONTROL PRAGMA EXPECT
  RANGE IF_MATCH IF_NONE_MATCH IF_MODIFIED_SINCE IF_UNMODIFIED_SINCE IF_RANGE VIA FORWARDED DATE FROM
  X_FORWARDED_FOR X_FORWARDED_PROTO X_FORWARDED_PROTOCOL X_FORWARDED_HOST X_FORWARDED_PORT X_FORWARDED_SSL
  X_FORWARDED_SERVER X_FORWARDED_PREFIX X_FORWARDED_PATH X_FORWARDED_SCHEME X_REAL_IP X_CLIENT_IP X_ORIGINAL_URL
  X_ORIGINAL_URI X_ORIGINAL_HOST X_REQUESTED_WITH X_REQUEST_ID X_HTTP_METHOD X_ARR_SSL X_ARR_LOG_ID
  X_ARR_CLIENTCERT DEPTH DESTINATION OVERWRITE TRANSLATE SOAPACTION FRONT_END_HTTPS DNT TE URL METHOD VERSION
  SEC_FETCH_SITE SEC_FETCH_MODE SEC_FETCH_DEST SEC_FETCH_USER SEC_WEBSOCKET_KEY SEC_WEBSOCKET_PROTOCOL
`
  .trim()
  .split(/\s+/);

/** Of answers, without `RESPONSE_`. */
const OF_ANSWERS: readonly string[] = `
  STATUS LOCATION CONTENT_LOCATION CONTENT_TYPE CONTENT_LENGTH CONTENT_ENCODING CONTENT_DISPOSITION
  CONTENT_SECURITY_POLICY SET_COOKIE SERVER X_POWERED_BY X_ASPNET_VERSION X_ASPNETMVC_VERSION X_FRAME_OPTIONS
  X_CONTENT_TYPE_OPTIONS X_XSS_PROTECTION STRICT_TRANSPORT_SECURITY REFERRER_POLICY PERMISSIONS_POLICY
  ACCESS_CONTROL_ALLOW_ORIGIN ACCESS_CONTROL_ALLOW_HEADERS ACCESS_CONTROL_ALLOW_METHODS
  ACCESS_CONTROL_ALLOW_CREDENTIALS ACCESS_CONTROL_EXPOSE_HEADERS ACCESS_CONTROL_MAX_AGE WWW_AUTHENTICATE
  CACHE_CONTROL EXPIRES PRAGMA ETAG LAST_MODIFIED VARY VIA DATE AGE LINK REFRESH
`
  .trim()
  .split(/\s+/);

/** A shorter name is as near to one of a private header. */
const SHORTEST = 4;

/**
 * The variable of the header that is nearest to that of `name`, where it is nearly the same.
 * @param name upper case
 * @param outbound the variables of answers exist too
 */
export function headerVariableMeant(name: string, outbound: boolean): string | undefined {
  if (name.startsWith('HTTP_')) return meantAmong(name, 'HTTP_', OF_REQUESTS);
  return outbound && name.startsWith('RESPONSE_') ? meantAmong(name, 'RESPONSE_', OF_ANSWERS) : undefined;
}

function meantAmong(name: string, prefix: string, usual: readonly string[]): string | undefined {
  const header = name.slice(prefix.length).replaceAll('-', '_');
  if (header.length < SHORTEST || usual.includes(header)) return undefined;
  const near = nearest(header, usual);
  if (near === undefined) return undefined;
  return editDistance(header, near) <= (header.length < 2 * SHORTEST ? 1 : 2) ? `${prefix}${near}` : undefined;
}
