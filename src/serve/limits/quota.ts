/**
 * The share of a quota that one address may hold: a quarter is left to other addresses. Most of it has to be possible
 * for one address, because nodes behind a proxy share one.
 */
const share = 3 / 4;

/** Limits how many connections, streams or calls are open, in total and per address. */
export class Quota {
  readonly #limit: number;
  readonly #open = new Map<string, number>();
  #total = 0;

  /** @param limit the most that may be open at once */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes one unit, to be released later, or returns false.
   *
   * @param address without a port
   */
  acquire(address: string): boolean {
    const own = this.#open.get(address) ?? 0;
    if (this.#total >= this.#limit || own >= Math.ceil(this.#limit * share)) return false;
    this.#open.set(address, own + 1);
    this.#total += 1;
    return true;
  }

  /** Releases one unit; does nothing when this address holds none. */
  release(address: string): void {
    const own = this.#open.get(address);
    if (own === undefined) return;
    if (own === 1) this.#open.delete(address);
    else this.#open.set(address, own - 1);
    this.#total -= 1;
  }
}
