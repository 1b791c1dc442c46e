/** Tells one turn of the event loop from the next, at the price of one callback a turn. */
export class LoopTurn {
  #number = 0;
  #scheduled = false;
  readonly #next = (): void => {
    this.#scheduled = false;
    this.#number += 1;
  };

  /** The same number for as long as nobody else had a turn. */
  current(): number {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#next);
    }
    return this.#number;
  }
}
