/** `lychgate demo`: publishes a stand-in Front End with throw-away certificates, and tells what to try. */
import { rmSync } from 'node:fs';
import { type Demo, prepareDemo } from '../demo/demo.ts';
import { shellLine } from '../demo/demo-plan.ts';
import type { StandIn } from '../demo/stand-in.ts';
import { StartError } from '../errors.ts';
import { endOnSignal, untilStopped } from '../service/shutdown.ts';
import { type Command, EXIT, refuseArguments } from './command.ts';
import { startFrom } from './run.ts';

export const demo: Command = {
  name: 'demo',
  usage: '',
  summary: 'publishes a stand-in Lync Front End on ports 8443 and 8880, and tells what to try',
  options: {},
  optionHelp: {},
  async run(input) {
    refuseArguments(input);
    // Ctrl-C before everything is up must not leave the folder behind; later, `untilStopped` decides.
    const begun = endOnSignal();
    const prepared = prepareDemo();
    const remove = () => rmSync(prepared.folder, { recursive: true, force: true });
    process.once('exit', remove);
    let servers: readonly StandIn[] = [];
    try {
      servers = await startServers(prepared);
      const started = await startFrom(prepared.configDir, input.streams);
      if (typeof started === 'number') return started === EXIT.fine ? EXIT.failed : started;
      const ended = untilStopped(started.service, started.log, false);
      begun();
      input.streams.out.write(introduction(prepared));
      return await ended;
    } finally {
      await Promise.all(servers.map((server) => server.close()));
      remove();
    }
  },
};

async function startServers(prepared: Demo): Promise<readonly StandIn[]> {
  try {
    return await prepared.startServers();
  } catch (error) {
    const { code, message, port } = error as NodeJS.ErrnoException & { port?: number };
    if (code !== 'EADDRINUSE') throw new StartError(`the demo's servers cannot start: ${message}`);
    throw new StartError(
      `port ${port} is taken, and the demo's Front End needs it. Stop the program that uses it ("ss -ltnp sport = :${port}" shows which), then try again.`,
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
Ctrl-C ends it.
`;
}
