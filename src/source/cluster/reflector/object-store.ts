import type { KindName, Resource } from '../../../resources/model.ts';
import { changeOf, sameResource } from '../../resource-change.ts';
import {
  type ApiObject,
  crowdedOut,
  type DecodedObject,
  decodeClaim,
  decodeObject,
  isCustomResource,
  observeDeletion,
} from '../api/object.ts';
import type { ChangeHandler } from '../pending-changes.ts';
import { LargestObjects } from './admission/largest-objects.ts';
import type { ListedObject, ListSink } from './admission/list-selection.ts';
import type { ListingSize } from './admission/listing-budget.ts';

/** A stored object. Its resource is a reference to the one in the graph. */
interface Entry {
  readonly uid: string;
  readonly resourceVersion: string;
  /** As counted in the budget of all objects. */
  readonly bytes: number;
  /** There was no room for it. */
  readonly isCrowdedOut: boolean;
  /** Undefined: its frame is unreadable. */
  readonly resource: Resource | undefined;
}

/** Identity and version of an object, for the writers of its status and Events. */
export type ObjectIdentity = Pick<Entry, 'uid' | 'resourceVersion'>;

/** A new state of the whole collection, which has no effect before `commit`. */
export interface Replacement extends ListSink {
  commit(): void;
}

/** Objects of which nothing is kept: there were too many. */
export interface LeftOut {
  /** Exact after a list; events add none. */
  readonly count: number;
  /** Keys of a few of them. */
  readonly examples: readonly string[];
}

/** None is left out. */
export const noneLeftOut: LeftOut = { count: 0, examples: [] };

const maxExamples = 3;

/** Adds an object to those that are left out. */
export function withLeftOut({ count, examples }: LeftOut, key: string): LeftOut {
  return { count: count + 1, examples: examples.length < maxExamples ? [...examples, key] : examples };
}

/** A decoded object, compared with the stored one. */
interface Compared {
  readonly decoded: DecodedObject;
  readonly same: boolean;
}

/** Stores the objects of one collection, as last received, and passes each difference on to a handler. */
export class ObjectStore {
  readonly #kind: KindName;
  readonly #handler: ChangeHandler;
  #entries = new Map<string, Entry>();
  #bytes = 0;
  #crowdedOut = 0;
  #leftOut = noneLeftOut;
  #touched: Set<string> | undefined;
  readonly #largest = new LargestObjects({
    count: () => this.#entries.size,
    keys: () => this.#entries.keys(),
    bytesOf: (key) => {
      const entry = this.#entries.get(key);
      return entry?.isCrowdedOut === false ? entry.bytes : undefined;
    },
  });

  constructor(kind: KindName, handler: ChangeHandler) {
    this.#kind = kind;
    this.#handler = handler;
  }

  /** What is stored, as counted in the budget of all objects. */
  get size(): ListingSize {
    return { objects: this.#entries.size, bytes: this.#bytes };
  }

  /** How many stored objects had no room for their content. */
  get crowdedOut(): number {
    return this.#crowdedOut;
  }

  get leftOut(): LeftOut {
    return this.#leftOut;
  }

  /** Says what the last complete list left out. */
  set leftOut(leftOut: LeftOut) {
    this.#leftOut = leftOut;
  }

  keys(): Iterable<string> {
    return this.#entries.keys();
  }

  identify(key: string): ObjectIdentity | undefined {
    const entry = this.#entries.get(key);
    return entry && { uid: entry.uid, resourceVersion: entry.resourceVersion };
  }

  /** The bytes of a stored object; `undefined`: there is none. */
  bytesOf(key: string): number | undefined {
    return this.#entries.get(key)?.bytes;
  }

  /** Records the keys of objects with events, into the returned set; until the next call, or the next replacement. */
  recordTouched(): ReadonlySet<string> {
    this.#touched = new Set();
    return this.#touched;
  }

  stopRecording(): void {
    this.#touched = undefined;
  }

  /** An object was added or modified. */
  set(object: ApiObject): void {
    this.#touched?.add(object.key);
    if (!this.holds(object)) this.apply(decodeObject(this.#kind, object));
  }

  /** An object was added or modified, and there is no room for its content. */
  crowdOut(object: ApiObject): void {
    this.#touched?.add(object.key);
    this.apply(crowdedOut(this.#kind, object, decodeClaim(this.#kind, object)));
  }

  /**
   * The largest object that has its content, and more bytes than that, gives it up. Returns how many bytes that frees;
   * `undefined` when there is none.
   */
  crowdOutLargerThan(bytes: number): number | undefined {
    const key = this.#largest.largerThan(bytes);
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (key === undefined || entry === undefined) return undefined;
    this.#touched?.add(key);
    const without = crowdedOut(this.#kind, { ...entry, key }, entry.resource);
    this.apply(without);
    return entry.bytes - without.bytes;
  }

  /** An object was added, and there are too many. */
  leaveOut({ key }: Pick<ApiObject, 'key'>): void {
    this.#touched?.add(key);
    if (this.#leftOut.count === 0) this.#leftOut = withLeftOut(this.#leftOut, key);
  }

  /** Returns whether the object is stored with the same uid and resource version, and with its content. */
  holds(object: Pick<ApiObject, 'key' | 'uid' | 'resourceVersion'>): boolean {
    return this.#sameVersion(object)?.isCrowdedOut === false;
  }

  /** Returns whether the object is stored with the same uid and resource version, and had no room for its content. */
  holdsWithoutRoom(object: Pick<ApiObject, 'key' | 'uid' | 'resourceVersion'>): boolean {
    return this.#sameVersion(object)?.isCrowdedOut === true;
  }

  /** Returns whether the object is stored in the same version and decodes to the same resource. */
  agrees(decoded: DecodedObject): boolean {
    return this.holds(decoded) && sameResource(this.#entries.get(decoded.key)?.resource, decoded.resource);
  }

  /**
   * Returns an object of a list as one without room.
   *
   * @param resource what was decoded of it; undefined: it is as stored
   */
  withoutRoom(object: ListedObject, resource: Resource | undefined): DecodedObject {
    const known = resource ?? (this.holds(object) ? this.#entries.get(object.key)?.resource : undefined);
    return crowdedOut(this.#kind, object, known);
  }

  /** An object was deleted. Another one that has taken its name meanwhile stays. */
  delete({ key, uid }: Pick<ApiObject, 'key' | 'uid'>): void {
    this.#touched?.add(key);
    if (this.#entries.get(key)?.uid === uid) this.remove(key);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#count(entry, -1);
    const observation = observeDeletion(this.#kind, key);
    if (entry.resource !== undefined) this.#handler.changed(changeOf(this.#kind, key, undefined), 0);
    if (observation !== undefined) this.#handler.observed(observation);
    this.#handler.diagnosed(key, []);
  }

  /** Stores a decoded object. An equal resource stays the same reference. */
  apply(decoded: DecodedObject): void {
    this.#apply(this.#compare(decoded));
  }

  /**
   * Begins a replacement: objects that are not added are deleted. An unchanged version is decoded again only of a CRD.
   * Each object is compared when it is added, so that the commit, which is done at once, has little to do.
   */
  replacement(): Replacement {
    const listed = new Map<string, Compared | undefined>();
    let leftOut = noneLeftOut;
    return {
      add: (object) => {
        const known = this.holds(object) && !isCustomResource(this.#kind);
        listed.set(object.key, known ? undefined : this.#compare(decodeObject(this.#kind, object)));
      },
      addWithoutRoom: (object) => {
        const decoded = crowdedOut(this.#kind, object, decodeClaim(this.#kind, object));
        listed.set(object.key, this.#compare(decoded));
        return decoded.bytes;
      },
      crowdOut: (object) => {
        const decoded = this.withoutRoom(object, listed.get(object.key)?.decoded.resource);
        listed.set(object.key, this.#compare(decoded));
        return decoded.bytes;
      },
      leaveOut: (key) => {
        listed.delete(key);
        leftOut = withLeftOut(leftOut, key);
      },
      commit: () => {
        // The list includes the objects that were recorded.
        this.#touched = undefined;
        this.#leftOut = leftOut;
        this.#largest.forget();
        for (const key of [...this.#entries.keys()]) if (!listed.has(key)) this.remove(key);
        for (const compared of listed.values()) if (compared !== undefined) this.#apply(compared);
      },
    };
  }

  #sameVersion({ key, uid, resourceVersion }: Pick<ApiObject, 'key' | 'uid' | 'resourceVersion'>): Entry | undefined {
    const entry = this.#entries.get(key);
    return entry?.uid === uid && entry.resourceVersion === resourceVersion ? entry : undefined;
  }

  #compare(decoded: DecodedObject): Compared {
    const stored = this.#entries.get(decoded.key)?.resource;
    const same = sameResource(stored, decoded.resource);
    return { decoded: same ? { ...decoded, resource: stored } : decoded, same };
  }

  #apply({ decoded, same }: Compared): void {
    const { key, uid, resourceVersion, bytes, isCrowdedOut, resource, problems, observation } = decoded;
    const known = !isCrowdedOut && this.holds(decoded);
    const before = this.#entries.get(key);
    if (before !== undefined) this.#count(before, -1);
    const entry: Entry = { uid, resourceVersion, bytes, isCrowdedOut, resource };
    this.#entries.set(key, entry);
    this.#count(entry, 1);
    this.#largest.changed(key);
    if (!same) this.#handler.changed(changeOf(this.#kind, key, resource), bytes);
    if (observation !== undefined && !known) this.#handler.observed(observation);
    this.#handler.diagnosed(key, problems);
  }

  #count({ bytes, isCrowdedOut }: Entry, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    if (isCrowdedOut) this.#crowdedOut += sign;
  }
}
