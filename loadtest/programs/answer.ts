/** The other end of `ask`: a program's answers to what the run asks it. It ends when the run does. */
import { messageOf } from '../failure.ts';

export function answer<Question>(handle: (question: Question) => unknown): void {
  process.on('message', (question: Question) => {
    Promise.resolve()
      .then(() => handle(question))
      .then(
        (ok) => process.send?.({ ok }),
        (thrown: unknown) => process.send?.({ failed: messageOf(thrown) }),
      );
  });
  process.on('disconnect', () => process.exit());
}
