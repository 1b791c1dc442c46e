import type { CollectionDump, Source } from './model.ts';
import type { Described } from './step.ts';
import { Store } from './collection.ts';

/** The collection that is filled from outside. What a batch sets can be read after its commit. */
export class SourceStore<V> extends Store<V> implements Source<V>, Described {
  set(key: string, value: V): void {
    this.#assertApplying('set', key);
    if (value === undefined) throw new Error(`"${this.name}" cannot hold undefined under "${key}": delete the key.`);
    this.state.freeze?.(value);
    this.stage(key, value);
  }

  delete(key: string): void {
    this.#assertApplying('delete', key);
    this.stage(key, undefined);
  }

  describe(): readonly CollectionDump[] {
    return [this.row('source', [])];
  }

  #assertApplying(what: string, key: string): void {
    if (this.state.phase === 'applying') return;
    const remedy = this.state.phase === 'idle' ? 'call it inside graph.commit' : 'transformations change nothing';
    throw new Error(`${what} "${key}" of "${this.name}" outside of a batch: ${remedy}.`);
  }
}
