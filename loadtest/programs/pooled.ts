/**
 * Answers from one pooled TLS connection to the origin, without logic: each chunk that arrives is a request, they have their
 * turn one after the other, and what the origin sends goes to the one whose turn it is.
 */
import { createServer, type TLSSocket } from 'node:tls';
import { answerLength } from '../load/answer-length.ts';
import { connectOrigin, frontOptions, listenWhenAsked } from './yardstick.ts';

interface Turn {
  readonly socket: TLSSocket;
  readonly request: Buffer;
}

const turns: Turn[] = [];
/** Bytes that the answer under way still lacks; undefined before its first. */
let left: number | undefined;

const origin = connectOrigin();
origin.on('data', (bytes: Buffer) => {
  const [turn] = turns;
  if (turn === undefined) return;
  // The origin's heads are small and come in one piece.
  left = (left ?? answerLength(bytes.toString('latin1')) ?? 0) - bytes.length;
  turn.socket.write(bytes);
  if (left > 0) return;
  left = undefined;
  turns.shift();
  sendNext();
});
origin.on('error', ({ message }) => process.stderr.write(`origin: ${message}\n`));
// Nothing can be answered any more, and the run tells of a program that ended.
origin.on('close', () => process.exit(1));

function sendNext(): void {
  const [turn] = turns;
  if (turn !== undefined) origin.write(turn.request);
}

listenWhenAsked(
  createServer(frontOptions, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (request: Buffer) => {
      turns.push({ socket, request });
      if (turns.length === 1) sendNext();
    });
  }),
);
