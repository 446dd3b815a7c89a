/** Puts the addresses that interfaces have now into `addresses` of settings.json: at the start, as `validate` looks at nothing. */
import { isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import type { AddressSetting } from '../config/settings-model.ts';
import { addressesOn, describeMachine } from '../listener/machine-addresses.ts';
import type { CertificateData } from '../tls/certificate.ts';
import { checkFallingTogether } from './check-falling-together.ts';

/** Reports LG6010, and LG5014 where bindings fall together only now. */
export function findAddresses(
  config: Config,
  certificates: readonly CertificateData[],
  report: Report,
  interfaces = networkInterfaces(),
): Config {
  const used = new Set(config.sites.flatMap(({ bindings }) => bindings.map(({ address }) => address)));
  const named = config.settings.addresses.filter(
    ({ interface: name, binding }) => name !== undefined && used.has(binding),
  );
  if (named.length === 0) return config;
  const find = (setting: AddressSetting): AddressSetting => {
    const { binding, interface: name, span } = setting;
    if (name === undefined || !used.has(binding)) return setting;
    const family = isIP(binding) === 6 ? 6 : 4;
    const places = addressesOn(name, family, interfaces);
    if (places && places.length > 0) return { ...setting, places };
    report('LG6010', span, {
      message: places
        ? `The interface ${name} has no address of IPv${family}, as ${binding} is one.`
        : `This machine has no interface "${name}".`,
      advice: `Write an interface or an address that it has: ${describeMachine(interfaces)}. Or * for all of them.`,
    });
    return setting;
  };
  const found = { ...config, settings: { ...config.settings, addresses: config.settings.addresses.map(find) } };
  checkFallingTogether(found, certificates, report);
  return found;
}
