import type { ApiObject } from '../../api/object.ts';
import type { Collection } from '../../api/path.ts';
import type { PendingChanges } from '../../pending-changes.ts';
import type { ObjectStore } from '../object-store.ts';
import type { ListingBudget, ListingSize, Room } from './listing-budget.ts';

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
 * Admits the objects of watch events to a store as far as there is room. Without room for its bytes, larger ones give
 * way to it, from the largest on, as a list would decide: who fills all of the room with large objects must not be able
 * to let each change of a small one give way. An object that gives way counts as unreadable, so that what it allowed
 * before is not allowed any more, and one too many is left out; the watch goes on for all others. Which objects give way
 * is settled by the next list, which sees all of them.
 */
export class Admission {
  readonly #parts: AdmissionParts;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** An object was added or modified. */
  set(object: ApiObject): void {
    const { store, unsettled } = this.#parts;
    const before = store.bytesOf(object.key);
    const more = { objects: before === undefined ? 1 : 0, bytes: object.bytes - (before ?? 0) };
    const known = { room: 'enough', freed: 0 } as const;
    const { room, freed } = store.holds(object) ? known : this.#makeRoom(more, object.bytes);
    if (room === 'enough') store.set(object);
    else if (room === 'too-large') store.crowdOut(object);
    else store.leaveOut(object);
    if (room !== 'enough' || freed > 0 || more.bytes < 0) this.#settleLater(unsettled);
    this.stored();
  }

  /**
   * Lets objects with more than so many bytes give way until there is room, and no more of them than free what is
   * needed: where a list that is under way leaves no room, none would be enough.
   */
  #makeRoom(more: ListingSize, bytes: number): { readonly room: Room; readonly freed: number } {
    const { collection, store, budget } = this.#parts;
    for (let freed = 0; ; ) {
      const room = budget.roomFor(collection, { ...more, bytes: more.bytes - freed });
      const gained = room === 'too-large' ? store.crowdOutLargerThan(bytes) : undefined;
      if (gained === undefined) return { room, freed };
      freed += gained;
    }
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
