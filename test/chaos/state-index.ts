import type { History } from './history.ts';

/** Finds the states of a history by a text that they are reduced to. Extends itself as the history grows. */
export class StateIndex<S> {
  readonly #history: History<S>;
  readonly #textOf: (state: S) => string;
  /** The indexes of the states with a text, ascending. */
  readonly #indexes = new Map<string, number[]>();
  #size = 0;

  constructor(history: History<S>, textOf: (state: S) => string) {
    this.#history = history;
    this.#textOf = textOf;
  }

  /** The first index from `from` to `to` of a state with this text; the state of no index may change any more. */
  first(text: string, from: number, to: number): number | undefined {
    this.#extend();
    return firstWithin(this.#indexes.get(text) ?? [], from, to);
  }

  /** The first index from `from` to `to` of each text. */
  firstOfEach(from: number, to: number): readonly number[] {
    this.#extend();
    return [...this.#indexes.values()].flatMap((indexes) => firstWithin(indexes, from, to) ?? []);
  }

  #extend(): void {
    for (; this.#size <= this.#history.lastIndex; this.#size += 1) {
      const text = this.#textOf(this.#history.at(this.#size));
      const indexes = this.#indexes.get(text);
      if (indexes === undefined) this.#indexes.set(text, [this.#size]);
      else indexes.push(this.#size);
    }
  }
}

/** Binary search in ascending numbers. */
function firstWithin(sorted: readonly number[], from: number, to: number): number | undefined {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? 0) < from) low = middle + 1;
    else high = middle;
  }
  const found = sorted[low];
  return found !== undefined && found <= to ? found : undefined;
}
