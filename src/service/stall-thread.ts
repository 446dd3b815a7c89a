/** The thread behind `stall-watch.ts`: where the loop gives no beat, it asks V8 what the loop is doing, and writes it into the log. */
import { writeSync } from 'node:fs';
import { type Debugger, Session } from 'node:inspector';
import { isatty } from 'node:tty';
import { workerData } from 'node:worker_threads';
import { BEAT_MS, createHeartbeats, UNREADY_MS } from './heartbeats.ts';
import type { StallWatch } from './stall-watch.ts';

const STDERR = 2;
/** Frames of a stack that are told. */
const DEPTH = 20;
/** JavaScript stops at once; a call that does not return to it gives no stack. */
const LONGEST_ANSWER_MS = 1500;

const { beats, hang, level, worker } = workerData as StallWatch;

/** Straight to the descriptor: the streams of a thread go by way of the loop that stands still. */
const stderr = {
  isTTY: isatty(STDERR),
  write(line: string): boolean {
    try {
      writeSync(STDERR, line);
    } catch {
      // Nobody takes it.
    }
    return true;
  },
};

/** Loaded when there is something to tell: of each worker it would take 10 MB that are hardly ever needed. */
async function tell(stack: readonly string[] | undefined, seconds: number): Promise<void> {
  const { createLog } = await import('../log.ts');
  const log = await createLog(level, stderr);
  if (stack === undefined)
    log.error({ worker }, `the event loop has stood still for ${seconds} s, outside of JavaScript`);
  else log.error({ worker, stack }, `the event loop has stood still for ${seconds} s: ${stack[0] ?? 'no code runs'}`);
}

/** Halts the JavaScript of the main thread for a moment. */
function stackOfMain(): Promise<readonly string[] | undefined> {
  const session = new Session();
  session.connectToMainThread();
  const files = new Map<string, string>();
  session.on('Debugger.scriptParsed', ({ params }) => files.set(params.scriptId, params.url));
  return new Promise((resolve) => {
    const done = (stack: readonly string[] | undefined) => {
      clearTimeout(timer);
      // Whatever it is halted in goes on when nobody asks any more.
      session.disconnect();
      resolve(stack);
    };
    const timer = setTimeout(done, LONGEST_ANSWER_MS, undefined);
    session.on('Debugger.paused', ({ params }) => {
      const frames = params.callFrames.slice(0, DEPTH);
      done(frames.map((frame) => shown(frame, files.get(frame.location.scriptId) ?? '')));
    });
    session.post('Debugger.enable', () => session.post('Debugger.pause'));
  });
}

function shown({ functionName, location }: Debugger.CallFrame, file: string): string {
  return `${functionName || '<anonymous>'} (${file}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1})`;
}

const nothing = () => undefined;
const heartbeats = createHeartbeats<typeof beats>({
  hang,
  // As early as it shows outside: a machine that is busy may take long to say it, and then it is killed.
  told: Math.min(UNREADY_MS, (hang * 1000) / 3),
  silent: (_, seconds) => void stackOfMain().then((stack) => tell(stack, seconds)),
  answers: nothing,
  givenUp: nothing,
});
heartbeats.expect(beats);
heartbeats.serves(beats);
let last = 0;
setInterval(() => {
  const now = Atomics.load(beats, 0);
  if (now !== last) heartbeats.heard(beats);
  last = now;
  heartbeats.beat();
}, BEAT_MS);
