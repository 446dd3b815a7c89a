/** Reads `addresses` of settings.json: which address of this machine stands for one of the bindings'. */
import { parseAddress } from './network-address.ts';
import type { Setting } from './settings-check.ts';
import type { AddressSetting } from './settings-model.ts';

export function addressesOf(setting: Setting | undefined): readonly AddressSetting[] {
  return [...(setting?.keys ?? [])].flatMap(([name, { value, span, nameSpan }]) => {
    const binding = parseAddress(name);
    // That it is no address has been told.
    if (binding === undefined) return [];
    const written = String(value);
    const place = written === '*' ? written : parseAddress(written);
    const known = place === undefined ? { places: [], interface: written } : { places: [place] };
    return [{ binding, ...known, span, nameSpan }];
  });
}
