import { setImmediate } from 'node:timers/promises';

/** Settles once everything has been done that waits for nothing but other code: promises of fakes, and what follows. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await setImmediate();
}
