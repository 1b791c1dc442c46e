import { describe, expect, it } from 'vitest';
import { Pace } from '../../../src/serve/limits/pace.ts';
import { createManualClock } from '../../support/edges/manual-clock.ts';

/** A pace of 160 connections a second, half a minute after the last change; and who comes when nobody has to wait. */
function createRig(): { pace: Pace; change(): void; pass(milliseconds: number): void; come(): number } {
  const clock = createManualClock();
  let lastPush = Number.NEGATIVE_INFINITY;
  const pace = new Pace(clock, 160, () => lastPush);
  return {
    pace,
    change: () => {
      lastPush = clock.now();
    },
    pass: (milliseconds) => clock.advance(milliseconds),
    come() {
      let count = 0;
      for (; pace.wait() === 0 && count < 1_000; count += 1) pace.take();
      return count;
    },
  };
}

describe('the pace of those who want much', () => {
  it('is not limited while nothing changes', () => {
    expect(createRig().come()).toBe(1_000);
  });

  it('is, while changes are sent, half a second’s worth at once and then a sixteenth of the rate', () => {
    const rig = createRig();
    rig.change();
    expect(rig.come()).toBe(80);
    expect(rig.pace.wait()).toBe(100);
    rig.pass(1_000);
    expect(rig.come()).toBe(10);
  });

  it('is not limited any more when the last change is a second ago', () => {
    const rig = createRig();
    rig.change();
    rig.come();
    rig.pass(1_000);
    rig.come();
    rig.pass(1);
    expect(rig.come()).toBe(1_000);
  });

  it('owes nothing for what came while nothing changed', () => {
    const rig = createRig();
    rig.come();
    rig.change();
    expect(rig.come()).toBe(80);
  });

  it('is not limited by a change that lies ahead, for the clock was set back', () => {
    const clock = createManualClock();
    const pace = new Pace(clock, 16, () => clock.now() + 3_600_000);
    for (let count = 0; count < 100; count += 1) pace.take();
    expect(pace.wait()).toBe(0);
  });

  it('lets one come at least, however low the rate', () => {
    const pace = new Pace(createManualClock(), 1, () => Date.UTC(2026, 0, 1));
    expect(pace.wait()).toBe(0);
    pace.take();
    expect(pace.wait()).toBe(16_000);
  });
});
