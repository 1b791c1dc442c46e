import type { ApiObject } from '../../api/object.ts';
import type { Collection } from '../../api/path.ts';
import type { PendingChanges } from '../../pending-changes.ts';
import type { ObjectStore } from '../object-store.ts';
import { FairShares, type ShareEffects } from './fair-shares.ts';
import type { ListingBudget, ListingSize } from './listing-budget.ts';
import type { Contender } from './namespace-share.ts';

/** A store, and what decides about its room. */
export interface AdmissionParts {
  readonly collection: Collection;
  readonly store: ObjectStore;
  /** Shared by all kinds. */
  readonly budget: ListingBudget;
  readonly pending: PendingChanges;
  /** Called when there is room for objects that only a list can supply. */
  readonly unsettled: () => void;
}

/** What contends for the room of a store. */
interface Contest {
  readonly shares: FairShares;
  readonly contenders: Map<string, Contender>;
}

/**
 * Admits the objects of watch events to a store as far as there is room, by {@link FairShares} like a list. An object that
 * gives way counts as unreadable, so that what it allowed before is not allowed any more, and one too many is left out;
 * the watch goes on for all others. What has room again is read by the next list.
 */
export class Admission {
  readonly #parts: AdmissionParts;
  /** Undefined: everything has room, or no event has come since the last list. */
  #contest: Contest | undefined;

  constructor(parts: AdmissionParts) {
    this.#parts = parts;
  }

  /** An object was added or modified. */
  set(object: ApiObject): void {
    const { store } = this.#parts;
    if (store.holds(object) || this.#isUncontested(object)) store.set(object);
    else this.#contend(object);
    this.#changed();
  }

  /** An object was deleted. */
  delete(object: ApiObject): void {
    const { store, unsettled } = this.#parts;
    // Where objects are left out, a list decides soon, and there is no need to look at all that is stored before.
    if (store.leftOut.count > 0) unsettled();
    else if (this.#isCrowded) this.#begin();
    store.delete(object);
    if (store.bytesOf(object.key) === undefined) this.#withdraw(object.key);
    this.#contest?.shares.fit(this.#effects(this.#contest, undefined));
    this.#changed();
  }

  /** A list has replaced, or repaired, what is stored. */
  replaced(): void {
    this.#contest = undefined;
    this.#stored();
  }

  get #isCrowded(): boolean {
    const { crowdedOut, leftOut } = this.#parts.store;
    return crowdedOut > 0 || leftOut.count > 0;
  }

  /** Returns whether everything has its content, and there is room for the object. */
  #isUncontested(object: ApiObject): boolean {
    if (this.#isCrowded) return false;
    const { collection, store, budget } = this.#parts;
    const { objects, bytes } = store.size;
    const before = store.bytesOf(object.key);
    const size = { objects: objects + (before === undefined ? 1 : 0), bytes: bytes + object.bytes - (before ?? 0) };
    return budget.roomFor(collection, size, store.size) === 'enough';
  }

  #contend(object: ApiObject): void {
    const { store, unsettled } = this.#parts;
    const { content: _, ...listed } = object;
    const contest = this.#begin();
    const effects = this.#effects(contest, object);
    const isNew = store.bytesOf(object.key) === undefined;
    this.#withdraw(object.key);
    // It is younger than those of its namespace that were left out.
    const added = isNew && store.leftOut.hasNear(object.key) ? undefined : contest.shares.add(listed, effects);
    if (added === undefined) {
      store.leaveOut(object.key);
      unsettled();
      return;
    }
    if (added.place !== 'gone') contest.contenders.set(object.key, added);
    if (added.hasContent) store.set(object);
  }

  /** Looks at all that is stored, once until the next list. */
  #begin(): Contest {
    if (this.#contest !== undefined) return this.#contest;
    const contest: Contest = { shares: new FairShares(), contenders: new Map() };
    for (const { object, rest } of this.#parts.store.contenders())
      contest.contenders.set(object.key, contest.shares.note(object, rest));
    this.#contest = contest;
    return contest;
  }

  #withdraw(key: string): void {
    const contender = this.#contest?.contenders.get(key);
    if (contender === undefined) return;
    this.#contest?.contenders.delete(key);
    this.#contest?.shares.remove(contender);
  }

  /** @param object the one of the event, which is not stored yet */
  #effects({ shares, contenders }: Contest, object: ApiObject | undefined): ShareEffects {
    const { collection, store, budget, unsettled } = this.#parts;
    // A list that is under way, and leaves no room, is no reason to give up more than what comes takes.
    const before: ListingSize = shares.size;
    return {
      room: (size) => budget.roomFor(collection, size, before),
      crowdOut: (listed) => (listed.key === object?.key ? store.crowdOut(object) : store.crowdOutStored(listed)),
      leaveOut({ key }) {
        contenders.delete(key);
        store.leaveOut(key);
        unsettled();
      },
    };
  }

  #changed(): void {
    this.#stored();
    if (!this.#isCrowded) this.#contest = undefined;
    else if (this.#contest !== undefined && this.#contest.shares.wanted.size > 0) this.#parts.unsettled();
  }

  #stored(): void {
    const { collection, store, budget, pending } = this.#parts;
    budget.stored(collection, store.size);
    pending.withoutRoom(collection, store);
  }
}
