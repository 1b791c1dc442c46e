import type { KindName, Resource } from '../../../resources/model.ts';
import type { Observation, ResourceChange } from '../../model.ts';
import { changeOf, sameResource } from '../../resource-change.ts';
import { type DecodedObject, decodeObject, type KubeObject, observeGone } from '../api/object.ts';

/** What is kept of an object. The graph holds the same resource: here it is one more reference to it. */
interface Entry {
  readonly uid: string;
  readonly resourceVersion: string;
  /** Undefined: its frame cannot be read. */
  readonly resource: Resource | undefined;
}

/** Which object of a name it is, and in which state, for who writes or reports something about it. */
export type ObjectIdentity = Pick<Entry, 'uid' | 'resourceVersion'>;

/**
 * Kinds that no CRD defines. Of the others a stored object may read otherwise once its CRD was changed, without a new
 * version of its own: what was dropped or defaulted before is not any more.
 */
const built: ReadonlySet<KindName> = new Set(['Service', 'Namespace']);

/** Whether a kind is defined by a CRD, which somebody may change. */
export function isCustom(kind: KindName): boolean {
  return !built.has(kind);
}

/** Who is told what is different. */
export interface TableListener {
  changed(change: ResourceChange): void;
  observed(observation: Observation): void;
  /** These are all problems of the object; none when it is gone. */
  found(key: string, problems: DecodedObject['problems']): void;
}

/** A new state of the whole collection, which counts for nothing before `finish`. */
export interface Replacement {
  take(object: KubeObject): void;
  remove(key: string): void;
  finish(): void;
}

/** The objects of one collection, as far as the API server has told of them. Says what each new state changes. */
export class ObjectTable {
  readonly #kind: KindName;
  readonly #listener: TableListener;
  #entries = new Map<string, Entry>();
  #touched: Set<string> | undefined;

  constructor(kind: KindName, listener: TableListener) {
    this.#kind = kind;
    this.#listener = listener;
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

  /** From now on notes the keys of which something is told; until the next call, or until all is replaced. */
  noteTouched(): ReadonlySet<string> {
    this.#touched = new Set();
    return this.#touched;
  }

  noteNoMore(): void {
    this.#touched = undefined;
  }

  /** The object is there, in this state. */
  set(object: KubeObject): void {
    this.#touched?.add(object.key);
    if (!this.holds(object)) this.apply(decodeObject(this.#kind, object));
  }

  /** Whether it is held in just this state. */
  holds({ key, uid, resourceVersion }: Pick<KubeObject, 'key' | 'uid' | 'resourceVersion'>): boolean {
    const entry = this.#entries.get(key);
    return entry?.uid === uid && entry.resourceVersion === resourceVersion;
  }

  /** Whether it is held in just this state, and reads as it did. */
  agrees(decoded: DecodedObject): boolean {
    return this.holds(decoded) && sameResource(this.#entries.get(decoded.key)?.resource, decoded.resource);
  }

  /** The object is gone. One that has taken its name meanwhile stays. */
  delete({ key, uid }: Pick<KubeObject, 'key' | 'uid'>): void {
    this.#touched?.add(key);
    if (this.#entries.get(key)?.uid === uid) this.remove(key);
  }

  remove(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    const observation = observeGone(this.#kind, key);
    if (entry.resource !== undefined) this.#listener.changed(changeOf(this.#kind, key, undefined));
    if (observation !== undefined) this.#listener.observed(observation);
    this.#listener.found(key, []);
  }

  /** Takes a state over. The equal part of it stays the object that is held already. */
  apply(decoded: DecodedObject): void {
    const { key, uid, resourceVersion, problems, observation } = decoded;
    const known = this.holds(decoded);
    const held = this.#entries.get(key)?.resource;
    const same = sameResource(held, decoded.resource);
    const resource = same ? held : decoded.resource;
    this.#entries.set(key, { uid, resourceVersion, resource });
    if (!same) this.#listener.changed(changeOf(this.#kind, key, resource));
    if (observation !== undefined && !known) this.#listener.observed(observation);
    this.#listener.found(key, problems);
  }

  /** Everything that is not taken is gone. What is held already is decoded again only where a CRD may have changed. */
  replacement(): Replacement {
    const present = new Map<string, DecodedObject | undefined>();
    return {
      take: (object) => {
        const known = this.holds(object) && !isCustom(this.#kind);
        present.set(object.key, known ? undefined : decodeObject(this.#kind, object));
      },
      remove: (key) => {
        present.delete(key);
      },
      finish: () => {
        // Whatever was noted until now is known anew.
        this.#touched = undefined;
        for (const key of [...this.#entries.keys()]) if (!present.has(key)) this.remove(key);
        for (const decoded of present.values()) if (decoded !== undefined) this.apply(decoded);
      },
    };
  }
}
