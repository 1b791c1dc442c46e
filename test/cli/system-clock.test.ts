import { queryObjects } from 'node:v8';
import { expect, it } from 'vitest';
import { systemClock } from '../../src/cli/system-clock.ts';
import { at } from '../../src/net/timers.ts';

/** Bytes of the heap after a full garbage collection, which the query makes. */
function heapUsed(): number {
  queryObjects(WeakRef, { format: 'count' });
  return process.memoryUsage().heapUsed;
}

it('a timer that was stopped leaves nothing, although no other had its duration', () => {
  const stopOne = (after: number): void => at(systemClock, Date.now() + after, () => {})();
  stopOne(3_600_000);
  const before = heapUsed();
  for (let call = 0; call < 100_000; call += 1) stopOne(3_600_000 + call + 0.5);
  // A hundred bytes each would be ten megabytes.
  expect(heapUsed() - before).toBeLessThan(3_000_000);
});

it('a timer that was stopped does not run, and others of its duration do', async () => {
  const ran: string[] = [];
  const stop = systemClock.after(5, () => ran.push('stopped'));
  const other = new Promise<void>((resolve) => {
    systemClock.after(5, () => {
      ran.push('other');
      resolve();
    });
  });
  // Timers of the clock do not keep a program running.
  const running = setInterval(() => {}, 1);
  stop();
  stop();
  await other;
  clearInterval(running);
  stop();
  expect(ran).toEqual(['other']);
});
