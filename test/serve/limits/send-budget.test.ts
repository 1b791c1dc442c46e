import { describe, expect, it } from 'vitest';
import type { Pushable } from '../../../src/serve/limits/push-queue.ts';
import { SendBudget } from '../../../src/serve/limits/send-budget.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

interface Rig {
  readonly clock: ManualClock;
  readonly budget: SendBudget;
  /** What was begun, in its order, and what says that it is gone. */
  readonly begun: { readonly name: string; gone(): void }[];
  /** A stream that has large responses to write. */
  stream(name: string, responses?: number): Pushable;
}

function createRig(): Rig {
  const clock = createManualClock();
  const budget = new SendBudget(clock, { moving: 200, total: 400, stalledAfter: 1_000, small: 10 });
  const begun: { readonly name: string; gone(): void }[] = [];
  return {
    clock,
    budget,
    begun,
    stream(name, responses = 1) {
      let left = responses;
      const stream = {
        push(): void {
          for (; left > 0; left -= 1) {
            const gone = budget.reserve(stream, 100);
            if (gone === undefined) return;
            begun.push({ name, gone });
          }
        },
      };
      return stream;
    },
  };
}

const names = ({ begun }: Rig): string => begun.map(({ name }) => name).join(' ');

describe('large responses', () => {
  it('are begun up to a limit, and then one for each that is gone, in the order of asking', () => {
    const rig = createRig();
    for (const name of ['a', 'b', 'c', 'd', 'e']) rig.stream(name).push();
    expect(names(rig)).toBe('a b');
    rig.begun[1]?.gone();
    expect(names(rig)).toBe('a b c');
    rig.begun[0]?.gone();
    rig.begun[0]?.gone();
    expect(names(rig)).toBe('a b c d');
  });

  it('of one stream do not overtake those of others', () => {
    const rig = createRig();
    rig.stream('greedy', 4).push();
    rig.stream('other').push();
    rig.begun[0]?.gone();
    rig.begun[1]?.gone();
    expect(names(rig)).toBe('greedy greedy greedy other');
  });

  it('do not hold up small ones', () => {
    const rig = createRig();
    for (const name of ['a', 'b', 'c']) rig.stream(name).push();
    expect(rig.budget.reserve(rig.stream('small'), 9)).toBeDefined();
  });

  it('that nobody takes do not hold up the others, until they are too many', () => {
    const rig = createRig();
    for (const name of ['a', 'b', 'c', 'd', 'e']) rig.stream(name).push();
    rig.clock.advance(1_000);
    expect(names(rig)).toBe('a b c d');
    rig.clock.advance(1_000);
    expect(names(rig)).toBe('a b c d');
    rig.begun[0]?.gone();
    expect(names(rig)).toBe('a b c d e');
    for (const { gone } of rig.begun) gone();
    expect(rig.clock.waiting()).toEqual([]);
  });

  it('of a stream that ended are not waited for', () => {
    const rig = createRig();
    for (const name of ['a', 'b']) rig.stream(name).push();
    const ended = rig.stream('ended');
    ended.push();
    rig.stream('c').push();
    rig.budget.delete(ended);
    rig.begun[0]?.gone();
    expect(names(rig)).toBe('a b c');
  });
});
