/** `lychgate run`: starts the service. */
import { type Diagnostic, hasErrors, type Report, reportInto } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import { printText } from '../config/print-diagnostic.ts';
import type { SettingsConfig } from '../config/settings-model.ts';
import { comparedName } from '../host-name.ts';
import { createLog, type Logger } from '../log.ts';
import { checkLoop } from '../publication/check-loop.ts';
import { checkAccount } from '../service/check-account.ts';
import { type CheckedConfig, canStart, checkConfig, type Startable } from '../service/check-config.ts';
import { findAddresses } from '../service/find-addresses.ts';
import { tellIgnoredSignals } from '../service/ignored-signals.ts';
import { endOnSignal, untilStopped } from '../service/shutdown.ts';
import { type Service, startService } from '../service/supervisor.ts';
import { nodeVersionWarning } from '../service/version-floor.ts';
import { terminalOf } from '../terminal.ts';
import { type Command, EXIT, refuseArguments, type Streams } from './command.ts';
import { configFolder, usualFolder } from './named-place.ts';
import { withShownNames } from './shown-names.ts';

export const run: Command = {
  name: 'run',
  usage: '[--config DIR]',
  summary: 'serves what the configuration publishes, until SIGTERM or Ctrl-C',
  options: { config: { type: 'string' } },
  optionHelp: { '--config DIR': `the folder with settings.json and the IIS files (${usualFolder})` },
  words: {
    title: 'Signals',
    meanings: {
      'SIGTERM, SIGINT':
        'no new connections; requests under way may finish, for timeouts.drain seconds at most. Again: ends at once',
      'SIGHUP, SIGUSR2': 'told in the service log, and ignored',
    },
  },
  examples: [{ does: 'serves what a folder publishes', line: 'run --config config' }],
  async run(input) {
    refuseArguments(input);
    const begun = endOnSignal();
    const started = await startFrom(configFolder(input), input.streams, checkAccount);
    if (typeof started === 'number') return started;
    const ended = untilStopped(started.service, started.log);
    begun();
    return await ended;
  },
};

/**
 * Checks everything, then starts. Findings go to the error stream.
 * @param checkMore what only a service that is meant to last has to be told
 * @returns the running service, or the exit code where there is an error
 */
export async function startFrom(
  configDir: string,
  streams: Streams,
  checkMore?: (settings: SettingsConfig, report: Report) => void,
): Promise<number | { service: Service; log: Logger; config: Config }> {
  const checked = checkConfig(configDir);
  // Whether this machine has the addresses of the bindings is seen when they are listened on.
  const diagnostics: Diagnostic[] = checked.diagnostics.filter(({ code }) => code !== 'LG5015');
  const report = reportInto(diagnostics);
  const config = canStart(checked) ? await placedConfig(checked, report) : undefined;
  if (config) checkMore?.(config.settings, report);
  if (diagnostics.length > 0) show(diagnostics, checked, streams);
  if (config === undefined || hasErrors(diagnostics)) return EXIT.no;

  const log = await createLog(config.settings.log.level);
  tellIgnoredSignals(log);
  const old = nodeVersionWarning(process.versions.node);
  if (old !== undefined) log.warn(old);
  warnUnverified(config, log);
  const service = await startService({ ...checked, config }, log);
  log.info({ listeners: service.listeners.map(({ name }) => name) }, 'Lychgate serves');
  return { service, log, config };
}

/** What this machine and its network say to the configuration. */
async function placedConfig({ config, certificates }: Startable, report: Report): Promise<Config> {
  const found = findAddresses(config, certificates, report);
  await checkLoop(found, report);
  return found;
}

function show(diagnostics: readonly Diagnostic[], { sources }: CheckedConfig, { err }: Streams): void {
  const shown = withShownNames({ diagnostics, sources }, process.cwd());
  err.write(`${printText(shown.diagnostics, shown.sources, terminalOf(err))}\n`);
}

/** A farm whose servers are not fully verified is told at every start, so that it cannot be forgotten. */
function warnUnverified({ webFarms, settings }: Config, log: Logger): void {
  for (const { name } of webFarms) {
    const verify = settings.farms.get(comparedName(name.value))?.verify ?? 'full';
    if (verify === 'none') log.warn({ farm: name.value }, 'the certificates of this farm are not checked');
    if (verify === 'chain')
      log.warn({ farm: name.value }, 'the names in the certificates of this farm are not checked');
  }
}
