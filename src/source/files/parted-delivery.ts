import type { Clock, Stop } from '../../edges.ts';
import { BatchDelivery, type BatchDeliveryParts, retryDelay } from '../batch-delivery.ts';
import { divide, estimatedBytes } from '../batch-parts.ts';
import type { Batch, ResourceChange } from '../model.ts';
import {
  type BatchRest,
  type FileBatch,
  idOf,
  type PendingBatch,
  PendingBatches,
  pendingOf,
} from './pending-batches.ts';

/** Where batches are delivered to, and who is asked for the next one. */
export interface PartedDeliveryParts extends BatchDeliveryParts {
  readonly clock: Clock;
  /** Called some seconds after a delivery that left something: deliver again, be there another batch or not. */
  readonly retry: () => void;
  /** Settles when what is being read was read, or soon: the next part waits for it. Default: none does. */
  readonly reading?: () => Promise<void>;
}

/**
 * Delivers the batches of files, large ones in parts, each in a turn of the event loop of its own. Small ones go before large
 * ones that do not depend on them, and between the parts of one that changes Services alone: what a target is follows from
 * its Service, so that the parts that were delivered count as if they had been saved first. What is not accepted is kept until
 * it is, unless a newer change replaces it. The source is not synced before all of the first batch was accepted.
 */
export class PartedDelivery {
  readonly #parts: PartedDeliveryParts;
  readonly #delivery: BatchDelivery;
  readonly #pending = new PendingBatches();
  /** By kind and key: the newest change of each object that was not accepted. */
  readonly #left = new Map<string, ResourceChange>();
  /** The rest of the last batch, as long as something of it was not accepted. */
  #rest: BatchRest | undefined;
  #isRunning = false;
  #ended: Promise<void> = Promise.resolve();
  #stopRetry: Stop = () => undefined;
  #isStopped = false;

  constructor(parts: PartedDeliveryParts) {
    this.#parts = parts;
    this.#delivery = new BatchDelivery(parts);
  }

  /**
   * Delivers batches, and what is left of those before them. None: nothing else has changed.
   *
   * @returns the end of all deliveries; if there is none under way, the first part is delivered before it returns
   */
  deliver(batches: readonly FileBatch[]): Promise<void> {
    for (const batch of batches) this.#pending.add(pendingOf(batch));
    if (batches.length === 0 && this.#rest !== undefined)
      this.#pending.add(pendingOf({ ...this.#rest, changes: [], files: 'all' }));
    if (!this.#isRunning) this.#ended = this.#run();
    return this.#ended;
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopRetry();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    let wasSmall = false;
    let isFirst = true;
    const next = (): PendingBatch | undefined => {
      const small = wasSmall ? undefined : this.#pending.takeSmall();
      wasSmall = small !== undefined;
      return small ?? this.#pending.takeSmallest();
    };
    for (let batch = next(); batch !== undefined; batch = next()) {
      if (!isFirst) await this.#turn();
      if (this.#isStopped) break;
      isFirst = false;
      await this.#deliver(batch);
    }
    this.#isRunning = false;
  }

  async #deliver(batch: PendingBatch): Promise<void> {
    const rest: BatchRest = { ...this.#rest, ...batch.rest };
    const isDivisible = this.#rest === undefined && [...batch.changes.values()].every(({ kind }) => kind === 'Service');
    this.#rest = undefined;
    this.#stopRetry();
    let isFirst = true;
    for (const { items: changes, more } of divide(this.#withLeft(batch.changes), estimatedBytes)) {
      if (!isFirst) await this.#turn();
      if (!isFirst && isDivisible && this.#letPass(batch)) await this.#turn();
      if (this.#isStopped) return;
      isFirst = false;
      const isWhole = !more && rest.synced && this.#rest === undefined;
      const common = { ...sinceOf(batch), changes, synced: this.#delivery.synced || isWhole };
      this.#accept(more ? { ...common, more } : { ...rest, ...common }, rest);
    }
    if (this.#rest === undefined) this.#delivery.succeeded();
    else this.#stopRetry = this.#parts.clock.after(retryDelay, this.#parts.retry);
  }

  /** Delivers small batches between two parts of a large one. Returns whether there were any. */
  #letPass(large: PendingBatch): boolean {
    if (this.#isStopped || this.#rest !== undefined) return false;
    const small = this.#pending.takeSmall(large);
    if (small === undefined) return false;
    const changes = [...small.changes.values()];
    this.#accept({ ...small.rest, ...sinceOf(small), changes, synced: this.#delivery.synced }, small.rest);
    return true;
  }

  /**
   * Waits for an iteration of the event loop of its own, and for files that are being read: that takes a dozen iterations,
   * each of which would have a part.
   */
  async #turn(): Promise<void> {
    await new Promise<void>((resolve) => this.#parts.clock.after(0, resolve));
    await this.#parts.reading?.();
  }

  #accept(batch: Batch, rest: BatchRest): void {
    const failed = this.#delivery.deliver(batch);
    if (failed === undefined) return;
    this.#rest = rest;
    for (const { changes } of failed) for (const change of changes) this.#left.set(idOf(change), change);
  }

  /** Adds what is left, and forgets it. */
  #withLeft(changes: ReadonlyMap<string, ResourceChange>): Iterable<ResourceChange> {
    if (this.#left.size === 0) return changes.values();
    const all = new Map(this.#left);
    this.#left.clear();
    for (const [id, change] of changes) all.set(id, change);
    return all.values();
  }
}

function sinceOf({ since }: PendingBatch): Pick<Batch, 'since'> {
  return since === undefined ? {} : { since };
}
