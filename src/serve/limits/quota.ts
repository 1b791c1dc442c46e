/**
 * The share of a quota that one address may hold, so that an address that takes all it can get leaves a quarter to the
 * others. A fleet behind a proxy has one address, so it has to be most of the quota.
 */
const share = 3 / 4;

/** Counts what is open (streams, calls), of all addresses and of each. */
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

  /** Gives one unit back; nothing happens when this address holds none. */
  release(address: string): void {
    const own = this.#open.get(address);
    if (own === undefined) return;
    if (own === 1) this.#open.delete(address);
    else this.#open.set(address, own - 1);
    this.#total -= 1;
  }
}
