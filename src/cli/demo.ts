/** `lychgate demo`: publishes a stand-in Front End with throw-away certificates, and tells what to try. */
import { rmSync } from 'node:fs';
import { type Demo, prepareDemo } from '../demo/demo.ts';
import { shellLine } from '../demo/demo-plan.ts';
import type { StandIn } from '../demo/stand-in.ts';
import { StartError } from '../errors.ts';
import { shellWord, typed } from '../program-name.ts';
import { endOnSignal, FATAL_SIGNALS } from '../service/shutdown.ts';
import type { Service } from '../service/supervisor.ts';
import { type Command, type CommandInput, EXIT, refuseArguments, textOption, UsageError } from './command.ts';
import { startFrom } from './run.ts';

export const demo: Command = {
  name: 'demo',
  usage: '[--ports N]',
  summary: 'publishes a stand-in Lync Front End on ports 8443 and 8880, and tells what to try',
  options: { ports: { type: 'string' } },
  optionHelp: { '--ports N': 'takes six ports from N on in place of 8443, 8880, 4443, 8080, 4444 and 9444' },
  examples: [
    { does: 'on the usual ports', line: 'demo' },
    { does: 'where one of them is taken', line: 'demo --ports 20000' },
  ],
  async run(input) {
    refuseArguments(input);
    const firstPort = firstPortOf(input);
    // From before there is anything to remove until it is gone: nothing is drained, any signal ends it at once.
    const deaf = endOnSignal(FATAL_SIGNALS);
    const prepared = prepareDemo({ firstPort });
    let service: Service | undefined;
    const clear = () => {
      service?.kill();
      rmSync(prepared.folder, { recursive: true, force: true });
    };
    process.once('exit', clear);
    let servers: readonly StandIn[] = [];
    try {
      servers = await startServers(prepared);
      const started = await startFrom(prepared.configDir, input.streams);
      if (typeof started === 'number') return started === EXIT.fine ? EXIT.failed : started;
      service = started.service;
      input.streams.out.write(introduction(prepared));
      return await new Promise<never>(() => undefined);
    } finally {
      await Promise.all(servers.map((server) => server.close()));
      clear();
      process.off('exit', clear);
      deaf();
    }
  },
};

function firstPortOf(input: CommandInput): number | undefined {
  const text = textOption(input, 'ports');
  const port = Number(text);
  if (text === undefined) return undefined;
  if (Number.isInteger(port) && port >= 1 && port <= 65_530) return port;
  throw new UsageError(`--ports ${text}: a port is wanted, with five more behind it`);
}

async function startServers(prepared: Demo): Promise<readonly StandIn[]> {
  try {
    return await prepared.startServers();
  } catch (error) {
    const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
    if (code !== 'EADDRINUSE') throw new StartError(`the demo's servers cannot start: ${message}`);
    throw new StartError(
      `port ${port} is taken, and the demo's Front End needs it. Stop the program that uses it ("ss -ltnp sport = :${port}" shows which), or choose other ports with --ports.`,
    );
  }
}

function introduction({ plan, configDir }: Demo): string {
  const { listener, frontEnd, officeWebApps } = plan;
  const tries = plan.tries.map(
    (each) =>
      `# ${each.title}: ${each.status}, shows ${each.shows.trim().replaceAll('\r\n', ' and ')}\n${shellLine(each)}\n`,
  );
  return `
Lychgate publishes a stand-in Front End, as an IIS ARR server would.

  https ${listener.address}:${listener.httpsPort}  to  ${frontEnd.address}:${frontEnd.httpsPort} (Front End) and ${officeWebApps.address}:${officeWebApps.httpsPort} (Office Web Apps)
  http  ${listener.address}:${listener.httpPort}  to  ${frontEnd.address}:${frontEnd.httpPort}
  configuration in ${configDir}

Try, in another terminal:

${tries.join('\n')}
# what the farms do
${typed(`status --config ${shellWord(configDir)}`)}

Ctrl-C ends it.
`;
}
