/** `addresses` of settings.json beside the bindings: what they leave open, what they add for nothing, and what falls together. */
import type { Report } from '../config/diagnostic.ts';
import type { BindingConfig, Config } from '../config/model.ts';
import { boundListeners } from '../decide/listener-plan.ts';
import { isLoopback, isUnspecified } from '../ip-address.ts';
import type { CertificateData } from '../tls/certificate.ts';
import { checkFallingTogether } from './check-falling-together.ts';

/** Reports LG5014 (error), LG5015 and LG6009 (warnings). Looks at no interface. */
export function checkAddresses(config: Config, certificates: readonly CertificateData[], report: Report): void {
  checkUnused(config, report);
  if (!config.settings.misread?.has('addresses')) checkUnsaid(config, report);
  checkFallingTogether(config, certificates, report);
}

function checkUnused({ sites, settings }: Config, report: Report): void {
  const bound = new Set(boundListeners(sites).map(({ address }) => address));
  const specific = [...bound].filter((address) => address !== '*');
  for (const { binding, nameSpan } of settings.addresses) {
    if (bound.has(binding)) continue;
    report('LG6009', nameSpan, {
      message: `No binding has the address ${binding}, so nothing stands for it.`,
      advice:
        specific.length > 0
          ? `Write an address as the bindings have it (${specific.join(', ')}), or remove the entry.`
          : 'Remove the entry: bindings without an address of their own take every address of the machine.',
    });
  }
}

/** Once for each file. What settings.json itself binds is written for this machine. */
function checkUnsaid({ sites, settings }: Config, report: Report): void {
  const said = new Set(['*', ...settings.addresses.map(({ binding }) => binding)]);
  const unsaid = ({ address, span }: BindingConfig) =>
    !said.has(address) && !isLoopback(address) && !isUnspecified(address) && span.file !== settings.file;
  const open = sites.flatMap(({ bindings }) => bindings.filter(unsaid));
  for (const [, bindings] of Map.groupBy(open, ({ span }) => span.file)) {
    const addresses = [...new Set(bindings.map(({ address }) => address))];
    const [first] = bindings;
    if (first === undefined) continue;
    const [these, more] = addresses.length === 1 ? ['this address', ''] : ['these addresses', ', …'];
    report('LG5015', first.span, {
      message: `Bindings are for ${listed(addresses)}: the machine or container that serves them must have ${these}.`,
      advice: `Say in settings.json what stands for ${these} there: an address, an interface or "*", which is the one for a container: "addresses": { "${first.address}": "eth0"${more} }. Where the machine has the address itself: "${first.address}": "${first.address}".`,
    });
  }
}

function listed(addresses: readonly string[]): string {
  const shown = addresses.slice(0, 5);
  return shown.length < addresses.length
    ? `${shown.join(', ')} and ${addresses.length - shown.length} more`
    : shown.join(', ').replace(/, ([^,]+)$/, ' and $1');
}
