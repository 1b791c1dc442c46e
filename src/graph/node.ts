import type { Epoch } from './model.ts';

/**
 * Between commits everything can be read and created. While a batch is applied, sources take values and reads still
 * see the previous epoch. During the walk only a context may read: any other read would not be recorded.
 */
export type Phase = 'idle' | 'applying' | 'walking';

/** What the parts of one graph share. Also its identity: a collection belongs to the graph whose state it holds. */
export class GraphState {
  phase: Phase = 'idle';
  epoch: Epoch = 0;
  /** Makes a value immutable; absent unless the graph is checked. */
  readonly freeze: ((value: unknown) => void) | undefined;
  readonly #names = new Set<string>();

  constructor(freeze: ((value: unknown) => void) | undefined) {
    this.freeze = freeze;
  }

  /** Takes a name and gives the position in the order of creation. */
  enroll(name: string): number {
    if (this.phase !== 'idle') throw new Error(`"${name}" cannot be created within a commit: create it before.`);
    if (this.#names.has(name)) throw new Error(`The graph has a "${name}" already: names are unique in a graph.`);
    this.#names.add(name);
    return this.#names.size;
  }

  /** Guards everything that reads without a context. */
  assertReadable(name: string): void {
    if (this.phase !== 'walking') return;
    throw new Error(`"${name}" was read past the context: such a read is not recorded, use context.get, by or all.`);
  }
}
