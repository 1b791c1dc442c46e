import type { Clock } from '../edges.ts';

/** Milliseconds that work takes of one iteration of the event loop. */
const turn = 5;

/** Resolves when work may go on: in a later iteration of the event loop. */
export type Pause = () => Promise<unknown>;

/**
 * Does work in turns: step by step, and everything else that is due after each few milliseconds. What the work reads may
 * change between its steps, where it yields.
 *
 * @param pause waits until the next turn, at least until the next iteration of the event loop
 */
export async function inTurns<T>(steps: Generator<unknown, T>, clock: Clock, pause: Pause): Promise<T> {
  for (;;) {
    const until = clock.monotonic() + turn;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (clock.monotonic() < until);
    await pause();
  }
}
