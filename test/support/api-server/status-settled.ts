import { setImmediate } from 'node:timers/promises';

/** Settles after three iterations of the event loop, in which the promises of fakes settle. */
export async function settled(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await setImmediate();
}
