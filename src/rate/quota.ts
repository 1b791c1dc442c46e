/**
 * The share of a quota that one key may hold when none is given: a quarter is left to others. Most of it has to be
 * possible for one address, because nodes behind a proxy share one.
 */
const defaultShare = 3 / 4;

/**
 * Limits how much is held at once, in total and per key, such as an address or a caller. The unit is the user's:
 * connections, streams or bytes. A key that holds nothing takes no memory.
 */
export class Quota {
  readonly #limit: number;
  readonly #limitPerKey: number;
  readonly #shareOfRest: number;
  readonly #held = new Map<string, number>();
  #total = 0;

  /**
   * @param limit the most that may be held at once
   * @param share the part of it that one key may hold, above 0 and at most 1
   * @param shareOfRest how much a key may hold of what nobody holds: with 1/2 one key gets a third, of nine keys each
   * gets an eleventh, and however many there are, something is left for another one (dynamic thresholds, Choudhury and
   * Hahne 1998). Without it, keys that take their whole share leave nothing
   */
  constructor(limit: number, share: number = defaultShare, shareOfRest: number = Number.POSITIVE_INFINITY) {
    this.#shareOfRest = shareOfRest;
    this.#limit = limit;
    this.#limitPerKey = Math.ceil(limit * share);
  }

  /** What all keys hold together. */
  get total(): number {
    return this.#total;
  }

  /** What one key holds. */
  held(key: string): number {
    return this.#held.get(key) ?? 0;
  }

  /** Takes an amount, to be released later, or takes nothing and returns false. */
  acquire(key: string, amount: number = 1): boolean {
    const rest = this.#limit - this.#total;
    if (amount > rest || this.exceedsShare(key, amount)) return false;
    if ((this.#held.get(key) ?? 0) + amount > rest * this.#shareOfRest) return false;
    this.#held.set(key, (this.#held.get(key) ?? 0) + amount);
    this.#total += amount;
    return true;
  }

  /** Returns whether an amount is more than the rest of this key's share, whatever other keys hold. */
  exceedsShare(key: string, amount: number = 1): boolean {
    return (this.#held.get(key) ?? 0) + amount > this.#limitPerKey;
  }

  /** Releases an amount; at most what the key holds. */
  release(key: string, amount: number = 1): void {
    const own = this.#held.get(key);
    if (own === undefined) return;
    const released = Math.min(own, amount);
    if (released === own) this.#held.delete(key);
    else this.#held.set(key, own - released);
    this.#total -= released;
  }
}
