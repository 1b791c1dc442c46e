import type { ApiObject } from '../../api/object.ts';
import { FairShares, type ShareEffects } from './fair-shares.ts';
import type { Listing } from './listing-budget.ts';
import type { ListedObject } from './namespace-share.ts';

/** Takes what is selected of a list. */
export interface ListSink {
  /** Takes an object. It may be crowded out or left out later; one that was crowded out may be added again. */
  add(object: ApiObject): void;
  /** Takes an object without its content. Returns the bytes that are kept of it nevertheless. */
  addWithoutRoom(object: ApiObject): number;
  /** Gives up the content of an object that was added. Returns as {@link addWithoutRoom} does. */
  crowdOut(object: ListedObject): number;
  /** Gives up an object wholly, whether or not it was added. */
  leaveOut(key: string): void;
}

/**
 * Selects from a list what there is room for, by {@link FairShares}, while the objects arrive. Of one that gave way only
 * because others were not known yet, the content is gone when that shows: the list is looked at once more then.
 */
export class ListSelection {
  readonly #listing: Listing;
  readonly #sink: ListSink;
  readonly #shares = new FairShares();
  readonly #effects: ShareEffects;
  /** The object that is being added. */
  #next: ApiObject | undefined;

  constructor(listing: Listing, sink: ListSink) {
    this.#listing = listing;
    this.#sink = sink;
    this.#effects = {
      room: (size) => listing.keep(size),
      crowdOut: (listed) => {
        const next = this.#next;
        return next?.key === listed.key ? sink.addWithoutRoom(next) : sink.crowdOut(listed);
      },
      leaveOut: ({ key }) => sink.leaveOut(key),
    };
  }

  /** Takes the next object of the list. */
  add(object: ApiObject): void {
    const { content: _, ...listed } = object;
    this.#next = object;
    const added = this.#shares.add(listed, this.#effects);
    if (added === undefined) this.#sink.leaveOut(listed.key);
    else if (added.hasContent) this.#sink.add(object);
    // What was asked for last may have had no room.
    if (this.#shares.isContested) this.#listing.keep(this.#shares.size);
  }

  /** Whether the list has to be looked at once more: objects that have room have none of their content. */
  get isIncomplete(): boolean {
    return this.#shares.wanted.size > 0;
  }

  /** Takes an object of the second look. One that has changed since the first stays without content: a watch tells of it. */
  addAgain(object: ApiObject): void {
    const wanted = this.#shares.wanted.get(object.key);
    if (wanted?.object.uid !== object.uid || wanted.object.resourceVersion !== object.resourceVersion) return;
    this.#shares.supplied(wanted);
    this.#sink.add(object);
  }
}
