import type { Clock, Stop } from '../../edges.ts';
import { BatchDelivery, type BatchDeliveryParts, retryDelay } from '../batch-delivery.ts';
import { divide, estimatedBytes } from '../batch-parts.ts';
import type { Batch, ResourceChange } from '../model.ts';

/** Where batches are delivered to, and who is asked for the next one. */
export interface PartedDeliveryParts extends BatchDeliveryParts {
  readonly clock: Clock;
  /** Called some seconds after a delivery that left something: deliver again, be there another batch or not. */
  readonly retry: () => void;
}

/** What a batch brings beside its changes. */
type Rest = Pick<Batch, 'unlistedNamespaces' | 'synced'>;

/**
 * Delivers the batches of files, large ones in parts, each in a turn of the event loop of its own. What is not accepted is
 * kept until it is, unless a newer change replaces it. The source is not synced before all of the first batch was accepted.
 */
export class PartedDelivery {
  readonly #parts: PartedDeliveryParts;
  readonly #delivery: BatchDelivery;
  /** By kind and key: the newest change of each object that was not accepted. */
  readonly #left = new Map<string, ResourceChange>();
  /** The rest of the last batch, as long as something of it was not accepted. */
  #rest: Rest | undefined;
  #stopRetry: Stop = () => undefined;
  #isStopped = false;

  constructor(parts: PartedDeliveryParts) {
    this.#parts = parts;
    this.#delivery = new BatchDelivery(parts);
  }

  /** Delivers a batch, and what is left of those before it. Undefined: nothing else has changed. */
  async deliver(batch: Batch | undefined): Promise<void> {
    if (batch === undefined && this.#rest === undefined) return;
    const { changes = [], since, synced = false } = batch ?? {};
    const rest: Rest = { ...this.#rest, ...unlistedOf(batch), synced: synced || this.#rest?.synced === true };
    this.#rest = undefined;
    this.#stopRetry();
    const parts = divide(this.#withLeft(changes), estimatedBytes);
    for (const [at, changes] of parts.entries()) {
      if (at > 0) await new Promise<void>((resolve) => this.#parts.clock.after(0, resolve));
      if (this.#isStopped) return;
      const isLast = at === parts.length - 1;
      const isWhole = isLast && rest.synced && this.#rest === undefined;
      const common = { changes, synced: this.#delivery.synced || isWhole, ...(since !== undefined && { since }) };
      this.#accept(isLast ? { ...rest, ...common } : { ...common, more: true }, rest);
    }
    if (this.#rest === undefined) this.#delivery.succeeded();
    else this.#stopRetry = this.#parts.clock.after(retryDelay, this.#parts.retry);
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopRetry();
  }

  #accept(batch: Batch, rest: Rest): void {
    const failed = this.#delivery.deliver(batch);
    if (failed === undefined) return;
    this.#rest = rest;
    for (const { changes } of failed) for (const change of changes) this.#left.set(idOf(change), change);
  }

  /** Adds what is left, and forgets it. */
  #withLeft(changes: readonly ResourceChange[]): Iterable<ResourceChange> {
    if (this.#left.size === 0) return changes;
    const all = new Map(this.#left);
    this.#left.clear();
    for (const change of changes) all.set(idOf(change), change);
    return all.values();
  }
}

function idOf({ kind, key }: ResourceChange): string {
  return `${kind} ${key}`;
}

function unlistedOf(batch: Batch | undefined): Pick<Batch, 'unlistedNamespaces'> {
  return batch?.unlistedNamespaces === undefined ? {} : { unlistedNamespaces: batch.unlistedNamespaces };
}
