import { setImmediate as iteration } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AcceptQueue } from '../../../src/serve/limits/accept-queue.ts';
import { createManualClock, type ManualClock } from '../../support/edges/manual-clock.ts';

interface Rig {
  readonly queue: AcceptQueue;
  readonly clock: ManualClock;
  /** The connections that were accepted, rejected (`!`) or torn down (`-`), in that order. */
  readonly events: string[];
  busy: boolean;
  connect(name: string, address?: string): void;
  close(...names: string[]): void;
}

/** While busy, an address may open one connection a second, and eight at once. */
function createRig(capacity = 100): Rig {
  const events: string[] = [];
  const clock = createManualClock();
  const queue = new AcceptQueue({ capacity, busyRate: { rate: 1, burst: 8 }, busy: () => rig.busy, clock });
  const rig: Rig = {
    queue,
    clock,
    events,
    busy: false,
    connect: (name, address = 'one') =>
      queue.add({ address, accept: () => Math.min(1, events.push(name)), reject: () => void events.push(`!${name}`) }),
    close: (...names) => {
      for (const name of names) queue.close(() => void events.push(`-${name}`));
    },
  };
  return rig;
}

/** The events of each iteration of the event loop, until one without. */
async function iterations({ events }: Rig): Promise<readonly string[]> {
  const all: string[] = [];
  for (;;) {
    await iteration();
    if (events.length === 0) return all;
    all.push(events.splice(0).join(' '));
  }
}

async function settle({ events }: Rig): Promise<string> {
  for (let left = 50; left > 0; left -= 1) await iteration();
  return events.splice(0).join(' ');
}

const named = (name: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${name}${index}`);

describe('connections', () => {
  it('are accepted one and torn down two in an iteration of the event loop while changes are sent', async () => {
    const rig = createRig();
    rig.busy = true;
    for (const name of ['a', 'b', 'c']) rig.connect(name);
    rig.close('x', 'y', 'z');
    expect(rig.events).toEqual([]);
    expect(await iterations(rig)).toEqual(['-x -y a', '-z b', 'c']);
  });

  it('are accepted by sixteen and torn down by thirty-two while nothing changes', async () => {
    const rig = createRig();
    for (const name of named('new', 20)) rig.connect(name);
    rig.close(...named('gone', 40));
    const kinds = (await iterations(rig)).map((events) => ({
      closed: events.split(' ').filter((event) => event.startsWith('-')).length,
      accepted: events.split(' ').filter((event) => !event.startsWith('-')).length,
    }));
    expect(kinds).toEqual([
      { closed: 32, accepted: 16 },
      { closed: 8, accepted: 4 },
    ]);
  });

  it('of several addresses are accepted in turn, however many wait of one', async () => {
    const rig = createRig();
    rig.busy = true;
    for (const name of named('flood', 5)) rig.connect(name);
    rig.connect('other', 'two');
    expect((await iterations(rig)).slice(0, 3)).toEqual(['flood0', 'other', 'flood1']);
  });
});

describe('a connection that costs as much as sixteen', () => {
  it('is the last one of its iteration', async () => {
    const rig = createRig();
    const costly = (name: string): void =>
      rig.queue.add({ address: 'one', accept: () => 16 * Math.min(1, rig.events.push(name)), reject: () => {} });
    rig.connect('a');
    costly('b');
    costly('c');
    rig.connect('d');
    expect(await iterations(rig)).toEqual(['a b', 'c', 'd']);
  });
});

describe('a flood of connections', () => {
  it('is rejected at once as far as it does not fit', () => {
    const rig = createRig(2);
    for (const name of ['a', 'b', 'c']) rig.connect(name);
    expect(rig.events).toEqual(['!c']);
  });

  it('makes room for another address', async () => {
    const rig = createRig(2);
    for (const name of ['a', 'b']) rig.connect(name);
    rig.connect('other', 'two');
    expect(await iterations(rig)).toEqual(['!a b other']);
  });

  it('is accepted at the rate of its address while changes are sent, which delays no other address', async () => {
    const rig = createRig();
    rig.busy = true;
    for (const name of named('', 20)) rig.connect(name);
    expect(await settle(rig)).toBe('0 1 2 3 4 5 6 7');
    rig.connect('other', 'two');
    rig.close('gone');
    expect(await settle(rig)).toBe('-gone other');
    expect(rig.clock.waiting()).toEqual([1_000]);
    rig.clock.next();
    expect(await settle(rig)).toBe('8');
    rig.busy = false;
    rig.clock.next();
    expect((await settle(rig)).split(' ')).toHaveLength(11);
  });
});

describe('addresses that wait for their rate', () => {
  it('are each served when it is their time, whoever began to wait first', async () => {
    const rig = createRig();
    rig.busy = true;
    for (const name of named('b', 8)) rig.connect(name, 'two');
    await settle(rig);
    rig.clock.advance(600);
    for (const name of named('a', 9)) rig.connect(name, 'one');
    await settle(rig);
    rig.connect('late', 'two');
    await settle(rig);
    expect(rig.clock.waiting()).toEqual([400, 1_000]);
    rig.clock.next();
    expect(await settle(rig)).toBe('late');
  });

  it('are not looked at when another connection arrives', async () => {
    let looks = 0;
    const clock = createManualClock();
    const now = (): number => {
      looks += 1;
      return clock.now();
    };
    const counted = { ...clock, now };
    const accept = (): number => 1;
    const queue = new AcceptQueue({
      capacity: 1_000,
      busyRate: { rate: 1, burst: 1 },
      busy: () => true,
      clock: counted,
    });
    for (const address of [...named('', 200), ...named('', 200)]) queue.add({ address, accept, reject: () => {} });
    for (let left = 500; left > 0; left -= 1) await iteration();
    looks = 0;
    queue.add({ address: 'another', accept, reject: () => {} });
    await iteration();
    await iteration();
    expect(looks).toBeLessThan(10);
  });

  it('forget a connection that is removed', async () => {
    const rig = createRig(1);
    rig.busy = true;
    const removed = { address: 'one', accept: () => rig.events.push('removed'), reject: () => {} };
    rig.queue.add(removed);
    rig.queue.remove(removed);
    rig.connect('a');
    expect(await settle(rig)).toBe('a');
  });
});

describe('an accept queue that is drained', () => {
  it('accepts and tears down everything that waits, and whatever comes later', () => {
    const rig = createRig();
    rig.busy = true;
    rig.connect('a');
    rig.connect('b', 'two');
    rig.close('c');
    rig.queue.drain();
    rig.close('d');
    rig.connect('e');
    expect(rig.events).toEqual(['-c', 'a', 'b', '-d', 'e']);
  });

  it('does not wait for the rate of an address', async () => {
    const rig = createRig();
    rig.busy = true;
    for (const name of named('', 9)) rig.connect(name);
    await settle(rig);
    expect(rig.clock.waiting()).toHaveLength(1);
    rig.queue.drain();
    expect(rig.events).toEqual(['8']);
    expect(rig.clock.waiting()).toEqual([]);
  });
});
