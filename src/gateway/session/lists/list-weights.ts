import { uncountedListBytes } from '../../upstream/answer-limits.ts';
import type { ListMethod } from './list-pages.ts';

/**
 * What is expected of all targets together that have not listed yet: when a gateway has restarted, all its clients ask for
 * their lists at once. Sixteen of them begin then.
 */
const expectedAtFirst = 512 * 1024;

/**
 * What the lists of targets weighed, by which others of them are expected to be as large. By target, since a list of a few
 * small ones would otherwise wait for as much room as that of somebody who reaches many large ones.
 */
export class ListWeights {
  readonly #weights = new Map<ListMethod, Map<string, number>>();

  /** Returns the weight that the lists of these targets are expected to have together in the budget. */
  expected(method: ListMethod, targets: readonly string[]): number {
    const own = this.#weights.get(method);
    let known = 0;
    let unknown = 0;
    for (const target of targets) {
      const weight = own?.get(target);
      if (weight === undefined) unknown = expectedAtFirst;
      else if (weight > uncountedListBytes) known += weight;
    }
    return known + unknown;
  }

  /**
   * Tells what a list weighed. The next one is expected to be as large, or half as large as it was expected before: those
   * of other callers may be larger.
   */
  listed(method: ListMethod, target: string, weight: number): void {
    const own = this.#weights.get(method) ?? new Map<string, number>();
    this.#weights.set(method, own.set(target, Math.max(weight, (own.get(target) ?? 0) / 2)));
  }

  /** Call when a target was changed or removed. */
  forget(target: string): void {
    for (const own of this.#weights.values()) own.delete(target);
  }
}
