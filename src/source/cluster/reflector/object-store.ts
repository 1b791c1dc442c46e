import type { KindName, Resource } from '../../../resources/model.ts';
import { changeOf, sameResource } from '../../resource-change.ts';
import { type ApiObject, type DecodedObject, decodeObject, isCustomResource, observeDeletion } from '../api/object.ts';
import type { ChangeHandler } from '../pending-changes.ts';

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
export interface Replacement {
  add(object: ApiObject): void;
  commit(): void;
}

/** Stores the objects of one collection, as last received, and passes each difference on to a handler. */
export class ObjectStore {
  readonly #kind: KindName;
  readonly #handler: ChangeHandler;
  #entries = new Map<string, Entry>();
  #touched: Set<string> | undefined;

  constructor(kind: KindName, handler: ChangeHandler) {
    this.#kind = kind;
    this.#handler = handler;
  }

  get size(): number {
    return this.#entries.size;
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

  /** Returns whether the object is stored with the same uid and resource version, and with its content. */
  holds({ key, uid, resourceVersion }: Pick<ApiObject, 'key' | 'uid' | 'resourceVersion'>): boolean {
    const entry = this.#entries.get(key);
    return entry?.uid === uid && entry.resourceVersion === resourceVersion && !entry.isCrowdedOut;
  }

  /** Returns whether the object is stored in the same version and decodes to the same resource. */
  agrees(decoded: DecodedObject): boolean {
    return this.holds(decoded) && sameResource(this.#entries.get(decoded.key)?.resource, decoded.resource);
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
    const observation = observeDeletion(this.#kind, key);
    if (entry.resource !== undefined) this.#handler.changed(changeOf(this.#kind, key, undefined));
    if (observation !== undefined) this.#handler.observed(observation);
    this.#handler.diagnosed(key, []);
  }

  /** Stores a decoded object. An equal resource stays the same reference. */
  apply(decoded: DecodedObject): void {
    const { key, uid, resourceVersion, bytes, isCrowdedOut, problems, observation } = decoded;
    const known = this.holds(decoded);
    const stored = this.#entries.get(key)?.resource;
    const same = sameResource(stored, decoded.resource);
    const resource = same ? stored : decoded.resource;
    this.#entries.set(key, { uid, resourceVersion, bytes, isCrowdedOut, resource });
    if (!same) this.#handler.changed(changeOf(this.#kind, key, resource));
    if (observation !== undefined && !known) this.#handler.observed(observation);
    this.#handler.diagnosed(key, problems);
  }

  /**
   * Begins a replacement: objects that are not added are deleted. An unchanged version is decoded again only of a CRD.
   */
  replacement(): Replacement {
    const listed = new Map<string, DecodedObject | undefined>();
    return {
      add: (object) => {
        const known = this.holds(object) && !isCustomResource(this.#kind);
        listed.set(object.key, known ? undefined : decodeObject(this.#kind, object));
      },
      commit: () => {
        // The list includes the objects that were recorded.
        this.#touched = undefined;
        for (const key of [...this.#entries.keys()]) if (!listed.has(key)) this.remove(key);
        for (const decoded of listed.values()) if (decoded !== undefined) this.apply(decoded);
      },
    };
  }
}
