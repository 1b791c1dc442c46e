import type { KindName } from '../../../resources/model.ts';
import type { Collection } from '../api/path.ts';

/** Numbers of objects and of bytes of JSON. */
export interface ListingSize {
  readonly objects: number;
  readonly bytes: number;
}

/**
 * What is read of an API server in sum over all kinds. Clusters are tested with 10,000 Services and as many namespaces
 * (https://kubernetes.io/docs/setup/best-practices/cluster-large/), with 1 to 5 KB each: ten times that many, and five
 * times their bytes.
 */
const maxInSum: ListingSize = { objects: 200_000, bytes: 256 * 1024 * 1024 };

/**
 * What each kind may have whatever the others have: who may create one kind must not keep the changes of another from
 * being read. The sum is exceeded by six such parts at most.
 */
const maxOfKind: ListingSize = { objects: 20_000, bytes: 24 * 1024 * 1024 };

/** One listing that is under way. */
export interface Listing {
  /** Counts what arrived. Returns false when it is too much: the listing is given up. */
  take(more: ListingSize): boolean;
  /** Ends it. @param complete whether its objects take the place of those of the last one */
  end(complete: boolean): void;
}

/** Shares what may be read of an API server among its kinds. */
export class ListingBudget {
  readonly #inSum: ListingSize;
  readonly #ofKind: ListingSize;
  readonly #kinds = new Map<KindName, ListingSize>();
  readonly #collections = new Map<string, ListingSize>();
  #total: ListingSize = none;

  constructor(inSum: ListingSize = maxInSum, ofKind: ListingSize = maxOfKind) {
    this.#inSum = inSum;
    this.#ofKind = ofKind;
  }

  /** Begins a listing. What it has beyond the last one of its collection counts while it is under way. */
  begin(collection: Collection): Listing {
    let taken: ListingSize = none;
    let charged: ListingSize = none;
    const charge = (wanted: ListingSize): void => {
      this.#add(collection.kind, minus(wanted, charged));
      charged = wanted;
    };
    return {
      take: (more) => {
        taken = plus(taken, more);
        charge(positive(minus(taken, this.#kept(collection))));
        return this.#isWithin(collection.kind);
      },
      end: (complete) => {
        charge(none);
        if (complete) this.#keep(collection, taken);
      },
    };
  }

  /**
   * Counts what a watch added, or removed. Returns false when it is too much, and then counts nothing; what does not grow
   * always fits.
   */
  grow(collection: Collection, more: ListingSize): boolean {
    const before = this.#kept(collection);
    this.#keep(collection, positive(plus(before, more)));
    if ((more.objects <= 0 && more.bytes <= 0) || this.#isWithin(collection.kind)) return true;
    this.#keep(collection, before);
    return false;
  }

  #isWithin(kind: KindName): boolean {
    return fits(this.#total, this.#inSum) || fits(this.#kinds.get(kind) ?? none, this.#ofKind);
  }

  #kept(collection: Collection): ListingSize {
    return this.#collections.get(nameOf(collection)) ?? none;
  }

  #keep(collection: Collection, size: ListingSize): void {
    this.#add(collection.kind, minus(size, this.#kept(collection)));
    this.#collections.set(nameOf(collection), size);
  }

  #add(kind: KindName, size: ListingSize): void {
    this.#total = plus(this.#total, size);
    this.#kinds.set(kind, plus(this.#kinds.get(kind) ?? none, size));
  }
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

function fits(size: ListingSize, bounds: ListingSize): boolean {
  return size.objects <= bounds.objects && size.bytes <= bounds.bytes;
}
