import { expect, it } from 'vitest';
import { expectedRoom } from '../../../../src/gateway/session/lists/list-room.ts';
import { createListTurns } from '../../../../src/gateway/session/lists/list-turns.ts';
import { ListWeights } from '../../../../src/gateway/session/lists/list-weights.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

const mebibyte = 1024 * 1024;

/** Begins lists of these targets for a thousand callers, and returns how many of them did not wait. */
async function begun(weights: ListWeights, targets: readonly string[]): Promise<number> {
  const turns = createListTurns(createManualClock());
  const expected = expectedRoom(weights.expected('tools/list', targets), 0);
  let count = 0;
  for (let caller = 0; caller < 1_000; caller += 1) {
    void turns.toBegin(String(caller), expected, new AbortController().signal).then(() => (count += 1));
  }
  await new Promise((resolve) => setImmediate(resolve));
  return count;
}

it('begins 16 lists of all clients that ask at once before it is known how large they are', async () => {
  expect(await begun(new ListWeights(), ['a', 'b', 'c'])).toBe(16);
});

it('begins all lists of targets that listed little, and few of those with one that listed much', async () => {
  const weights = new ListWeights();
  weights.listed('tools/list', 'small', 1_000);
  weights.listed('tools/list', 'large', 9 * mebibyte);
  expect(await begun(weights, ['small'])).toBe(1_000);
  expect(await begun(weights, ['small', 'large'])).toBe(1);
  for (let times = 0; times < 20; times += 1) weights.listed('tools/list', 'large', 1_000);
  expect(await begun(weights, ['small', 'large'])).toBe(1_000);
  weights.forget('small');
  expect(await begun(weights, ['small'])).toBe(16);
});

it('expects no list to be larger than a merged one may be, nor more of targets that the caller may not use', () => {
  expect(expectedRoom(80 * mebibyte, 0)).toBe(10 * mebibyte);
  expect(expectedRoom(1_000, 80 * mebibyte)).toBe(mebibyte + 1_000);
});
