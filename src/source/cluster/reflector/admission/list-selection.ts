import type { ApiObject } from '../../api/object.ts';
import { Heap } from './heap.ts';
import type { Listing } from './listing-budget.ts';

/** Takes what is selected of a list. */
export interface ListSink {
  /** Takes an object. It may be crowded out or left out later. */
  add(object: ApiObject): void;
  /** Takes an object without its content. Returns the bytes that are kept of it nevertheless. */
  addWithoutRoom(object: ApiObject): number;
  /** Gives up the content of an object that was added. Returns as {@link addWithoutRoom} does. */
  crowdOut(object: ListedObject): number;
  /** Gives up an object wholly, whether or not it was added. */
  leaveOut(key: string): void;
}

/** An object of a list, without its content. */
export type ListedObject = Omit<ApiObject, 'content'>;

interface Candidate {
  readonly object: ListedObject;
  /** What is kept of it. */
  bytes: number;
  leftOut: boolean;
}

/**
 * Selects from a list what there is room for, in the order of its arrival and without a second look at it. Where there
 * are too many bytes, the largest objects give way: whoever writes large ones harms themselves first. Where there are too
 * many objects, the youngest do: what exists stays, and by `spec.jwt` the older policy counts anyway, so that leaving a
 * younger one out puts nobody else's signers in force. Neither depends on the order of the list: an object gives way
 * exactly when those before it by size, or by age, leave no room for it.
 */
export class ListSelection {
  readonly #listing: Listing;
  readonly #sink: ListSink;
  readonly #bySize = new Heap<Candidate>((one, other) => compareSize(one.object, other.object));
  readonly #byAge = new Heap<Candidate>((one, other) => compareAge(one.object, other.object));
  /** The smallest one that was crowded out: every larger one is, too. */
  #smallestOut: ListedObject | undefined;
  /** The oldest one that was left out: every younger one is, too. */
  #oldestOut: ListedObject | undefined;
  #objects = 0;
  #bytes = 0;

  constructor(listing: Listing, sink: ListSink) {
    this.#listing = listing;
    this.#sink = sink;
  }

  add(object: ApiObject): void {
    const { content: _, ...listed } = object;
    if (this.#oldestOut !== undefined && compareAge(listed, this.#oldestOut) > 0) {
      this.#sink.leaveOut(listed.key);
      return;
    }
    const isSmall = this.#smallestOut === undefined || compareSize(listed, this.#smallestOut) < 0;
    if (isSmall) this.#sink.add(object);
    const bytes = isSmall ? listed.bytes : this.#sink.addWithoutRoom(object);
    const candidate: Candidate = { object: listed, bytes, leftOut: false };
    this.#count(1, bytes);
    this.#byAge.add(candidate);
    if (isSmall) this.#bySize.add(candidate);
    this.#makeRoom();
  }

  #makeRoom(): void {
    for (;;) {
      const room = this.#listing.keep({ objects: this.#objects, bytes: this.#bytes });
      if (room === 'enough') return;
      const largest = room === 'too-large' ? this.#takeLargest() : undefined;
      if (largest !== undefined) {
        this.#smallestOut = largest.object;
        this.#crowdOut(largest);
        continue;
      }
      // Also where what is kept of those that were crowded out is too much.
      const youngest = this.#byAge.take();
      if (youngest === undefined) return;
      this.#oldestOut = youngest.object;
      youngest.leftOut = true;
      this.#count(-1, -youngest.bytes);
      this.#sink.leaveOut(youngest.object.key);
    }
  }

  #takeLargest(): Candidate | undefined {
    let largest = this.#bySize.take();
    while (largest?.leftOut) largest = this.#bySize.take();
    return largest;
  }

  #crowdOut(candidate: Candidate): void {
    const rest = this.#sink.crowdOut(candidate.object);
    this.#count(0, rest - candidate.bytes);
    candidate.bytes = rest;
  }

  #count(objects: number, bytes: number): void {
    this.#objects += objects;
    this.#bytes += bytes;
  }
}

/** Larger ones come last, and of equally large ones the younger. */
function compareSize(one: ListedObject, other: ListedObject): number {
  return one.bytes - other.bytes || compareAge(one, other);
}

/** Younger ones come last. The API server sets the time, in UTC to the second. */
function compareAge(one: ListedObject, other: ListedObject): number {
  return compareTexts(one.created, other.created) || compareTexts(one.key, other.key);
}

function compareTexts(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
