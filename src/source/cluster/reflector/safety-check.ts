import type { KindName } from '../../../resources/model.ts';
import { type DecodedObject, decodeObject, type KubeObject } from '../api/object.ts';
import { isCustom, type ObjectTable } from './object-store.ts';

/**
 * Compares a list with what a watch has told, while the watch goes on. Versions are opaque, so what is merely newer than
 * the watch is told apart in another way: the list differs, and no event says so, neither while it was read nor within
 * the grace that its owner gives afterwards.
 */
export class SafetyCheck {
  readonly #kind: KindName;
  readonly #table: ObjectTable;
  readonly #touched: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  readonly #different = new Map<string, DecodedObject>();
  #gone: readonly string[] = [];

  /** Begins before the list is asked for. */
  constructor(kind: KindName, table: ObjectTable) {
    this.#kind = kind;
    this.#table = table;
    this.#touched = table.noteTouched();
  }

  /** An object of the list. */
  take(object: KubeObject): void {
    this.#seen.add(object.key);
    if (this.#table.holds(object) && !isCustom(this.#kind)) return;
    const decoded = decodeObject(this.#kind, object);
    if (!this.#table.agrees(decoded)) this.#different.set(object.key, decoded);
  }

  /** The list is complete. Says whether it differs at all. */
  listed(): boolean {
    this.#gone = [...this.#table.keys()].filter((key) => !this.#seen.has(key));
    return this.#gone.length > 0 || this.#different.size > 0;
  }

  /** Takes over what no event has told. Answers how many objects that were. */
  repair(): number {
    const missed = [...this.#different.values()].filter(({ key }) => !this.#touched.has(key));
    const gone = this.#gone.filter((key) => !this.#touched.has(key));
    for (const decoded of missed) this.#table.apply(decoded);
    for (const key of gone) this.#table.remove(key);
    return missed.length + gone.length;
  }

  /** To be called at its end, however it ends. */
  end(): void {
    this.#table.noteNoMore();
  }
}
