import type { Logger } from '../edges.ts';
import type { Batch } from './model.ts';

/** Milliseconds before what was not accepted is delivered again, if no other change triggers it before. */
export const retryDelay = 5_000;

/** A consumer of batches, and where it is said that it failed. */
export interface BatchDeliveryParts {
  readonly deliver: (batch: Batch) => void;
  readonly log: Logger;
}

/**
 * Delivers batches to a consumer that may throw, which is a bug of it. The changes of such a batch are delivered one by
 * one, so that one that fails does not hold up the others, and the source delivers those that fail again once more: one of
 * them may revoke a grant.
 */
export class BatchDelivery {
  readonly #parts: BatchDeliveryParts;
  #synced = false;
  #failing = false;

  constructor(parts: BatchDeliveryParts) {
    this.#parts = parts;
  }

  /** What the last batch that was accepted as a whole has said. */
  get synced(): boolean {
    return this.#synced;
  }

  /** @returns the parts of the batch that were not accepted; undefined: it was accepted as a whole */
  deliver(batch: Batch): readonly Batch[] | undefined {
    if (this.#accepts(batch)) {
      this.#synced = batch.synced;
      return undefined;
    }
    const failed = split(batch, this.#synced).filter((part) => !this.#accepts(part));
    // Nothing of the parts counts before the last one.
    if (batch.more !== true) this.#accepts({ changes: [], synced: this.#synced });
    return failed;
  }

  /** Everything was accepted by now. */
  succeeded(): void {
    if (this.#failing) this.#parts.log.info('what could not be applied is applied now');
    this.#failing = false;
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
}

/** Makes a part of each change. */
function split(batch: Batch, synced: boolean): readonly Batch[] {
  const { changes, observations = [], fetchedKeys = [], bundle, unlistedNamespaces } = batch;
  const part = { changes: [], more: true, synced } as const;
  return [
    ...(bundle === undefined ? [] : [{ ...part, bundle }]),
    ...(unlistedNamespaces === undefined ? [] : [{ ...part, unlistedNamespaces }]),
    ...changes.map((change): Batch => ({ ...part, changes: [change] })),
    ...fetchedKeys.map((keys): Batch => ({ ...part, fetchedKeys: [keys] })),
    ...observations.map((observation): Batch => ({ ...part, observations: [observation] })),
  ];
}
