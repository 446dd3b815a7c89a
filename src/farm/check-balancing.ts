/** What can be wrong with how a farm chooses servers: affinity, and what RequestHash goes by. */
import type { Report } from '../config/diagnostic.ts';
import type { AffinityConfig, LoadBalancingConfig, WebFarmConfig } from '../config/farm-model.ts';

/** Reports LG3121 (error), LG3122, LG3123 and LG3125 (warnings). */
export function checkBalancing({ affinity, loadBalancing }: WebFarmConfig, report: Report): void {
  checkCookieName(affinity, report);
  checkProvider(affinity, report);
  checkWithoutEffect(affinity, report);
  checkHashInputs(loadBalancing, report);
}

/** RFC 9110 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/i;

function checkCookieName({ useCookie, cookieName }: AffinityConfig, report: Report): void {
  if (!useCookie || TOKEN.test(cookieName.value)) return;
  report('LG3121', cookieName.span, {
    message: `${JSON.stringify(cookieName.value)} is no name of a cookie: browsers would drop the cookie, or cut it at another place.`,
    advice: "Use letters, digits and !#$%&'*+-.^_`|~ (RFC 6265 4.1.1).",
  });
}

const ROUND_ROBIN = 'Microsoft.Web.Arr.HostNameRoundRobin';
const MEMORY = 'Microsoft.Web.Arr.HostNameMemory';

function checkProvider({ useHostName, hostAffinityProvider: { value, span } }: AffinityConfig, report: Report): void {
  if (!useHostName || value.toLowerCase() === ROUND_ROBIN.toLowerCase()) return;
  const why =
    value.toLowerCase() === MEMORY.toLowerCase()
      ? 'asks the servers by WMI how much memory they have left, which only Windows can'
      : 'is a program for Windows';
  report('LG3122', span, {
    message: `The provider ${value} ${why}: hosts get their servers by turns in its place.`,
    advice: `Write ${ROUND_ROBIN}.`,
  });
}

function checkWithoutEffect(
  { span, useServerProvider, useHostName, useExternalCache }: AffinityConfig,
  report: Report,
) {
  if (useServerProvider) {
    report('LG3123', span, {
      message:
        'useServerProvider has no effect: serverProviderImage is a library for Windows that tells the server of a request.',
      advice: 'Remove it, and let rules or host names lead to farms of their own.',
    });
  }
  if (useHostName && useExternalCache) {
    report('LG3123', span, {
      message:
        'useExternalCache has no effect: each node gives the servers to hosts by itself, so that a host may have other servers on another node.',
      advice:
        'Remove it. Where all nodes must send a host to the same server, use <loadBalancing algorithm="RequestHash" hashServerVariable="HTTP_HOST" /> in place of useHostName.',
    });
  }
}

function checkHashInputs({ algorithm, hashServerVariable, queryStringNames }: LoadBalancingConfig, report: Report) {
  if (algorithm !== 'RequestHash' || hashServerVariable.value === '' || queryStringNames.value === '') return;
  report('LG3125', queryStringNames.span, {
    message: `queryStringNames has no effect beside hashServerVariable="${hashServerVariable.value}".`,
    advice: 'Remove one of the two.',
  });
}
