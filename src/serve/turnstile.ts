/** Turns of the event loop for which connections give way to changes that wait to be sent. */
const patience = 8;
/** How many connections leave in one turn of the event loop: twice what comes, so that none pile up. */
const leaving = 2;

export interface TurnstileParts {
  /** How many may wait to come in. */
  readonly places: number;
  /** How many of those who want little may, besides. */
  readonly reserved: number;
  /** Whether changes wait to be sent. */
  readonly pushing: () => boolean;
}

/**
 * Lets connections come and go one by one. To begin one and to clear one away are each some hundred microseconds of
 * work, and the operating system reports a thousand of them in one go: done in one go, nobody else would be served
 * meanwhile. Here one comes and two go in each turn of the event loop, and while changes wait to be sent, none does,
 * for a few turns at most. Who is connected has precedence over who is not yet and over who is not any more.
 */
export class Turnstile {
  readonly #parts: TurnstileParts;
  readonly #coming = new Set<() => void>();
  /** The same for those who want little: one of each kind comes in a turn, so that a flood keeps none of these out. */
  readonly #modest = new Set<() => void>();
  readonly #going = new Set<() => void>();
  #scheduled = false;
  /** For how many turns it gave way. */
  #gaveWay = 0;
  #open = false;

  constructor(parts: TurnstileParts) {
    this.#parts = parts;
  }

  /** Calls `enter` when its turn has come; never, when the answer is that too many wait already. */
  come(modest: boolean, enter: () => void): boolean {
    const { places, reserved } = this.#parts;
    const place = this.#coming.size < places ? this.#coming : undefined;
    const own = modest && this.#modest.size < reserved ? this.#modest : place;
    if (own === undefined) return false;
    this.#wait(own, enter);
    return true;
  }

  /** Calls `leave` when its turn has come. Everybody may leave. */
  go(leave: () => void): void {
    this.#wait(this.#going, leave);
  }

  /** Lets everybody pass from now on, those who wait first. */
  open(): void {
    this.#open = true;
    for (const line of [this.#going, this.#modest, this.#coming]) pass(line, line.size);
  }

  #wait(line: Set<() => void>, then: () => void): void {
    if (this.#open) {
      then();
      return;
    }
    line.add(then);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled || this.#going.size + this.#modest.size + this.#coming.size === 0) return;
    this.#scheduled = true;
    setImmediate(() => this.#turn());
  }

  #turn(): void {
    this.#scheduled = false;
    if (this.#parts.pushing() && this.#gaveWay < patience) this.#gaveWay += 1;
    else {
      this.#gaveWay = 0;
      pass(this.#going, leaving);
      pass(this.#modest, 1);
      pass(this.#coming, 1);
    }
    this.#schedule();
  }
}

function pass(line: Set<() => void>, count: number): void {
  let left = count;
  for (const then of line) {
    if (left === 0) return;
    left -= 1;
    line.delete(then);
    then();
  }
}
