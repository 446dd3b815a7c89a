/** `lychgate drain`: sets the state of a server of the running service, and waits until it has nothing to do any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReportedFarm, ReportedServer, ServerAction } from '../admin/control.ts';
import { nearest } from '../config/nearest.ts';
import { printable } from '../rewrite/print-trace.ts';
import { type AdminClient, openAdminClient, RefusedAction } from './admin-client.ts';
import { type Command, type CommandInput, EXIT, type Streams, textOption, UsageError } from './command.ts';
import { underWay } from './print-status.ts';
import { adviceOn, farmNamed } from './status.ts';

/** What each action means, told behind the state that it leads to. */
const MEANINGS: Readonly<Record<ServerAction, string>> = {
  Start: 'It takes requests again.',
  Drain: 'New clients go to other servers; those that affinity binds to it go on.',
  GracefulStop: 'No request goes there any more; those under way may finish.',
  ForcefulStop: 'No request goes there any more; those under way are ended.',
  SetHealthy: 'It counts as healthy, until a test finds otherwise.',
  SetUnhealthy: 'It counts as unhealthy, whatever tests find, until SetHealthy.',
};

const ACTIONS = Object.keys(MEANINGS) as readonly ServerAction[];
/** Those that bring a server back: there is nothing to wait for, and nothing lost at a restart. */
const BRINGS_BACK: readonly ServerAction[] = ['Start', 'SetHealthy'];

const POLL_MS = 500;

export const drain: Command = {
  name: 'drain',
  usage:
    'FARM SERVER [--state Start|Drain|GracefulStop|ForcefulStop|SetHealthy|SetUnhealthy]\n' +
    '       [--wait [--timeout SECONDS]] [--config DIR]',
  summary: 'takes a server of the running service out of its farm, or brings it back',
  options: {
    state: { type: 'string' },
    wait: { type: 'boolean' },
    timeout: { type: 'string' },
    config: { type: 'string' },
  },
  optionHelp: {
    '--state STATE': 'what is to be done, in the words of ARR (default: Drain)',
    '--wait': 'returns when no request is under way there; with Drain, clients that are bound to it go on',
    '--timeout SECONDS': 'with --wait: gives up then, with exit code 1 (default: never)',
    '--config DIR': 'the folder that the service was started with (default: config)',
  },
  async run(input) {
    const [farmName, serverName, more] = input.arguments;
    if (farmName === undefined || serverName === undefined)
      throw new UsageError('a farm and one of its servers are wanted');
    if (more !== undefined) throw new UsageError(`"${more}" is one word too many`);
    const action = actionOf(input);
    const deadline = deadlineOf(input, action);
    const client = openAdminClient(input);
    const { farms } = await client.farms();
    const farm = farmNamed(farmName, farms);
    const server = serverNamed(serverName, farm);
    return await carryOut(
      { client, farm: farm.name, server: server.address, action, streams: input.streams },
      deadline,
    );
  },
};

interface Order {
  readonly client: AdminClient;
  readonly farm: string;
  readonly server: string;
  readonly action: ServerAction;
  readonly streams: Streams;
}

/** @param deadline in milliseconds of `performance.now()`; `undefined`: no waiting */
async function carryOut(order: Order, deadline: number | undefined): Promise<number> {
  const { client, farm, server, action, streams } = order;
  try {
    const { server: now, everywhere, kept } = await client.act(farm, server, action);
    const meaning = action === 'Start' && !now.isHealthy ? 'It takes requests once it is healthy.' : MEANINGS[action];
    streams.out.write(`${named(order)}: ${conditionOf(now)}. ${meaning} ${countOf(now)}\n`);
    if (!everywhere) {
      streams.err.write(
        'lychgate: a worker of the service does not answer, and goes by this only when it does again.\n',
      );
    }
    if (kept === false) {
      streams.err.write(
        'lychgate: this could not be written to the state file, so a restart would undo it. The service log tells why.\n',
      );
    } else if (kept === null && !BRINGS_BACK.includes(action)) {
      streams.out.write('It holds until the service restarts: settings.json names no stateFile.\n');
    }
    const done = everywhere && kept !== false ? EXIT.fine : EXIT.no;
    if (!BRINGS_BACK.includes(action)) await warnOfNone(order);
    if (deadline === undefined || done === EXIT.no) return done;
    return await untilIdle(order, now, deadline);
  } catch (error) {
    if (!(error instanceof RefusedAction)) throw error;
    streams.err.write(`lychgate: ${printable(error.message)}\n`);
    return EXIT.no;
  }
}

/** Whoever takes the last one out may not have meant to. */
async function warnOfNone({ client, farm, streams }: Order): Promise<void> {
  const { servers } = farmNamed(farm, (await client.farms()).farms);
  if (servers.some(({ takesRequests }) => takesRequests)) return;
  streams.err.write(`lychgate: no server of ${printable(farm)} takes requests of new clients now.\n`);
}

async function untilIdle(order: Order, first: ReportedServer, deadline: number): Promise<number> {
  const { client, farm, server, streams } = order;
  let now = first;
  while (underWay(now.counters) > 0) {
    if (performance.now() >= deadline) {
      streams.err.write(`lychgate: ${named(order)} is not idle at the time-out. ${countOf(now)}\n`);
      return EXIT.no;
    }
    await sleep(Math.min(POLL_MS, Math.max(1, deadline - performance.now())));
    now = serverNamed(server, farmNamed(farm, (await client.farms()).farms));
    if (now.takesRequests && !first.takesRequests) {
      streams.err.write(`lychgate: ${named(order)} takes requests again: somebody has brought it back.\n`);
      return EXIT.no;
    }
  }
  streams.out.write(`${named(order)}: no request is under way.\n`);
  return EXIT.fine;
}

function named({ farm, server }: Order): string {
  return `${printable(server)} of ${printable(farm)}`;
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

function actionOf(input: CommandInput): ServerAction {
  const text = textOption(input, 'state') ?? 'Drain';
  const action = ACTIONS.find((each) => each.toLowerCase() === text.toLowerCase());
  if (action !== undefined) return action;
  const near = nearest(text, ACTIONS);
  throw new UsageError(
    `--state ${text}: ${near === undefined ? `one of ${ACTIONS.join(', ')} is wanted` : `did you mean "${near}"?`}`,
  );
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

/** @throws UsageError with the name that may have been meant */
function serverNamed(name: string, { name: farm, servers }: ReportedFarm): ReportedServer {
  const found = servers.find(({ address }) => address.toLowerCase() === name.toLowerCase());
  if (found) return found;
  const names = servers.map(({ address }) => address);
  throw new UsageError(
    `the web farm "${printable(farm)}" has no server "${printable(name)}". ${adviceOn(name, names)}`,
  );
}
