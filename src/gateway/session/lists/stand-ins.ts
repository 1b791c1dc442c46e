import { Quota } from '../../../rate/quota.ts';
import { weightOf } from '../../upstream/answer-limits.ts';
import { notKept } from '../freshness.ts';
import { type Listing, type ListMethod, listMethods } from './list-pages.ts';

/** The weight of all stand-ins, and the part of it that one target may take; see {@link weightOf}. */
const maxWeight = 8 * 1024 * 1024;
const targetShare = 1 / 4;

/** However many targets are slow, something is left for the list of another one. */
const shareOfRest = 1;

/** That of a listing at least. */
const minWeight = 1_024;

interface StandIn {
  readonly listing: Listing;
  readonly weight: number;
}

/**
 * What targets have listed to the gateway itself whose lists take so long that no client waits for them: their lists are
 * made of that. What a caller may see of it is decided for each list, as it is for a list that was just read.
 */
export class StandIns {
  readonly #quota = new Quota(maxWeight, targetShare, shareOfRest);
  readonly #byList = new Map<string, StandIn>();

  get(target: string, method: ListMethod): Listing | undefined {
    return this.#byList.get(keyOf(target, method))?.listing;
  }

  /**
   * Keeps a listing in place of the one before. Returns false when there is no room: then nothing is kept, and the
   * target is left out.
   */
  keep(target: string, method: ListMethod, listing: Listing): boolean {
    this.forget(target, method);
    const weight = Math.max(minWeight, weightOf(listing.size));
    if (!this.#quota.acquire(target, weight)) return false;
    // It is asked for again from time to time, so that no client is told that it may keep it.
    this.#byList.set(keyOf(target, method), { listing: { ...listing, freshness: notKept }, weight });
    return true;
  }

  /** Returns whether there was one. */
  forget(target: string, method: ListMethod): boolean {
    const key = keyOf(target, method);
    const found = this.#byList.get(key);
    if (found === undefined) return false;
    this.#quota.release(target, found.weight);
    return this.#byList.delete(key);
  }

  /** Call when a target was changed or removed. */
  forgetTarget(target: string): void {
    for (const method of listMethods) this.forget(target, method);
  }
}

/** A method has no blank. */
function keyOf(target: string, method: ListMethod): string {
  return `${method} ${target}`;
}
