import type { KindName } from '../../../../resources/model.ts';
import { memoryOf } from '../../api/object-room.ts';
import type { Collection } from '../../api/path.ts';

/** Numbers of objects and of bytes of JSON. */
export interface ListingSize {
  readonly objects: number;
  readonly bytes: number;
}

/** What is kept of an API server at most, and what of it is read at all. */
export interface ListingBounds {
  /**
   * What each kind may have whatever the others have: who may create one kind must not crowd out another. Of a kind that
   * is listed in single namespaces each of them has an equal part of it.
   */
  readonly ofKind: ListingSize;
  /** The most of one kind: with half of what is shared, two kinds have it whichever of them is listed first. */
  readonly mostOfKind: ListingSize;
  /** What all kinds together may have beyond their own parts. */
  readonly shared: ListingSize;
  /** The bytes of one listing, all pages together, also those of objects that are not kept. */
  readonly received: number;
}

/**
 * Clusters are tested with 10,000 Services and as many namespaces
 * (https://kubernetes.io/docs/setup/best-practices/cluster-large/), with 1 to 5 KB each: one kind may have twelve times
 * as many, and 144 MiB. A heap of 768 MiB holds the sum, which is six parts and what is shared.
 */
const defaultBounds: ListingBounds = {
  ofKind: { objects: 20_000, bytes: 24 * 1024 * 1024 },
  mostOfKind: { objects: 120_000, bytes: 144 * 1024 * 1024 },
  shared: { objects: 200_000, bytes: 240 * 1024 * 1024 },
  received: 1024 * 1024 * 1024,
};

/** Whether there is room, or which of the bounds leaves none. */
export type Room = 'enough' | 'too-many' | 'too-large';

/** One listing that is under way. */
export interface Listing {
  /** Counts bytes as they arrive. Returns false when the list is longer than any that is read. */
  receive(bytes: number): boolean;
  /**
   * Says what the listing keeps so far, and returns whether it may. What it has beyond the stored objects of its
   * collection counts until its end, or until the next call.
   */
  keep(size: ListingSize): Room;
  end(): void;
}

/**
 * Shares what may be kept of an API server among its kinds, and a kind's among the namespaces that it is listed in, if
 * that is done one by one. Says what has no room, and not which object gives way.
 */
export class ListingBudget {
  readonly #bounds: ListingBounds;
  /** How many collections of a kind there are, where that is not one. */
  readonly #collections = new Map<KindName, number>();
  /** What each collection has, and what is listed of it. */
  readonly #used = new Map<string, ListingSize>();
  readonly #stored = new Map<string, ListingSize>();
  /** What the collections of each kind, and all together, have beyond their parts. */
  readonly #beyondOfKind = new Map<KindName, ListingSize>();
  #beyond: ListingSize = none;

  constructor(bounds: ListingBounds = defaultBounds) {
    this.#bounds = bounds;
  }

  /** Says what is listed. Call it once, before anything is. */
  divide(collections: readonly Collection[]): void {
    for (const { kind } of collections) this.#collections.set(kind, (this.#collections.get(kind) ?? 0) + 1);
  }

  begin(collection: Collection): Listing {
    const { kind } = collection;
    let received = 0;
    let charged: ListingSize = none;
    const charge = (wanted: ListingSize): void => {
      this.#add(collection, minus(wanted, charged));
      charged = wanted;
    };
    return {
      receive: (bytes) => {
        received += bytes;
        return received <= this.#bounds.received;
      },
      keep: (size) => {
        // It is judged by what there will be without the stored objects, and others while both are there.
        const difference = minus(weighed(size, kind), this.#storedOf(collection));
        charge(difference);
        const room = roomOf((of) => this.#isBeyond(collection, of));
        if (difference.objects < 0 || difference.bytes < 0) charge(positive(difference));
        return room;
      },
      end: () => charge(none),
    };
  }

  /** Returns whether a collection may have so much. What is no more than it had before always has room. */
  roomFor(collection: Collection, size: ListingSize, before: ListingSize): Room {
    const wanted = minus(weighed(size, collection.kind), this.#storedOf(collection));
    this.#add(collection, wanted);
    const room = roomOf((of) => size[of] > before[of] && this.#isBeyond(collection, of));
    this.#add(collection, minus(none, wanted));
    return room;
  }

  /** Says what is stored of a collection now. */
  stored(collection: Collection, size: ListingSize): void {
    const weighs = weighed(size, collection.kind);
    this.#add(collection, minus(weighs, this.#storedOf(collection)));
    this.#stored.set(nameOf(collection), weighs);
  }

  #isBeyond(collection: Collection, of: keyof ListingSize): boolean {
    const { ofKind, mostOfKind, shared } = this.#bounds;
    const { kind } = collection;
    const used = this.#used.get(nameOf(collection)) ?? none;
    if (used[of] <= this.#partOf(kind)[of]) return false;
    const beyond = this.#beyondOfKind.get(kind) ?? none;
    return ofKind[of] + beyond[of] > mostOfKind[of] || this.#beyond[of] > shared[of];
  }

  #partOf(kind: KindName): ListingSize {
    const { objects, bytes } = this.#bounds.ofKind;
    const collections = this.#collections.get(kind) ?? 1;
    return { objects: objects / collections, bytes: bytes / collections };
  }

  #storedOf(collection: Collection): ListingSize {
    return this.#stored.get(nameOf(collection)) ?? none;
  }

  #add(collection: Collection, size: ListingSize): void {
    const { kind } = collection;
    const name = nameOf(collection);
    const part = this.#partOf(kind);
    const before = this.#used.get(name) ?? none;
    const after = plus(before, size);
    this.#used.set(name, after);
    const more = minus(positive(minus(after, part)), positive(minus(before, part)));
    this.#beyond = plus(this.#beyond, more);
    this.#beyondOfKind.set(kind, plus(this.#beyondOfKind.get(kind) ?? none, more));
  }
}

function roomOf(isBeyond: (of: keyof ListingSize) => boolean): Room {
  if (isBeyond('objects')) return 'too-many';
  return isBeyond('bytes') ? 'too-large' : 'enough';
}

const none: ListingSize = { objects: 0, bytes: 0 };

function nameOf({ kind, namespace = '' }: Collection): string {
  return `${kind} ${namespace}`;
}

function plus(one: ListingSize, other: ListingSize): ListingSize {
  return { objects: one.objects + other.objects, bytes: one.bytes + other.bytes };
}

function minus(one: ListingSize, other: ListingSize): ListingSize {
  return { objects: one.objects - other.objects, bytes: one.bytes - other.bytes };
}

function positive({ objects, bytes }: ListingSize): ListingSize {
  return { objects: Math.max(objects, 0), bytes: Math.max(bytes, 0) };
}

function weighed({ objects, bytes }: ListingSize, kind: KindName): ListingSize {
  return { objects, bytes: memoryOf(kind) * bytes };
}
