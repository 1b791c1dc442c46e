import type { Clock, Stop } from '../../edges.ts';
import type { Pace } from './pace.ts';

/**
 * Turns of the event loop after changes were sent, in which their answers arrive. In a process that is not busy they pass
 * in no time.
 */
const aftermath = 64;

/**
 * How many come in one turn while no change was sent lately: a fleet that connects is sooner done with, and whoever is
 * connected waits for a millisecond or two at most.
 */
const calmly = 16;

export interface TurnstileParts {
  /** How many may wait to come in. */
  readonly places: number;
  /** How many of those who want little may, besides. */
  readonly reserved: number;
  /** Whether changes wait to be sent. */
  readonly pushing: () => boolean;
  /** Of those who want much. */
  readonly pace: Pace;
  readonly clock: Clock;
}

/**
 * Lets connections come and go one by one. To begin one and to clear one away are each some hundred microseconds of
 * work, and the operating system reports a thousand of them in one go: done in one go, nobody else would be served
 * meanwhile. Here one comes and two go in each turn of the event loop, fewer around changes that are being sent, and
 * more while nothing changes. Who is connected has precedence over who is not yet and over who is not any more.
 */
export class Turnstile {
  readonly #parts: TurnstileParts;
  readonly #going = new Line(8);
  /** A flood has only an address or a few, and keeps those waiting who want little for no longer than this. */
  readonly #modest = new Line(2);
  readonly #coming = new Line(16);
  #scheduled = false;
  /** Set while all who wait have to wait for the pace. */
  #stopTimer: Stop | undefined;
  /** Turns until the changes that were sent count as answered. */
  #unanswered = 0;
  #open = false;

  constructor(parts: TurnstileParts) {
    this.#parts = parts;
  }

  /** Calls `enter` when its turn has come; never, when the answer is that too many wait already. */
  come(modest: boolean, enter: () => void): boolean {
    const { places, reserved } = this.#parts;
    const place = this.#coming.length < places ? this.#coming : undefined;
    const own = modest && this.#modest.length < reserved ? this.#modest : place;
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
    this.#stopTimer?.();
    for (const line of [this.#going, this.#modest, this.#coming]) line.pass(line.length);
  }

  #wait(line: Line, then: () => void): void {
    if (this.#open) {
      then();
      return;
    }
    line.add(then);
    this.#schedule();
  }

  #schedule(): void {
    const urgent = this.#going.length + this.#modest.length;
    if (this.#scheduled || urgent + this.#coming.length === 0) return;
    const wait = urgent === 0 ? this.#parts.pace.wait() : 0;
    if (wait === 0) {
      this.#scheduled = true;
      setImmediate(this.#turn);
    } else this.#stopTimer ??= this.#parts.clock.after(wait, () => this.#paced());
  }

  #paced(): void {
    this.#stopTimer = undefined;
    this.#schedule();
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    const { pace } = this.#parts;
    const pushing = this.#parts.pushing();
    const atOnce = pace.quiet() ? calmly : 1;
    this.#unanswered = pushing ? aftermath : Math.max(0, this.#unanswered - 1);
    // No fewer than come, so that none pile up.
    this.#going.turn(pushing, Math.max(2, atOnce));
    this.#modest.turn(this.#unanswered > 0, 1);
    if (pace.wait() === 0 && this.#coming.turn(this.#unanswered > 0, atOnce)) pace.take();
    this.#schedule();
  };
}

/** Some that wait for the same, in their order. */
class Line {
  readonly #patience: number;
  readonly #waiting = new Set<() => void>();
  #gaveWay = 0;

  /** @param patience for how many turns it gives way, before one of them is its own */
  constructor(patience: number) {
    this.#patience = patience;
  }

  get length(): number {
    return this.#waiting.size;
  }

  add(then: () => void): void {
    this.#waiting.add(then);
  }

  /** Lets so many pass, or none to give way. Whether somebody passed. */
  turn(giveWay: boolean, atOnce: number): boolean {
    if (this.length === 0) return false;
    if (giveWay && this.#gaveWay < this.#patience) {
      this.#gaveWay += 1;
      return false;
    }
    this.#gaveWay = 0;
    this.pass(atOnce);
    return true;
  }

  pass(count: number): void {
    let left = count;
    for (const then of this.#waiting) {
      if (left === 0) return;
      left -= 1;
      this.#waiting.delete(then);
      then();
    }
  }
}
