/** UCWA's event channel: a GET that hangs until something happens, here until its hold time is over or another takes its place. */
import { answerJson, type Call } from './answers.ts';

/** The pending GETs of one Front End. */
export interface LongPolls {
  answer(call: Call): void;
  /** Forgets all of them; their connections are cut by whoever closes the ports. */
  close(): void;
}

interface Pending {
  readonly call: Call;
  readonly timer: NodeJS.Timeout;
}

/** Seconds that a client which names no hold time is given. */
const USUAL_HOLD = 180;

/** @param longest seconds that no GET is held beyond, whatever its `timeout` asks for */
export function createLongPolls(longest: number): LongPolls {
  const pending = new Map<string, Pending>();

  const take = (application: string): Call | undefined => {
    const found = pending.get(application);
    clearTimeout(found?.timer);
    pending.delete(application);
    return found?.call;
  };

  return {
    answer(call) {
      const application = call.path.toLowerCase();
      const replaced = take(application);
      if (replaced !== undefined) {
        answerReplaced(replaced);
      }
      const asked = Number.parseInt(call.query.get('timeout') ?? '', 10);
      const hold = Math.min(Number.isNaN(asked) ? USUAL_HOLD : asked, longest);
      const timer = setTimeout(() => {
        take(application);
        answerNothingNew(call);
      }, hold * 1000);
      pending.set(application, { call, timer });
      call.response.once('close', () => {
        if (pending.get(application)?.call === call) {
          take(application);
        }
      });
    },
    close() {
      for (const application of [...pending.keys()]) {
        take(application);
      }
    },
  };
}

function answerNothingNew(call: Call): void {
  const next = Number.parseInt(call.query.get('ack') ?? '0', 10) + 1;
  const links = {
    self: { href: call.arrived.target },
    next: { href: `${call.path}?ack=${Number.isNaN(next) ? 1 : next}` },
  };
  answerJson(call, 200, { _links: links, sender: [] });
}

function answerReplaced(call: Call): void {
  answerJson(call, 409, {
    code: 'Conflict',
    subcode: 'PGetReplaced',
    message: 'Another pending request for events has taken the place of this one.',
  });
}
