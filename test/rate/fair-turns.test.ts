import { expect, it } from 'vitest';
import { FairTurns } from '../../src/rate/fair-turns.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

const iteration = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits for turns whose steps take this many milliseconds, and returns the steps that were made so far. */
function takeTurns(turns: FairTurns, clock: ReturnType<typeof createManualClock>, steps: readonly number[]) {
  const made: number[] = [];
  for (const milliseconds of steps) {
    void turns.next('a').then(() => {
      clock.advance(milliseconds);
      made.push(milliseconds);
    });
  }
  return made;
}

it('after a long step the next one waits for as long, and after short ones for an iteration', async () => {
  const clock = createManualClock();
  const made = takeTurns(new FairTurns(clock), clock, [1, 2, 50, 3]);
  for (let count = 0; count < 8; count += 1) await iteration();
  expect(made).toEqual([1, 2, 50]);
  expect(clock.waiting()).toEqual([50]);
  clock.advance(50);
  await iteration();
  expect(made).toEqual([1, 2, 50, 3]);
});

it('a clock that is set forward is no long step', async () => {
  const clock = createManualClock();
  const made = takeTurns(new FairTurns(clock), clock, [3_600_000, 1]);
  for (let count = 0; count < 4; count += 1) await iteration();
  expect(clock.waiting()).toEqual([250]);
  clock.advance(250);
  await iteration();
  expect(made).toEqual([3_600_000, 1]);
});

it('what asks for a turn after a pause does not wait for what was long before', async () => {
  const clock = createManualClock();
  const turns = new FairTurns(clock);
  const before = takeTurns(turns, clock, [50]);
  for (let count = 0; count < 3; count += 1) await iteration();
  expect(before).toEqual([50]);
  clock.advance(1_000);
  for (let count = 0; count < 3; count += 1) await iteration();
  const after = takeTurns(turns, clock, [1]);
  for (let count = 0; count < 3; count += 1) await iteration();
  expect(after).toEqual([1]);
  expect(clock.waiting()).toEqual([]);
});
