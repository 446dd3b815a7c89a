/** Farms and servers over HTTP: what they are, SetState, SetHealthy, SetUnhealthy and TestHealth (docs/admin-api.md). */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { comparedName } from '../host-name.ts';
import type { Control, Refusal, ReportedFarm, ServerAction } from './control.ts';
import { PROBLEM_TYPE, type Problem, problem } from './problem.ts';

const STATES: readonly ServerAction[] = ['Start', 'Drain', 'GracefulStop', 'ForcefulStop'];
const MARKS: readonly ServerAction[] = ['SetHealthy', 'SetUnhealthy'];

const FARMS = '/api/v1/farms';
const FARM = `${FARMS}/:farm`;
const SERVER = `${FARM}/servers/:server`;

interface Names {
  readonly farm: string;
  readonly server: string;
}

type Handler = (request: FastifyRequest<{ Params: Names }>) => Promise<object>;

export function farmsApi(app: FastifyInstance, control: Control): void {
  const act = (key: string, actions: readonly ServerAction[]): Handler => {
    return async ({ params, body, socket }) => {
      const action = actionOf(body, key, actions);
      if (typeof action !== 'string') return action;
      const done = await control.act(params.farm, params.server, action, peerOf(socket));
      if (typeof done === 'string') return refused(done, params, await control.farms());
      const { farm, everywhere, kept, server } = done;
      return { farm, action, everywhere, kept, server };
    };
  };
  on(app, 'GET', FARMS, async () => ({ farms: await control.farms(), notices: control.notices() }));
  on(app, 'GET', FARM, async ({ params }) => {
    const farms = await control.farms();
    return findFarm(farms, params.farm) ?? refused('unknownFarm', params, farms);
  });
  on(app, 'GET', SERVER, async ({ params }) => {
    const farms = await control.farms();
    const farm = findFarm(farms, params.farm);
    if (farm === undefined) return refused('unknownFarm', params, farms);
    const server = farm.servers.find(({ address }) => isSame(address, params.server));
    return server ? { farm: farm.name, ...server } : refused('unknownServer', params, farms);
  });
  on(app, 'POST', `${SERVER}/state`, act('state', STATES));
  on(app, 'POST', `${SERVER}/health`, act('health', MARKS));
  on(app, 'POST', `${SERVER}/test`, async ({ params, socket }) => {
    // A test takes as long as healthCheck allows, and nothing is said meanwhile.
    socket.setTimeout(0);
    const tested = await control.test(params.farm, params.server, peerOf(socket));
    return typeof tested === 'string' ? refused(tested, params, await control.farms()) : tested;
  });
}

/** One path and the one method that fits it; what a handler refuses is answered with its status. */
function on(app: FastifyInstance, method: 'GET' | 'POST', url: string, handler: Handler): void {
  const allowed = method === 'GET' ? ['GET', 'HEAD'] : ['POST'];
  app.route<{ Params: Names }>({
    method,
    url,
    onRequest: async (request, reply) => {
      if (method === 'POST' && !/^application\/json *(;|$)/i.test(request.headers['content-type'] ?? ''))
        return sendProblem(reply, problem('notJson', 'Send JSON, with "Content-Type: application/json".'));
    },
    handler: async (request, reply) => {
      const answer = await handler(request);
      return isProblem(answer) ? sendProblem(reply, answer) : answer;
    },
  });
  const refuse = async (_request: FastifyRequest, reply: FastifyReply) =>
    sendProblem(
      reply.header('Allow', allowed.join(', ')),
      problem('methodRefused', `This path takes ${allowed.join(' and ')}.`),
    );
  const others = app.supportedMethods.filter((each) => !allowed.includes(each));
  app.route({ method: others, url, onRequest: refuse, handler: refuse });
}

export function sendProblem(reply: FastifyReply, told: Problem): FastifyReply {
  return reply.code(told.status).type(PROBLEM_TYPE).send(told);
}

function isProblem(answer: object): answer is Problem {
  return 'type' in answer && 'status' in answer;
}

/** The one member of the body, `{"state": "Drain"}`. */
function actionOf(body: unknown, key: string, actions: readonly ServerAction[]): ServerAction | Problem {
  const members: [string, unknown][] = typeof body === 'object' && body !== null ? Object.entries(body) : [];
  const [[name, value] = []] = members;
  const action = actions.find((each) => each === value);
  if (members.length === 1 && name === key && action !== undefined) return action;
  const wanted = actions.map((each) => `{"${key}": "${each}"}`);
  return problem('badRequest', `The body has to be one of ${wanted.join(', ')}.`);
}

function refused(refusal: Refusal, { farm, server }: Names, farms: readonly ReportedFarm[]): Problem {
  const servers = findFarm(farms, farm)?.servers ?? [];
  switch (refusal) {
    case 'unknownFarm':
      return problem(
        refusal,
        `There is no web farm "${farm}".`,
        farms.map(({ name }) => name),
      );
    case 'unknownServer':
      return problem(
        refusal,
        `The web farm "${farm}" has no server "${server}".`,
        servers.map(({ address }) => address),
      );
    case 'switchedOff':
      return problem(
        refusal,
        `${server} is switched off in the IIS file: enabled="false" at the server or its web farm. That is changed there.`,
      );
    case 'noTest':
      return problem(refusal, `The web farm "${farm}" has no URL test: its healthCheck has no url.`);
  }
}

function findFarm(farms: readonly ReportedFarm[], name: string): ReportedFarm | undefined {
  return farms.find((farm) => isSame(farm.name, name));
}

function isSame(one: string, other: string): boolean {
  return comparedName(one) === comparedName(other);
}

/** For the log. */
export function peerOf({ remoteAddress = '', remotePort = 0 }: FastifyRequest['socket']): string {
  return remoteAddress.includes(':') ? `[${remoteAddress}]:${remotePort}` : `${remoteAddress}:${remotePort}`;
}
