import type { Clock, Logger, Stop } from '../../edges.ts';
import type { Batch } from '../model.ts';
import type { ClusterWorld } from './pending-changes.ts';

export interface DeliveryParts {
  readonly world: ClusterWorld;
  readonly deliver: (batch: Batch) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What could not be applied is tried again so often, though nothing new is told. In milliseconds. */
const AGAIN = 5_000;

/**
 * Hands over what is different. Whoever takes a batch and throws has a bug, but what it did not take is not lost, since
 * it may be the end of a grant: its changes are told one by one, and those that fail again with each batch to come.
 * Nothing counts as read for the first time before all of it was taken.
 */
export class Delivery {
  readonly #parts: DeliveryParts;
  #synced = false;
  #failing = false;
  #again: Stop = () => undefined;

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
  }

  run(): void {
    const { world, clock, log } = this.#parts;
    const batch = world.settle();
    if (batch === undefined) return;
    this.#again();
    if (this.#isTaken(batch)) {
      this.#synced = batch.synced;
      if (this.#failing) log.info('what could not be applied is applied now');
      this.#failing = false;
      return;
    }
    for (const part of this.#singly(batch)) if (!this.#isTaken(part)) world.restore(part);
    world.restoreEnd();
    this.#again = clock.after(AGAIN, () => this.run());
  }

  stop(): void {
    this.#again();
  }

  #isTaken(batch: Batch): boolean {
    try {
      this.#parts.deliver(batch);
      return true;
    } catch (error) {
      // Once: with every change of other objects it would be the same line.
      if (!this.#failing) {
        const message = 'internal error: a batch of changes could not be applied, and is told again until it is';
        this.#parts.log.error(message, { error: String(error) });
      }
      this.#failing = true;
      return false;
    }
  }

  /** Each change as a batch of its own, so that the others need not wait for the one that fails. */
  #singly({ changes, observations = [], bundle }: Batch): readonly Batch[] {
    const synced = this.#synced;
    return [
      ...(bundle === undefined ? [] : [{ changes: [], bundle, synced }]),
      ...changes.map((change): Batch => ({ changes: [change], synced })),
      ...observations.map((observation): Batch => ({ changes: [], observations: [observation], synced })),
    ];
  }
}
