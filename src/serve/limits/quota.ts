/** Of all places one address may have so many, so that whoever takes all it can get keeps nobody else out. */
const share = 3 / 4;

/** How many streams are open, in all and of each address. */
export class Places {
  readonly #limit: number;
  readonly #taken = new Map<string, number>();
  #total = 0;

  /** @param limit how many there are */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /**
   * Takes one, if there is one for this address. Whoever has it gives it back.
   *
   * @param address without a port
   */
  take(address: string): boolean {
    const own = this.#taken.get(address) ?? 0;
    if (this.#total >= this.#limit || own >= Math.ceil(this.#limit * share)) return false;
    this.#taken.set(address, own + 1);
    this.#total += 1;
    return true;
  }

  giveBack(address: string): void {
    const own = this.#taken.get(address);
    if (own === undefined) return;
    if (own === 1) this.#taken.delete(address);
    else this.#taken.set(address, own - 1);
    this.#total -= 1;
  }
}
