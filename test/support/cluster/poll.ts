import { setTimeout as pause } from 'node:timers/promises';

/** How often another program is asked before a test gives up: for about a minute, longer on a busy machine. */
const TRIES = 1200;
const PAUSE_MS = 50;

/**
 * Asks another program until it has an answer: for what a program over there does in its own time and tells nobody.
 * Rejects with `complaint()` after about a minute.
 */
export async function polled<T>(ask: () => Promise<T | undefined>, complaint: () => string): Promise<T> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(PAUSE_MS);
  }
  throw new Error(complaint());
}
