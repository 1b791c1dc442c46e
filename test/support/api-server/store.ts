import type { KindName } from '../../../src/resources/model.ts';
import { kinds } from '../../../src/resources/resources.ts';

/** An object as a test writes it, without what the server adds. */
export interface WrittenObject {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** An object as stored. */
export interface StoredObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation?: number;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** One event of the history of a kind. */
export interface HistoryEvent {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly object: StoredObject;
}

/** The storage of an API server: objects, and the history for watches. */
export class ApiStore {
  readonly #objects = new Map<KindName, Map<string, StoredObject>>();
  readonly #history = new Map<KindName, HistoryEvent[]>();
  #version: number;
  #uids = 0;
  #oldest = 0;

  constructor(version: number) {
    this.#version = version;
  }

  get version(): number {
    return this.#version;
  }

  /** The oldest version that a watch can start from. */
  get oldest(): number {
    return this.#oldest;
  }

  compact(): void {
    this.#oldest = this.#version;
    this.#history.clear();
  }

  /** Increments the version, as a change of another kind does. */
  pass(): number {
    this.#version += 1;
    return this.#version;
  }

  /** Creates or replaces an object. `quietly`: without an event. */
  put(kind: KindName, written: WrittenObject, how: 'told' | 'quietly' = 'told'): HistoryEvent {
    const { name, namespace = kinds[kind].namespaced ? 'default' : undefined, spec, status, ...more } = written;
    const key = namespace === undefined ? name : `${namespace}/${name}`;
    const before = this.#of(kind).get(key);
    if (before === undefined) this.#uids += 1;
    const object: StoredObject = {
      apiVersion: kinds[kind].apiVersion,
      kind,
      metadata: {
        name,
        ...(namespace !== undefined && { namespace }),
        uid: before?.metadata.uid ?? `uid-${this.#uids}`,
        resourceVersion: String(this.pass()),
        ...(kind !== 'Service' && kind !== 'Namespace' && { generation: 1 }),
        ...more,
      },
      ...(spec !== undefined && { spec }),
      ...(status !== undefined && { status }),
    };
    this.#of(kind).set(key, object);
    return this.#remember(kind, before === undefined ? 'ADDED' : 'MODIFIED', object, how);
  }

  remove(kind: KindName, key: string, how: 'told' | 'quietly' = 'told'): HistoryEvent {
    const before = this.#of(kind).get(key);
    if (before === undefined) throw new Error(`there is no ${kind} ${key}`);
    this.#of(kind).delete(key);
    const metadata = { ...before.metadata, resourceVersion: String(this.pass()) };
    return this.#remember(kind, 'DELETED', { ...before, metadata }, how);
  }

  list(kind: KindName, namespace?: string): readonly StoredObject[] {
    const all = [...this.#of(kind).values()];
    return namespace === undefined ? all : all.filter(({ metadata }) => metadata.namespace === namespace);
  }

  since(kind: KindName, version: number): readonly HistoryEvent[] {
    return (this.#history.get(kind) ?? []).filter((event) => event.version > version);
  }

  #of(kind: KindName): Map<string, StoredObject> {
    const objects = this.#objects.get(kind) ?? new Map<string, StoredObject>();
    this.#objects.set(kind, objects);
    return objects;
  }

  #remember(kind: KindName, type: HistoryEvent['type'], object: StoredObject, how: 'told' | 'quietly'): HistoryEvent {
    const event = { version: this.#version, type, object };
    if (how === 'told') this.#history.set(kind, [...(this.#history.get(kind) ?? []), event]);
    return event;
  }
}
