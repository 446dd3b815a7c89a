/** Farms that balance by a server variable that nothing sets: all their requests would go to one server. */
import type { Report } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import { isKnownVariable, whyEmpty } from '../rewrite/server-variables.ts';

/**
 * Reports LG3124 (warning).
 * @param setSomewhere variables that rules set, in upper case
 */
export function checkHashVariables({ webFarms }: Config, setSomewhere: ReadonlySet<string>, report: Report): void {
  for (const { name, enabled, loadBalancing } of webFarms) {
    if (!enabled || loadBalancing.algorithm !== 'RequestHash') continue;
    const { value, span } = loadBalancing.hashServerVariable;
    if (value === '') continue;
    const empty = whyEmpty(value) !== undefined;
    if ((isKnownVariable(value) && !empty) || setSomewhere.has(value.toUpperCase())) continue;
    report('LG3124', span, {
      message: `${empty ? `The server variable ${value} is empty behind a proxy` : `There is no server variable ${value}`}, and no rule sets it: all requests for web farm "${name.value}" go to one server.`,
      advice: 'Write the name of a server variable, such as HTTP_HOST or REMOTE_ADDR.',
    });
  }
}
