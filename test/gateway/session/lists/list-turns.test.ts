import { expect, it } from 'vitest';
import { createListTurns, type ListTurns } from '../../../../src/gateway/session/lists/list-turns.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

/** Begins lists of as many callers, and says how many of them did not wait. */
async function begun(turns: ListTurns, callers: number): Promise<readonly { read(weight: number): void }[]> {
  const held: { read(weight: number): void; [Symbol.dispose](): void }[] = [];
  for (let caller = 0; caller < callers; caller += 1)
    void turns.toBegin(String(caller), 'tools/list').then((list) => held.push(list));
  await new Promise((resolve) => setImmediate(resolve));
  return held;
}

it('begins 48 lists of all clients that ask at once before it is known how large they are', async () => {
  expect(await begun(createListTurns(createManualClock()), 1_000)).toHaveLength(48);
});

it('begins all of them once one was small, and few once one was large', async () => {
  const turns = createListTurns(createManualClock());
  const [first] = await begun(turns, 1);
  first?.read(1_000);
  expect(await begun(turns, 1_000)).toHaveLength(1_000);
  first?.read(8 * 1024 * 1024);
  expect(await begun(turns, 1_000)).toHaveLength(2);
});
