/** `lychgate run`: starts the service. */
import { type Diagnostic, hasErrors, reportInto } from '../config/diagnostic.ts';
import type { Config } from '../config/model.ts';
import { printText } from '../config/print-diagnostic.ts';
import { createLog, type Logger } from '../log.ts';
import { type CheckedConfig, canStart, checkConfig } from '../service/check-config.ts';
import { checkLoop } from '../service/check-loop.ts';
import { endOnSignal, untilStopped } from '../service/shutdown.ts';
import { type Service, startService } from '../service/supervisor.ts';
import { nodeVersionWarning } from '../service/version-floor.ts';
import { terminalOf } from '../terminal.ts';
import { type Command, EXIT, refuseArguments, type Streams } from './command.ts';
import { configFolder } from './named-place.ts';
import { withShownNames } from './shown-names.ts';

export const run: Command = {
  name: 'run',
  usage: '[--config DIR]',
  summary: 'serves what the configuration publishes, until SIGTERM or Ctrl-C',
  options: { config: { type: 'string' } },
  optionHelp: { '--config DIR': 'the folder with settings.json and the IIS files (default: config)' },
  async run(input) {
    refuseArguments(input);
    const begun = endOnSignal();
    const started = await startFrom(configFolder(input), input.streams);
    if (typeof started === 'number') return started;
    const ended = untilStopped(started.service, started.log, true);
    begun();
    return await ended;
  },
};

/**
 * Checks everything, then starts. Findings go to the error stream.
 * @returns the running service, or the exit code where there is an error
 */
export async function startFrom(
  configDir: string,
  streams: Streams,
): Promise<number | { service: Service; log: Logger; config: Config }> {
  const checked = checkConfig(configDir);
  const diagnostics: Diagnostic[] = [...checked.diagnostics];
  if (canStart(checked)) {
    await checkLoop(checked.config, reportInto(diagnostics));
  }
  if (diagnostics.length > 0) show(diagnostics, checked, streams);
  if (!canStart(checked) || hasErrors(diagnostics)) return EXIT.no;

  const log = createLog(checked.config.settings.log.level);
  const old = nodeVersionWarning(process.versions.node);
  if (old !== undefined) log.warn(old);
  warnUnverified(checked.config, log);
  const service = await startService(checked, log);
  log.info({ listeners: service.listeners.map(({ key }) => key) }, 'Lychgate serves');
  return { service, log, config: checked.config };
}

function show(diagnostics: readonly Diagnostic[], { sources }: CheckedConfig, { err }: Streams): void {
  const shown = withShownNames({ diagnostics, sources }, process.cwd());
  err.write(`${printText(shown.diagnostics, shown.sources, terminalOf(err))}\n`);
}

/** A farm whose servers are not fully verified is told at every start, so that it cannot be forgotten. */
function warnUnverified({ webFarms, settings }: Config, log: Logger): void {
  for (const { name } of webFarms) {
    const verify = settings.farms.get(name.value.toLowerCase())?.verify ?? 'full';
    if (verify === 'none') log.warn({ farm: name.value }, 'the certificates of this farm are not checked');
    if (verify === 'chain')
      log.warn({ farm: name.value }, 'the names in the certificates of this farm are not checked');
  }
}
