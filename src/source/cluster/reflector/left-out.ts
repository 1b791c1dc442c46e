import { namespaceOf } from '../api/path.ts';

/** Keys that are named in messages. */
const maxExamples = 3;

/** Namespaces that are remembered. Beyond it, each counts as one with such objects. */
const maxNamespaces = 20_000;

/** The objects of a collection of which nothing is kept, because there were too many. */
export class LeftOut {
  readonly #namespaces = new Set<string>();
  readonly #examples: string[] = [];
  #count = 0;

  /** How many there are, as of the last list; events add one for each other namespace. */
  get count(): number {
    return this.#count;
  }

  /** Keys of a few of them. */
  get examples(): readonly string[] {
    return this.#examples;
  }

  add(key: string): void {
    this.#count += 1;
    if (this.#examples.length < maxExamples) this.#examples.push(key);
    if (this.#namespaces.size < maxNamespaces) this.#namespaces.add(namespaceOf(key));
  }

  /** Returns whether there are such objects in the namespace of this one. */
  hasNear(key: string): boolean {
    return this.#namespaces.has(namespaceOf(key)) || this.#namespaces.size === maxNamespaces;
  }
}
