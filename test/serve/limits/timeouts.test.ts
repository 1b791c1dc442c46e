import { describe, expect, it } from 'vitest';
import { Deadlines } from '../../../src/serve/limits/timeouts.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

interface Rig {
  readonly clock: ManualClock;
  readonly deadlines: Deadlines;
  /** The waits that ran out, and when, in milliseconds since the start. */
  readonly expired: string[];
  /** Begins a wait; answers what ends it. */
  begin(name: string, then?: () => void): () => void;
}

function createRig(clock = createManualClock(0)): Rig {
  const deadlines = new Deadlines(clock, 1_000);
  const expired: string[] = [];
  return {
    clock,
    deadlines,
    expired,
    begin(name, then = () => {}) {
      const who = {
        expire: () => {
          expired.push(`${name} ${clock.now()}`);
          then();
        },
      };
      deadlines.begin(who);
      return () => deadlines.end(who);
    },
  };
}

describe('waits that may last equally long', () => {
  it('run out each at its time, with one timer for all', () => {
    const { clock, begin, expired } = createRig();
    begin('a');
    clock.advance(300);
    begin('b');
    begin('c');
    expect(clock.waiting()).toEqual([700]);
    clock.advance(699);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['a 1000']);
    clock.advance(5_000);
    expect(expired).toEqual(['a 1000', 'b 1300', 'c 1300']);
  });

  it('that ended do not run out, and leave no timer when nobody waits', () => {
    const { clock, begin, expired } = createRig();
    const endFirst = begin('first');
    clock.advance(400);
    begin('second');
    endFirst();
    endFirst();
    clock.advance(999);
    expect(expired).toEqual([]);
    clock.advance(1);
    expect(expired).toEqual(['second 1400']);
    begin('third')();
    expect(clock.waiting()).toEqual([]);
  });

  it('that begin anew have their whole time again', () => {
    const { clock, deadlines, expired } = createRig();
    const who = { expire: () => void expired.push(`it ${clock.now()}`) };
    deadlines.begin(who);
    clock.advance(600);
    deadlines.begin(who);
    clock.advance(5_000);
    expect(expired).toEqual(['it 1600']);
  });

  it('may end and begin others when they run out', () => {
    const { clock, begin, expired } = createRig();
    let endOther = (): void => {};
    begin('one', () => {
      endOther();
      begin('next');
    });
    endOther = begin('other');
    clock.advance(5_000);
    expect(expired).toEqual(['one 1000', 'next 2000']);
  });
});

it.each([
  ['back', -3_600_000],
  ['forward', 3_600_000],
])('a clock that is set %s ends no wait too early, and none later than twice its time', (_, by) => {
  const clock = createManualClock(0);
  let shift = 0;
  const { begin, expired } = createRig({ ...clock, now: () => clock.now() + shift });
  begin('before');
  clock.advance(500);
  shift = by;
  begin('after');
  clock.advance(999);
  expect(expired).toEqual([`before ${1_000 + by}`]);
  clock.advance(1_001);
  expect(expired).toHaveLength(2);
  expect(clock.waiting()).toEqual([]);
});
