/** `lychgate status`: shows farms and servers of the running service. */
import type { ReportedFarm } from '../admin/control.ts';
import { comparedName } from '../host-name.ts';
import { asNear, quoted } from '../nearest.ts';
import { printable } from '../rewrite/print-trace.ts';
import { fitted, terminalOf } from '../terminal.ts';
import { openAdminClient } from './admin-client.ts';
import { type Command, EXIT, UsageError } from './command.ts';
import { usualFolder } from './named-place.ts';
import { meant } from './options.ts';
import { printStatus } from './print-status.ts';
import { tell } from './tell.ts';

export const status: Command = {
  name: 'status',
  usage: '[FARM] [--config DIR] [--json]',
  summary: 'shows farms and servers of the running service; exit code 1 where a farm has no server that takes requests',
  options: { config: { type: 'string' }, json: { type: 'boolean' } },
  optionHelp: {
    '--config DIR': `the folder that the service was started with (${usualFolder})`,
    '--json': 'prints the JSON of the admin API',
  },
  words: {
    title: 'States',
    meanings: {
      Active: 'takes requests while it is healthy',
      Draining: 'only clients that affinity binds to it are sent there',
      Inactive: 'nobody is sent there',
    },
  },
  examples: [
    { does: 'all farms', line: 'status' },
    { does: 'one farm, for a script', line: 'status Lync --json' },
  ],
  async run(input) {
    const [name, more] = input.arguments;
    if (more !== undefined) throw new UsageError(`"${more}" is one word too many`);
    const told = await openAdminClient(input).farms();
    const farms = name === undefined ? told.farms : [farmNamed(name, told.farms)];
    const { out, err } = input.streams;
    for (const notice of told.notices) tell(err, 'lychgate:', printable(notice));
    const down = farms.filter((farm) => farm.enabled && !farm.servers.some(({ takesRequests }) => takesRequests));
    if (input.values.json === true) {
      out.write(`${JSON.stringify({ ...told, farms }, undefined, 2)}\n`);
    } else {
      const lines = farms.length === 0 ? ['The service has no web farm.'] : printStatus(farms, terminalOf(out));
      const warnings = down.map((farm) => `No server of ${printable(farm.name)} takes requests of new clients.`);
      out.write(`${[...lines, ...fitted(warnings, terminalOf(out))].join('\n')}\n`);
    }
    return down.length > 0 ? EXIT.no : EXIT.fine;
  },
};

/** @throws UsageError with the name that may have been meant */
export function farmNamed(name: string, farms: readonly ReportedFarm[]): ReportedFarm {
  const found = farms.find((farm) => comparedName(farm.name) === comparedName(name));
  if (found) return found;
  const names = farms.map((farm) => farm.name);
  throw new UsageError(`the service has no web farm "${printable(name)}". ${adviceOn(name, names)}`);
}

/** What could have been meant in place of a name. */
export function adviceOn(name: string, names: readonly string[]): string {
  const near = meant(name, names);
  if (near !== undefined) return `Did you mean ${printable(quoted(asNear(name, near, names)))}?`;
  return names.length === 0 ? 'There is none at all.' : `There are: ${printable(names.join(', '))}.`;
}
