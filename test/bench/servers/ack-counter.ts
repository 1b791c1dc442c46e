import type { Counters } from '../../../src/edges.ts';

/** Counts ACKs and calls back at a number of them. */
export class AckCounter {
  #count = 0;
  #goal = Number.POSITIVE_INFINITY;
  #reached: () => void = () => {};
  /** Called for each ACK. */
  onAck: () => void = () => {};

  get count(): number {
    return this.#count;
  }

  add(): void {
    this.#count += 1;
    this.onAck();
    this.#check();
  }

  /** Calls `reached` once the count is at least `goal`. Replaces the goal before. */
  when(goal: number, reached: () => void): void {
    this.#goal = goal;
    this.#reached = reached;
    this.#check();
  }

  #check(): void {
    if (this.#count < this.#goal) return;
    this.#goal = Number.POSITIVE_INFINITY;
    this.#reached();
  }
}

/** Returns counters that also count ACKs in `acks`. */
export function countAcks(counters: Counters, acks: AckCounter): Counters {
  return {
    ...counters,
    count: (name, labels, by) => {
      counters.count(name, labels, by);
      if (name === 'gatehouse_xds_acks_total') acks.add();
    },
  };
}
