import type { Clock, Logger, Stop } from '../../edges.ts';
import type { Batch } from '../model.ts';
import type { PendingChanges } from './pending-changes.ts';

/** What is delivered, and where to. */
export interface BatchDispatcherParts {
  readonly pending: PendingChanges;
  readonly deliver: (batch: Batch) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Delay before a batch that failed is delivered again, in milliseconds, if no other change triggers it before. */
const retryDelay = 5_000;

/**
 * Delivers pending changes as batches, large ones in parts. If a delivery throws, which is a bug of the consumer, its
 * changes are delivered one by one, and those that fail again are put back and retried: one of them may revoke a grant.
 * The source is not synced before all of the first batch was accepted.
 */
export class BatchDispatcher {
  readonly #parts: BatchDispatcherParts;
  #synced = false;
  /** A part of a batch was delivered, and not its last one. */
  #isOpen = false;
  /** A change of this batch has failed. */
  #hasFailed = false;
  #failing = false;
  #stopRetry: Stop = () => undefined;
  #stopNext: Stop | undefined;

  constructor(parts: BatchDispatcherParts) {
    this.#parts = parts;
  }

  dispatch(): void {
    const { pending, clock } = this.#parts;
    const taken = pending.takeBatch();
    if (taken === undefined) return;
    this.stop();
    const { more = false } = taken;
    if (!this.#isOpen) this.#hasFailed = false;
    this.#isOpen = more;
    this.#deliver({ ...taken, synced: this.#synced || (!more && !this.#hasFailed) });
    if (more) this.dispatchNext();
    else if (this.#hasFailed) this.#stopRetry = clock.after(retryDelay, () => this.dispatch());
    else this.#succeeded();
  }

  /** Dispatches in an iteration of the event loop of its own: the present one has decoded or applied something large. */
  dispatchNext(): void {
    this.#stopNext ??= this.#parts.clock.after(0, () => {
      this.#stopNext = undefined;
      this.dispatch();
    });
  }

  stop(): void {
    this.#stopRetry();
    this.#stopNext?.();
    this.#stopNext = undefined;
  }

  #deliver(batch: Batch): void {
    if (this.#accepts(batch)) {
      this.#synced = batch.synced;
      return;
    }
    this.#hasFailed = true;
    const { pending } = this.#parts;
    for (const part of this.#split(batch)) if (!this.#accepts(part)) pending.putBack(part);
    pending.putBackSynced();
    // Nothing of the parts counts before the last one.
    if (batch.more !== true) this.#accepts({ changes: [], synced: this.#synced });
  }

  #succeeded(): void {
    const { pending, log } = this.#parts;
    if (this.#failing) log.info('what could not be applied is applied now');
    this.#failing = false;
    // What changed while parts were delivered.
    if (pending.hasBatch) this.dispatchNext();
  }

  #accepts(batch: Batch): boolean {
    try {
      this.#parts.deliver(batch);
      return true;
    } catch (error) {
      // Logged once: every later batch would log the same line.
      if (!this.#failing) {
        const message = 'internal error: a batch of changes could not be applied, and is told again until it is';
        this.#parts.log.error(message, { error: String(error) });
      }
      this.#failing = true;
      return false;
    }
  }

  /** Makes a part of each change, so that one that fails does not hold up the others. */
  #split({ changes, observations = [], bundle }: Batch): readonly Batch[] {
    const [synced, more] = [this.#synced, true];
    return [
      ...(bundle === undefined ? [] : [{ changes: [], bundle, more, synced }]),
      ...changes.map((change): Batch => ({ changes: [change], more, synced })),
      ...observations.map((observation): Batch => ({ changes: [], observations: [observation], more, synced })),
    ];
  }
}
