/** What can be wrong with web farms that ARR loads all the same: no server to give, keys that cannot be read, servers chosen in a way that cannot work. */
import type { Report } from '../config/diagnostic.ts';
import type { WebFarmConfig } from '../config/farm-model.ts';
import { readPublicKey } from '../connect/public-keys.ts';
import { checkBalancing } from './check-balancing.ts';

/**
 * Reports LG3110 (error: such a farm can never answer), LG3111 (warning: somebody may switch a server on again), LG3023 and
 * LG3024 of its public keys, and what `checkBalancing` does.
 */
export function checkFarms(farms: readonly WebFarmConfig[], report: Report): void {
  for (const farm of farms) {
    checkPublicKeys(farm, report);
    const { name, enabled, servers, faulty } = farm;
    if (enabled) checkBalancing(farm, report);
    if (servers.length === 0) {
      if (faulty) continue;
      report('LG3110', name.span, {
        message: `Web farm "${name.value}" has no server, so every request to it would be answered 502.4.`,
        advice:
          'Add <server address="…" enabled="true" /> with the name or address of the inner server, or remove the farm.',
      });
    } else if (enabled && servers.every((server) => !server.enabled)) {
      report('LG3111', name.span, {
        message: `Every server of web farm "${name.value}" is switched off, so every request to it would be answered 502.4.`,
        advice: 'Write enabled="true" at one of its servers.',
      });
    }
  }
}

function checkPublicKeys({ name, publicKeys }: WebFarmConfig, report: Report): void {
  let unread = false;
  for (const key of publicKeys) {
    const read = readPublicKey(key);
    if (typeof read !== 'string') continue;
    unread = true;
    report('LG3023', key.bytes.span, {
      message: `${read}.`,
      advice: 'Write the public key of the certificate in hexadecimal or base64, with or without its algorithm.',
    });
  }
  const [first] = publicKeys;
  if (first === undefined || unread) return;
  report('LG3024', first.bytes.span, {
    message: `Over https a server of web farm "${name.value}" must have one of these keys; what ARR makes of publicKeys is not documented.`,
    advice: 'When a certificate gets a new key, list that as well before it comes into use.',
  });
}
