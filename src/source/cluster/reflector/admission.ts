import type { ApiObject } from '../api/object.ts';
import type { Collection } from '../api/path.ts';
import type { PendingChanges } from '../pending-changes.ts';
import type { ListingBudget } from './listing-budget.ts';
import type { ObjectStore } from './object-store.ts';

/** A store, and what decides about its room. */
export interface AdmissionParts {
  readonly collection: Collection;
  readonly store: ObjectStore;
  /** Shared by all kinds. */
  readonly budget: ListingBudget;
  readonly pending: PendingChanges;
  /** Called when a list would find other objects to give way, or room for some that have none. */
  readonly unsettled: () => void;
}

/**
 * Admits the objects of watch events to a store as far as there is room. An object without room for its bytes counts as
 * unreadable, so that what it allowed before is not allowed any more, and one too many is left out; the watch goes on
 * for all others. Which objects give way is settled by the next list, which sees all of them.
 */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** An object was added or modified. */
  set(object: ApiObject): void {
    const { collection, store, budget, unsettled } = this.#parts;
    const before = store.bytesOf(object.key);
    const more = { objects: before === undefined ? 1 : 0, bytes: object.bytes - (before ?? 0) };
    const room = store.holds(object) ? 'enough' : budget.roomFor(collection, more);
    if (room === 'enough') store.set(object);
    else if (room === 'too-large') store.crowdOut(object);
    else store.leaveOut(object);
    if (room !== 'enough' || more.bytes < 0) this.#settleLater(unsettled);
    this.stored();
  }

  /** An object was deleted. */
  delete(object: ApiObject): void {
    this.#parts.store.delete(object);
    this.#settleLater(this.#parts.unsettled);
    this.stored();
  }

  /** The store has changed. */
  stored(): void {
    const { collection, store, budget, pending } = this.#parts;
    budget.stored(collection, store.size);
    pending.withoutRoom(collection, store);
  }

  #settleLater(unsettled: () => void): void {
    const { crowdedOut, leftOut } = this.#parts.store;
    if (crowdedOut > 0 || leftOut.count > 0) unsettled();
  }
}
