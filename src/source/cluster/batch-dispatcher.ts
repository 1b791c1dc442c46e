import type { Clock, Stop } from '../../edges.ts';
import { BatchDelivery, type BatchDeliveryParts, retryDelay } from '../batch-delivery.ts';
import type { Batch } from '../model.ts';
import type { PendingChanges } from './pending-changes.ts';

/** What is delivered, and where to. */
export interface BatchDispatcherParts extends BatchDeliveryParts {
  readonly pending: PendingChanges;
  readonly clock: Clock;
}

/**
 * Delivers pending changes as batches, large ones in parts. What is not accepted is put back and delivered again. The
 * source is not synced before all of the first batch was accepted.
 */
export class BatchDispatcher {
  readonly #parts: BatchDispatcherParts;
  readonly #delivery: BatchDelivery;
  /** A part of a batch was delivered, and not its last one. */
  #isOpen = false;
  /** A change of this batch has failed. */
  #hasFailed = false;
  /** What was delivered last is what was taken away. */
  #hasNarrowed = false;
  #stopRetry: Stop = () => undefined;
  #stopNext: Stop | undefined;

  constructor(parts: BatchDispatcherParts) {
    this.#parts = parts;
    this.#delivery = new BatchDelivery(parts);
  }

  dispatch(): void {
    const { pending, clock } = this.#parts;
    if (this.#narrow()) return;
    const taken = pending.takeBatch();
    if (taken === undefined) return;
    this.stop();
    const { more = false } = taken;
    if (!this.#isOpen) this.#hasFailed = false;
    this.#isOpen = more;
    this.#deliver({ ...taken, synced: this.#delivery.synced || (!more && !this.#hasFailed) });
    if (more) this.dispatchNext();
    else if (this.#hasFailed) this.#stopRetry = clock.after(retryDelay, () => this.dispatch());
    else this.#succeeded();
  }

  /** Delivers first what was taken away, where it would wait for much else. The next turn is for that. */
  #narrow(): boolean {
    const { pending } = this.#parts;
    // A batch that contained some of it would hold up what its namespaces lose next. What fails waits for the next batch:
    // it would be taken again in each turn, and nothing else, and a newer change of it narrows what was never delivered.
    const mayTake = !(this.#hasNarrowed && this.#isOpen) && !this.#hasFailed;
    const isTurn = mayTake && this.#delivery.synced && pending.isLarge;
    const changes = isTurn ? pending.takeNarrowing() : [];
    this.#hasNarrowed = changes.length > 0;
    if (!this.#hasNarrowed) return false;
    this.stop();
    this.#deliver({ changes, narrows: true, ...(this.#isOpen && { more: true }), synced: true });
    this.dispatchNext();
    return true;
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
    const failed = this.#delivery.deliver(batch);
    if (failed === undefined) return;
    this.#hasFailed = true;
    const { pending } = this.#parts;
    for (const part of failed) pending.putBack(part);
    pending.putBackSynced();
  }

  #succeeded(): void {
    this.#delivery.succeeded();
    // What changed while parts were delivered.
    if (this.#parts.pending.hasBatch) this.dispatchNext();
  }
}
