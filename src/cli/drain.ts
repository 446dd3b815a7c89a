/** `lychgate drain`: sets the state of a server of the running service, in one farm or in all, and waits until it has nothing to do any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReportedFarm, ReportedServer, ServerAction } from '../admin/control.ts';
import { comparedName } from '../host-name.ts';
import { printable } from '../rewrite/print-trace.ts';
import { fitted, terminalOf } from '../terminal.ts';
import { type Acted, type AdminClient, openAdminClient, RefusedAction } from './admin-client.ts';
import { type Command, type CommandInput, EXIT, type Streams, textOption, UsageError } from './command.ts';
import { usualFolder } from './named-place.ts';
import { choiceOption } from './options.ts';
import { underWay } from './print-status.ts';
import { adviceOn, farmNamed } from './status.ts';
import { tell } from './tell.ts';

interface Meaning {
  /** Told behind the state that it leads to. */
  readonly meaning: string;
  /** What `status` shows then. */
  readonly shown: string;
  /** What IIS Manager calls it. */
  readonly iis: string;
}

const MEANINGS: Readonly<Record<ServerAction, Meaning>> = {
  Start: { meaning: 'It takes requests again.', shown: 'Active', iis: 'Make Server Available' },
  Drain: {
    meaning: 'New clients go to other servers; those that affinity binds to it go on.',
    shown: 'Draining',
    iis: 'Disallow New Connections',
  },
  GracefulStop: {
    meaning: 'No request goes there any more; those under way may finish.',
    shown: 'Inactive',
    iis: 'Make Server Unavailable Gracefully',
  },
  ForcefulStop: {
    meaning: 'No request goes there any more; those under way are ended.',
    shown: 'Inactive',
    iis: 'Make Server Unavailable Immediately',
  },
  SetHealthy: {
    meaning: 'It counts as healthy, until a test finds otherwise.',
    shown: 'healthy',
    iis: 'Set Server as Healthy',
  },
  SetUnhealthy: {
    meaning: 'It counts as unhealthy, whatever tests find, until SetHealthy.',
    shown: 'unhealthy',
    iis: 'Set Server as Unhealthy',
  },
};

const ACTIONS = Object.keys(MEANINGS) as readonly ServerAction[];
/** Those that bring a server back: there is nothing to wait for, and nothing lost at a restart. */
const BRINGS_BACK: readonly ServerAction[] = ['Start', 'SetHealthy'];

const POLL_MS = 500;

export const drain: Command = {
  name: 'drain',
  usage:
    'FARM SERVER [--state STATE] [--wait [--timeout SECONDS]] [--config DIR]\n' +
    'SERVER --all-farms [--state STATE] [--wait [--timeout SECONDS]] [--config DIR]',
  summary: 'takes a server of the running service out of its farm, or brings it back',
  options: {
    state: { type: 'string' },
    'all-farms': { type: 'boolean' },
    wait: { type: 'boolean' },
    timeout: { type: 'string' },
    config: { type: 'string' },
  },
  optionHelp: {
    '--state STATE': 'what is to be done, in any letter case (default: Drain)',
    '--all-farms': 'in every farm that has the server; farms where the IIS file switches it off are told and left',
    '--wait': 'returns when no request is under way there; with Drain, clients that are bound to it go on',
    '--timeout SECONDS': 'with --wait: gives up then, with exit code 1 (default: never)',
    '--config DIR': `the folder that the service was started with (${usualFolder})`,
  },
  words: {
    title: 'States, in the words of ARR',
    meanings: Object.fromEntries(
      Object.entries(MEANINGS).map(([action, { meaning, shown, iis }]) => [
        action,
        `${meaning} Status shows ${shown}. IIS Manager: ${iis}.`,
      ]),
    ),
  },
  examples: [
    {
      does: 'before a patch, in every farm; clients go to other servers at once',
      line: 'drain fe02 --all-farms --state GracefulStop --wait',
    },
    { does: 'and back again', line: 'drain fe02 --all-farms --state Start' },
    {
      does: 'new clients elsewhere, and a quarter of an hour for those that are there',
      line: 'drain Lync fe02 --wait --timeout 900',
    },
  ],
  async run(input) {
    const everyFarm = input.values['all-farms'] === true;
    const names = namesOf(input, everyFarm);
    const action = choiceOption(input, 'state', ACTIONS) ?? 'Drain';
    const deadline = deadlineOf(input, action);
    const client = openAdminClient(input);
    const { farms } = await client.farms();
    const places = everyFarm ? placesIn(farms, names.server) : [placeIn(farms, names.farm, names.server)];
    return await carryOut({ client, action, streams: input.streams }, places, deadline);
  },
};

/** A server in one of its farms. */
interface Place {
  readonly farm: string;
  readonly server: ReportedServer;
}

interface Order {
  readonly client: AdminClient;
  readonly action: ServerAction;
  readonly streams: Streams;
}

/**
 * In one place after the other; what one refuses does not keep the others from it.
 * @param deadline in milliseconds of `performance.now()`; `undefined`: no waiting
 */
async function carryOut(order: Order, places: readonly Place[], deadline: number | undefined): Promise<number> {
  const switchedOn = places.filter(({ server }) => server.enabled);
  // Where all are switched off, the service says so in its own words.
  const asked = switchedOn.length > 0 ? switchedOn : places;
  for (const place of places) if (!asked.includes(place)) tellSwitchedOff(order, place);
  const done: { readonly place: Place; readonly acted: Acted }[] = [];
  for (const place of asked) {
    const acted = await act(order, place, places.length > 1);
    if (acted) done.push({ place: { ...place, server: acted.server }, acted });
  }
  const sound = tellLimits(
    order,
    done.map(({ acted }) => acted),
  );
  const changed = done.map(({ place }) => place);
  if (!BRINGS_BACK.includes(order.action)) await warnOfNone(order, changed);
  const code = sound && done.length === asked.length ? EXIT.fine : EXIT.no;
  if (deadline === undefined || !sound || changed.length === 0) return code;
  return (await untilIdle(order, changed, deadline)) ? code : EXIT.no;
}

/** @returns nothing where the service refuses it, which is told */
async function act({ client, action, streams }: Order, place: Place, several: boolean): Promise<Acted | undefined> {
  try {
    const acted = await client.act(place.farm, place.server.address, action);
    const { server } = acted;
    say(streams, `${named(place)}: ${conditionOf(server)}. ${meaningOf(action, server)} ${countOf(server)}`);
    return acted;
  } catch (error) {
    if (!(error instanceof RefusedAction)) throw error;
    warn(streams, `${several ? `${named(place)}: ` : ''}${printable(error.message)}`);
    return undefined;
  }
}

/** Two commands may cross: what counts is how the server was found behind this one. */
function meaningOf(action: ServerAction, { state, isHealthy }: ReportedServer): string {
  const { shown, meaning } = MEANINGS[action];
  const ofHealth = action === 'SetHealthy' || action === 'SetUnhealthy';
  if (shown !== (ofHealth ? (isHealthy ? 'healthy' : 'unhealthy') : state))
    return `This was changed again meanwhile. ${MEANT_BY_STATE[state]}`;
  return action === 'Start' && !isHealthy ? 'It takes requests once it is healthy.' : meaning;
}

const MEANT_BY_STATE: Readonly<Record<ReportedServer['state'], string>> = {
  Active: 'It takes requests while it is healthy.',
  Draining: MEANINGS.Drain.meaning,
  Inactive: 'No request goes there any more.',
};

function tellSwitchedOff({ streams }: Order, place: Place): void {
  say(streams, `${named(place)}: switched off in the IIS file, and left so: nobody is sent there.`);
}

/** What holds a change back, once for all places. @returns false where it does not count everywhere, or not for long */
function tellLimits({ action, streams }: Order, acted: readonly Acted[]): boolean {
  const everywhere = acted.every((each) => each.everywhere);
  const lost = acted.some(({ kept }) => kept === false);
  if (!everywhere) {
    warn(streams, 'a worker of the service does not answer, and goes by this only when it does again.');
  }
  if (lost) {
    warn(
      streams,
      'this could not be written to the state file, so a restart would undo it. The service log tells why.',
    );
  } else if (acted.some(({ kept }) => kept === null) && !BRINGS_BACK.includes(action)) {
    say(streams, 'It holds until the service restarts: settings.json names no stateFile.');
  }
  return everywhere && !lost;
}

/** Whoever takes the last one out may not have meant to. */
async function warnOfNone({ client, streams }: Order, places: readonly Place[]): Promise<void> {
  if (places.length === 0) return;
  const { farms } = await client.farms();
  for (const { farm } of places) {
    if (farmNamed(farm, farms).servers.some(({ takesRequests }) => takesRequests)) continue;
    warn(streams, `no server of ${printable(farm)} takes requests of new clients now.`);
  }
}

/** @returns false where one is not idle at the deadline, or takes requests again */
async function untilIdle({ client, streams }: Order, places: readonly Place[], deadline: number): Promise<boolean> {
  let waiting = [...places];
  let all = true;
  for (;;) {
    for (const place of waiting) {
      if (underWay(place.server.counters) === 0) say(streams, `${named(place)}: no request is under way.`);
    }
    waiting = waiting.filter(({ server }) => underWay(server.counters) > 0);
    if (waiting.length === 0) return all;
    if (performance.now() >= deadline) {
      for (const place of waiting)
        warn(streams, `${named(place)} is not idle at the time-out. ${countOf(place.server)}`);
      return false;
    }
    await sleep(Math.min(POLL_MS, Math.max(1, deadline - performance.now())));
    const { farms } = await client.farms();
    const before = waiting;
    waiting = [];
    for (const { farm, server } of before) {
      const now = placeIn(farms, farm, server.address);
      if (!now.server.takesRequests || server.takesRequests) waiting.push(now);
      else {
        warn(streams, `${named(now)} takes requests again: somebody has brought it back.`);
        all = false;
      }
    }
  }
}

/** In the width of a terminal, as every line of this command. */
function say({ out }: Streams, line: string): void {
  out.write(`${fitted([line], terminalOf(out)).join('\n')}\n`);
}

function warn({ err }: Streams, message: string): void {
  tell(err, 'lychgate:', message);
}

function named({ farm, server }: Place): string {
  return `${printable(server.address)} of ${printable(farm)}`;
}

function conditionOf({ state, isHealthy }: ReportedServer): string {
  return `${printable(state)}${isHealthy ? '' : ', unhealthy'}`;
}

function countOf({ counters }: ReportedServer): string {
  const count = underWay(counters);
  return count === 1
    ? 'One request is under way.'
    : `${count === 0 ? 'No' : count.toLocaleString('en-US')} requests are under way.`;
}

function deadlineOf(input: CommandInput, action: ServerAction): number | undefined {
  const text = textOption(input, 'timeout');
  if (input.values.wait !== true) {
    if (text !== undefined) throw new UsageError('--timeout is for --wait');
    return undefined;
  }
  if (BRINGS_BACK.includes(action))
    throw new UsageError(`--wait: ${action} brings requests, there is no end to wait for`);
  if (text === undefined) return Number.POSITIVE_INFINITY;
  const seconds = Number(text);
  if (text.trim() !== '' && seconds >= 0 && Number.isFinite(seconds)) return performance.now() + seconds * 1000;
  throw new UsageError(`--timeout ${text}: a number of seconds is wanted`);
}

function namesOf(input: CommandInput, everyFarm: boolean): { farm: string; server: string } {
  const [first, second, third] = input.arguments;
  const [farm, server, more] = everyFarm ? ['', first, second] : [first, second, third];
  if (farm === undefined || server === undefined) {
    throw new UsageError(
      everyFarm ? 'a server is wanted' : 'a farm and one of its servers are wanted, or a server and --all-farms',
    );
  }
  if (more !== undefined) throw new UsageError(`"${more}" is one word too many`);
  return { farm, server };
}

/** @throws UsageError with the name that may have been meant */
function placeIn(farms: readonly ReportedFarm[], farmName: string, name: string): Place {
  const { name: farm, servers } = farmNamed(farmName, farms);
  const server = servers.find(({ address }) => isSame(address, name));
  if (server) return { farm, server };
  const names = servers.map(({ address }) => address);
  throw new UsageError(
    `the web farm "${printable(farm)}" has no server "${printable(name)}". ${adviceOn(name, names)}`,
  );
}

/** In every farm that has it. @throws UsageError with the name that may have been meant */
function placesIn(farms: readonly ReportedFarm[], name: string): readonly Place[] {
  const all = farms.flatMap(({ name: farm, servers }) => servers.map((server) => ({ farm, server })));
  const found = all.filter(({ server }) => isSame(server.address, name));
  if (found.length > 0) return found;
  const names = [...new Set(all.map(({ server }) => server.address))];
  throw new UsageError(`no web farm has a server "${printable(name)}". ${adviceOn(name, names)}`);
}

function isSame(one: string, other: string): boolean {
  return comparedName(one) === comparedName(other);
}
