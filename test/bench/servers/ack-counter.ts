import type { Counters } from '../../../src/edges.ts';

/** Counts answers, and calls back when there are enough. */
export class Acks {
  #count = 0;
  #goal = Number.POSITIVE_INFINITY;
  #then: () => void = () => {};
  /** Called for each answer. */
  each: () => void = () => {};

  get count(): number {
    return this.#count;
  }

  add(): void {
    this.#count += 1;
    this.each();
    this.#look();
  }

  /** Calls `then` once; one goal at a time. */
  when(goal: number, then: () => void): void {
    this.#goal = goal;
    this.#then = then;
    this.#look();
  }

  #look(): void {
    if (this.#count < this.#goal) return;
    this.#goal = Number.POSITIVE_INFINITY;
    this.#then();
  }
}

/** The same counters, of which the accepted responses are counted here, too. */
export function countingAcks(counters: Counters, acks: Acks): Counters {
  return {
    ...counters,
    count: (name, labels, by) => {
      counters.count(name, labels, by);
      if (name === 'gatehouse_xds_acks_total') acks.add();
    },
  };
}
