import { setTimeout as pause } from 'node:timers/promises';

/** Attempts before a test gives up: about a minute, longer on a busy machine. */
const TRIES = 1200;
const PAUSE_MS = 50;

/**
 * Calls until there is a result, for changes in other programs that send no notification. Rejects with `complaint()`
 * after about a minute.
 */
export async function polled<T>(ask: () => Promise<T | undefined>, complaint: () => string): Promise<T> {
  for (let tries = 0; tries < TRIES; tries += 1) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await pause(PAUSE_MS);
  }
  throw new Error(complaint());
}
