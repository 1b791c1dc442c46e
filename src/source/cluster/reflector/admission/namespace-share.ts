import type { ApiObject } from '../../api/object.ts';
import { LiveHeap } from './heap.ts';

/** An object without its content. Its bytes are those that it has with it. */
export type ListedObject = Omit<ApiObject, 'content'>;

/** An object that wants room. */
export class Contender {
  readonly object: ListedObject;
  readonly share: NamespaceShare;
  /** `in`: it should have its content. */
  place: 'in' | 'out' | 'gone';
  /** The bytes that are kept of it without its content; undefined: it has its content. */
  rest: number | undefined;

  constructor(object: ListedObject, share: NamespaceShare, rest: number | undefined) {
    this.object = object;
    this.share = share;
    this.place = rest === undefined ? 'in' : 'out';
    this.rest = rest;
  }

  /** Whether it has, or gets, its content. */
  get hasContent(): boolean {
    return this.place === 'in' && this.rest === undefined;
  }

  /** What it holds of the room. */
  get held(): number {
    return this.place === 'out' ? (this.rest ?? 0) : this.object.bytes;
  }
}

/** What the objects of one namespace hold. Those that are in are the smallest ones, of equal ones the oldest. */
export class NamespaceShare {
  readonly name: string;
  readonly largestIn: LiveHeap<Contender> = new LiveHeap(largerLast, isIn);
  readonly smallestOut: LiveHeap<Contender> = new LiveHeap(smallerLast, isOut);
  readonly youngest: LiveHeap<Contender> = new LiveHeap(youngerLast, isThere);
  objects = 0;
  bytes = 0;
  /** The oldest object that was left out: each younger one is, too. */
  oldestLeftOut: ListedObject | undefined;
  /** Counts the changes. */
  version = 0;

  constructor(name: string) {
    this.name = name;
  }

  /** What it would hold with the next object, if there is one that gave way. */
  get bytesWithNext(): number | undefined {
    const next = this.smallestOut.peek();
    return next && this.bytes + next.object.bytes - (next.rest ?? 0);
  }

  /** Returns whether a smaller object gave way already. */
  isBeyondNext(object: ListedObject): boolean {
    const next = this.smallestOut.peek();
    return next !== undefined && compareSize(object, next.object) > 0;
  }

  /** Returns whether the object is younger than one that was left out. */
  isPast(object: ListedObject): boolean {
    return this.oldestLeftOut !== undefined && compareAge(object, this.oldestLeftOut) > 0;
  }
}

const isIn = ({ place }: Contender): boolean => place === 'in';
const isOut = ({ place }: Contender): boolean => place === 'out';
const isThere = ({ place }: Contender): boolean => place !== 'gone';
const largerLast = (one: Contender, other: Contender): number => compareSize(one.object, other.object);
const smallerLast = (one: Contender, other: Contender): number => compareSize(other.object, one.object);
const youngerLast = (one: Contender, other: Contender): number => compareAge(one.object, other.object);

interface Ranked {
  readonly share: NamespaceShare;
  readonly value: number;
  readonly version: number;
}

/** Namespaces in the order of a number that changes, of equal ones in that of their names. */
export class ShareRanking {
  readonly #held: (share: NamespaceShare) => number | undefined;
  readonly #heap: LiveHeap<Ranked>;

  /** @param order `most`: the one with most comes first */
  constructor(order: 'most' | 'least', held: (share: NamespaceShare) => number | undefined) {
    const sign = order === 'most' ? 1 : -1;
    this.#held = held;
    this.#heap = new LiveHeap<Ranked>(
      (one, other) => sign * compareHeld(one.value, one.share, other.value, other.share),
      ({ share, version }) => share.version === version,
    );
  }

  /** Call it after each change of a share. */
  update(share: NamespaceShare): void {
    const value = this.#held(share);
    if (value !== undefined && value > 0) this.#heap.add({ share, value, version: share.version });
  }

  get first(): NamespaceShare | undefined {
    return this.#heap.peek()?.share;
  }
}

/** Compares what two namespaces hold, or would hold. */
export function compareHeld(bytes: number, share: NamespaceShare, others: number, other: NamespaceShare): number {
  return bytes - others || compareTexts(share.name, other.name);
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
