/**
 * Which input keys claim which output keys. Nearly every output key has one claimant, so that case costs one map entry
 * and no set.
 */
export class Claimants {
  /** Output key → its only claimant, or the two or more of a contested key. */
  readonly #claimants = new Map<string, string | Set<string>>();
  /** Input key → those of its output keys that are contested. */
  readonly #contested = new Map<string, Set<string>>();

  /** The claimant of an uncontested key. */
  only(outputKey: string): string | undefined {
    const claimants = this.#claimants.get(outputKey);
    return typeof claimants === 'string' ? claimants : undefined;
  }

  of(outputKey: string): Iterable<string> {
    const claimants = this.#claimants.get(outputKey) ?? [];
    return typeof claimants === 'string' ? [claimants] : claimants;
  }

  /** The contested ones among the output keys of an input key. */
  contestedOf(inputKey: string): ReadonlySet<string> | undefined {
    return this.#contested.get(inputKey);
  }

  claim(outputKey: string, inputKey: string): void {
    const claimants = this.#claimants.get(outputKey);
    if (claimants === undefined) {
      this.#claimants.set(outputKey, inputKey);
    } else if (typeof claimants === 'string') {
      this.#claimants.set(outputKey, new Set([claimants, inputKey]));
      this.#contest(outputKey, claimants);
      this.#contest(outputKey, inputKey);
    } else {
      claimants.add(inputKey);
      this.#contest(outputKey, inputKey);
    }
  }

  release(outputKey: string, inputKey: string): void {
    const claimants = this.#claimants.get(outputKey);
    if (claimants === undefined || typeof claimants === 'string') {
      this.#claimants.delete(outputKey);
      return;
    }
    claimants.delete(inputKey);
    this.#settle(outputKey, inputKey);
    const [last, another] = claimants;
    if (last === undefined || another !== undefined) return;
    this.#claimants.set(outputKey, last);
    this.#settle(outputKey, last);
  }

  countEntries(): number {
    return this.#claimants.size + this.#contested.size;
  }

  #contest(outputKey: string, inputKey: string): void {
    const contested = this.#contested.get(inputKey);
    if (contested === undefined) this.#contested.set(inputKey, new Set([outputKey]));
    else contested.add(outputKey);
  }

  #settle(outputKey: string, inputKey: string): void {
    const contested = this.#contested.get(inputKey);
    contested?.delete(outputKey);
    if (contested?.size === 0) this.#contested.delete(inputKey);
  }
}
