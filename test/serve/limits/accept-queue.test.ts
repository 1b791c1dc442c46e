import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turnstile } from '../../../src/serve/limits/accept-queue.ts';
import { Pace } from '../../../src/serve/limits/pace.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

interface Rig {
  readonly turnstile: Turnstile;
  readonly clock: ManualClock;
  /** When the last change was sent, for those who come at a pace of one a second, eight at once. */
  lastPush: number;
  /** Who passed, in the order of passing. */
  readonly passed: string[];
  pushing: boolean;
  come(name: string, modest?: boolean): boolean;
  go(...names: string[]): void;
}

/** @param rate of those who come at a pace: half of it may come at once */
function createRig(places = 100, reserved = 10, rate = 16): Rig {
  const passed: string[] = [];
  const clock = createManualClock();
  const pace = new Pace(clock, rate, () => rig.lastPush);
  const turnstile = new Turnstile({ places, reserved, pushing: () => rig.pushing, pace, clock });
  const rig: Rig = {
    turnstile,
    clock,
    lastPush: Number.NEGATIVE_INFINITY,
    passed,
    pushing: false,
    come: (name, modest = false) => turnstile.come(modest, () => passed.push(name)),
    go: (...names) => {
      for (const name of names) turnstile.go(() => passed.push(name));
    },
  };
  return rig;
}

/** What passed in each turn of the event loop, until a turn in which nothing did. */
async function turns({ passed }: Rig): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    await turn();
    if (passed.length === 0) return all;
    all.push(passed.splice(0).join(' '));
  }
}

/** What passed in so many turns. */
async function during({ passed }: Rig, count: number): Promise<string> {
  for (let left = count; left > 0; left -= 1) await turn();
  return passed.splice(0).join(' ');
}

describe('connections', () => {
  it('come one by one, a turn of the event loop each, in their order, once a change was sent', async () => {
    const rig = createRig();
    rig.lastPush = rig.clock.now();
    for (const name of ['a', 'b', 'c']) rig.come(name);
    expect(rig.passed).toEqual([]);
    expect(await turns(rig)).toEqual(['a', 'b', 'c']);
  });

  it('go two by two then, so that no more are left than come', async () => {
    const rig = createRig();
    rig.lastPush = rig.clock.now();
    rig.go('a', 'b', 'c');
    rig.come('new');
    expect(await turns(rig)).toEqual(['a b new', 'c']);
  });

  it('come and go by sixteen while nothing changes', async () => {
    const rig = createRig();
    for (let count = 0; count < 20; count += 1) {
      rig.come(`new-${count}`);
      rig.go(`gone-${count}`);
    }
    const passed = (await turns(rig)).map((names) => names.split(' ').map((name) => name.replace(/-.*/, '')));
    const sixteen = (name: string): readonly string[] => Array.from({ length: 16 }, () => name);
    expect(passed).toEqual([
      [...sixteen('gone'), ...sixteen('new')],
      ['gone', 'gone', 'gone', 'gone', 'new', 'new', 'new', 'new'],
    ]);
  });

  it('that come while others wait, come after them', async () => {
    const rig = createRig();
    rig.come('a');
    rig.come('b');
    await turn();
    rig.come('c');
    await turn();
    await turn();
    expect(rig.passed).toEqual(['a', 'b', 'c']);
  });
});

describe('connections and changes: connections', () => {
  it('give way to changes that wait to be sent, but not for ever', async () => {
    const rig = createRig();
    rig.pushing = true;
    rig.come('a');
    rig.come('b', true);
    rig.go('c');
    expect(await during(rig, 2)).toBe('');
    expect(await during(rig, 1)).toBe('b');
    expect(await during(rig, 5)).toBe('');
    expect(await during(rig, 1)).toBe('c');
    expect(await during(rig, 7)).toBe('');
    expect(await during(rig, 1)).toBe('a');
  });

  it('give way to the answers, too, as long as those need who are at it', async () => {
    const rig = createRig(100, 10, 1_000);
    rig.pushing = true;
    rig.lastPush = rig.clock.now();
    for (let count = 0; count < 100; count += 1) rig.come(String(count));
    await turn();
    rig.pushing = false;
    expect((await during(rig, 63)).split(' ')).toHaveLength(3);
    expect((await during(rig, 20)).split(' ')).toHaveLength(20);
  });

  it('go, whoever has yet to answer', async () => {
    const rig = createRig();
    rig.pushing = true;
    rig.go('a');
    await turn();
    rig.pushing = false;
    expect(await during(rig, 1)).toBe('a');
  });
});

describe('a flood of connections', () => {
  it('waits as far as there are places, and hears at once that there is none', () => {
    const rig = createRig(2, 0);
    expect(['a', 'b', 'c', 'd'].map((name) => rig.come(name))).toEqual([true, true, false, false]);
  });

  it('has places again as it passes', async () => {
    const rig = createRig(1, 0);
    expect([rig.come('a'), rig.come('b')]).toEqual([true, false]);
    await turn();
    expect(rig.come('b')).toBe(true);
  });

  it('keeps none waiting who wants little, and none of them out', async () => {
    const rig = createRig(50, 2, 1_000);
    rig.lastPush = rig.clock.now();
    for (let count = 0; count < 60; count += 1) rig.come(`flood-${count}`);
    expect([rig.come('x', true), rig.come('y', true), rig.come('z', true)]).toEqual([true, true, false]);
    expect((await turns(rig)).slice(0, 3)).toEqual(['x flood-0', 'y flood-1', 'flood-2']);
  });

  it('leaves one who wants little its place among the others, when those who want little are many', async () => {
    const rig = createRig(1, 1);
    expect([rig.come('x', true), rig.come('y', true), rig.come('z', true)]).toEqual([true, true, false]);
    expect(await turns(rig)).toEqual(['x y']);
  });

  it('comes at its pace while changes are sent, and those who want little do not', async () => {
    const rig = createRig();
    rig.lastPush = rig.clock.now();
    for (let count = 0; count < 20; count += 1) rig.come(String(count));
    expect(await during(rig, 50)).toBe('0 1 2 3 4 5 6 7');
    rig.come('modest', true);
    rig.go('gone');
    expect(await during(rig, 50)).toBe('gone modest');
    expect(rig.clock.waiting()).toEqual([1_000]);
    expect(rig.clock.next()).toBe(1_000);
    expect(await during(rig, 50)).toBe('8');
    // A second after the last change nothing is in the way any more.
    rig.clock.next();
    expect((await during(rig, 50)).split(' ')).toHaveLength(11);
  });

  it('keeps nobody from leaving', async () => {
    const rig = createRig(1, 0);
    rig.come('a');
    rig.go(...Array.from({ length: 500 }, (_, index) => `gone-${index}`));
    expect(await turns(rig)).toHaveLength(32);
  });
});

describe('a turnstile that is opened', () => {
  it('lets everybody pass who waits, and whoever comes after', () => {
    const rig = createRig();
    rig.pushing = true;
    rig.lastPush = rig.clock.now();
    rig.come('a');
    rig.come('b', true);
    rig.go('c');
    rig.turnstile.open();
    rig.go('d');
    expect(rig.passed).toEqual(['c', 'b', 'a', 'd']);
  });

  it('waits for no pace any more', async () => {
    const rig = createRig();
    rig.lastPush = rig.clock.now();
    for (let count = 0; count < 9; count += 1) rig.come(String(count));
    await during(rig, 20);
    expect(rig.clock.waiting()).toHaveLength(1);
    rig.turnstile.open();
    expect(rig.passed).toEqual(['8']);
    expect(rig.clock.waiting()).toEqual([]);
  });
});
