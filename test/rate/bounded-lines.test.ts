import { describe, expect, it } from 'vitest';
import { BoundedLines } from '../../src/rate/bounded-lines.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';

/** Asks for so many lines about one change. Returns how many may be written, and how many were said to be left out. */
function createRig({ isOnce = false } = {}) {
  const clock = createManualClock();
  let said: number[] = [];
  const lines = new BoundedLines(isOnce ? undefined : clock, (leftOut) => said.push(leftOut));
  const change = (count: number): readonly [written: number, said: readonly number[]] => {
    said = [];
    const written = Array.from({ length: count }, () => lines.admit()).filter((admitted) => admitted).length;
    lines.endChange();
    return [written, said];
  };
  return { clock, change };
}

describe('lines about changes', () => {
  it('are twenty of one change, and one that counts the others', () => {
    const { change } = createRig();
    expect(change(20)).toEqual([20, []]);
    expect(change(21)).toEqual([20, [1]]);
  });

  it('are twenty of each change where everything is read once', () => {
    const { change } = createRig({ isOnce: true });
    for (let time = 0; time < 10; time += 1) expect(change(30)).toEqual([20, [10]]);
  });

  it('are sixty of all changes, with the one that counts, and then one in a second', () => {
    const { clock, change } = createRig();
    const at = Array.from({ length: 30 }, () => change(20));
    expect(at.slice(0, 4)).toEqual([
      [20, []],
      [20, []],
      [19, [1]],
      [0, []],
    ]);
    const sum = (): number => at.reduce((all, [written, said]) => all + written + said.length, 0);
    expect(sum()).toBe(60);
    for (let tenth = 0; tenth < 100; tenth += 1) {
      clock.advance(100);
      at.push(change(20));
    }
    expect(sum()).toBe(70);
    const counted = at.flatMap(([written, said]) => [written, ...said]).reduce((all, one) => all + one, 0);
    expect(counted, 'all but those of the last second').toBe(130 * 20);
  });

  it('name what changed again once there was time', () => {
    const { clock, change } = createRig();
    for (let time = 0; time < 10; time += 1) change(20);
    clock.advance(1_000);
    change(1);
    clock.advance(2_000);
    expect(change(1)).toEqual([1, []]);
  });
});
