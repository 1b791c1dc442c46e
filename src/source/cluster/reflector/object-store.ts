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
import type { ListSink } from './admission/list-selection.ts';
import type { ListingSize } from './admission/listing-budget.ts';
import type { ListedObject } from './admission/namespace-share.ts';
import { LeftOut } from './left-out.ts';

/** A stored object. Its resource is a reference to the one in the graph. */
interface Entry {
  readonly uid: string;
  readonly resourceVersion: string;
  readonly created: string;
  readonly bytes: number;
  /** The bytes that are kept of it, as counted in the budget of all objects. */
  readonly kept: number;
  /** There was no room for it. */
  readonly isCrowdedOut: boolean;
  /** Undefined: its frame is unreadable. */
  readonly resource: Resource | undefined;
}

/** Identity and version of an object, for the writers of its status and Events. */
export type ObjectIdentity = Pick<Entry, 'uid' | 'resourceVersion'>;

/** A new state of the whole collection, which has no effect before `commit`. */
export interface Replacement extends ListSink {
  /** Has its effect in steps, of some hundred objects each. */
  commit(): Generator<void, void>;
}

/** Objects that are applied in one step, within one turn of the event loop. */
export const appliedAtOnce = 256;

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
  #leftOut = new LeftOut();
  #touched: Set<string> | undefined;

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

  /** The bytes that are kept of a stored object; `undefined`: there is none. */
  bytesOf(key: string): number | undefined {
    return this.#entries.get(key)?.kept;
  }

  /** Yields what is stored, each with the bytes that are kept of it if it has no content. */
  *contenders(): Generator<{ readonly object: ListedObject; readonly rest: number | undefined }> {
    for (const [key, { uid, resourceVersion, created, bytes, kept, isCrowdedOut }] of this.#entries)
      yield { object: { key, uid, resourceVersion, created, bytes }, rest: isCrowdedOut ? kept : undefined };
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

  /** An object was added or modified, and there is no room for its content. Returns the bytes that are kept of it. */
  crowdOut(object: ApiObject): number {
    this.#touched?.add(object.key);
    const without = crowdedOut(this.#kind, object, decodeClaim(this.#kind, object));
    this.apply(without);
    return without.kept;
  }

  /** A stored object gives up its content. Returns the bytes that are kept of it. */
  crowdOutStored(object: ListedObject): number {
    this.#touched?.add(object.key);
    const without = crowdedOut(this.#kind, object, this.#entries.get(object.key)?.resource);
    this.apply(without);
    return without.kept;
  }

  /** There are too many objects for this one, stored or not. */
  leaveOut(key: string): void {
    this.#touched?.add(key);
    this.remove(key);
    if (!this.#leftOut.hasNear(key)) this.#leftOut.add(key);
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
    const { resource } = entry;
    if (resource !== undefined) this.#handler.changed(changeOf(this.#kind, key, undefined, resource), 0);
    if (observation !== undefined) this.#handler.observed(observation);
    this.#handler.diagnosed(key, []);
  }

  /** Stores a decoded object. An equal resource stays the same reference. */
  apply(decoded: DecodedObject): void {
    this.#apply(this.#compare(decoded));
  }

  /**
   * Begins a replacement: objects that are not added are deleted. An unchanged version is decoded again only of a CRD.
   * Each object is compared when it is added, so that the commit has little to do.
   */
  replacement(): Replacement {
    const listed = new Map<string, Compared | undefined>();
    const leftOut = new LeftOut();
    return {
      add: (object) => {
        const known = this.holds(object) && !isCustomResource(this.#kind);
        listed.set(object.key, known ? undefined : this.#compare(decodeObject(this.#kind, object)));
      },
      addWithoutRoom: (object) => {
        const decoded = crowdedOut(this.#kind, object, decodeClaim(this.#kind, object));
        listed.set(object.key, this.#compare(decoded));
        return decoded.kept;
      },
      crowdOut: (object) => {
        const decoded = this.withoutRoom(object, listed.get(object.key)?.decoded.resource);
        listed.set(object.key, this.#compare(decoded));
        return decoded.kept;
      },
      leaveOut: (key) => {
        listed.delete(key);
        leftOut.add(key);
      },
      commit: () => this.#replace(listed, leftOut),
    };
  }

  *#replace(listed: ReadonlyMap<string, Compared | undefined>, leftOut: LeftOut): Generator<void, void> {
    // The list includes the objects that were recorded.
    this.#touched = undefined;
    this.#leftOut = leftOut;
    let count = 0;
    for (const key of [...this.#entries.keys()]) {
      if (!listed.has(key)) this.remove(key);
      count += 1;
      if (count % appliedAtOnce === 0) yield;
    }
    for (const compared of listed.values()) {
      if (compared !== undefined) this.#apply(compared);
      count += 1;
      if (count % appliedAtOnce === 0) yield;
    }
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
    const { key, uid, resourceVersion, created, bytes, kept, isCrowdedOut, resource, problems, observation } = decoded;
    const known = !isCrowdedOut && this.holds(decoded);
    const before = this.#entries.get(key);
    if (before !== undefined) this.#count(before, -1);
    const entry: Entry = { uid, resourceVersion, created, bytes, kept, isCrowdedOut, resource };
    this.#entries.set(key, entry);
    this.#count(entry, 1);
    if (!same) this.#handler.changed(changeOf(this.#kind, key, resource, before?.resource), kept);
    if (observation !== undefined && !known) this.#handler.observed(observation);
    this.#handler.diagnosed(key, problems);
  }

  #count({ kept, isCrowdedOut }: Entry, sign: 1 | -1): void {
    this.#bytes += sign * kept;
    if (isCrowdedOut) this.#crowdedOut += sign;
  }
}
