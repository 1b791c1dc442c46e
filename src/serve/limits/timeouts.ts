import type { Clock, Stop } from '../../edges.ts';

/** Something that waits no longer than so long. */
export interface Expiring {
  /** The time is over. */
  expire(): void;
}

/**
 * Waits that all may last equally long. They run out in the order in which they began, so one timer, for the oldest,
 * does for all of them: a fleet that is told of a change begins and ends a wait for each node.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #milliseconds: number;
  /** Since when each waits, the oldest first. */
  readonly #waiting = new Map<Expiring, number>();
  /** What the timer was set for: that whatever began until then runs out. */
  #armed: { readonly since: number; readonly stop: Stop } | undefined;
  #latest = Number.NEGATIVE_INFINITY;
  /** By how much the clock was set back. */
  #setBack = 0;

  /** @param milliseconds how long each may wait */
  constructor(clock: Clock, milliseconds: number) {
    this.#clock = clock;
    this.#milliseconds = milliseconds;
  }

  /** Begins a wait. One that waits already begins anew. */
  begin(who: Expiring): void {
    this.#waiting.delete(who);
    this.#waiting.set(who, this.#now());
    if (this.#armed === undefined) this.#arm(this.#latest, this.#milliseconds);
  }

  /** Ends a wait, if there is one. */
  end(who: Expiring): void {
    if (!this.#waiting.delete(who) || this.#waiting.size > 0) return;
    this.#armed?.stop();
    this.#armed = undefined;
  }

  #arm(since: number, milliseconds: number): void {
    this.#armed = { since, stop: this.#clock.after(milliseconds, () => this.#run(since)) };
  }

  #run(until: number): void {
    this.#armed = undefined;
    const due: Expiring[] = [];
    for (const [who, since] of this.#waiting) {
      if (since > until) {
        // Counted from one beginning to the other, so that a clock that was set forward ends no wait too early.
        this.#arm(since, Math.min(since - until, this.#milliseconds));
        break;
      }
      due.push(who);
    }
    // What one does when its time is over may end the wait of another.
    for (const who of due) {
      const waits = this.#waiting.has(who);
      this.end(who);
      if (waits) who.expire();
    }
  }

  /** A time that never runs backwards. */
  #now(): number {
    const now = this.#clock.now() + this.#setBack;
    if (now < this.#latest) {
      // How long ago the latest began is unknown now: rather let this one wait longer than run out with those before.
      this.#setBack += this.#latest + this.#milliseconds - now;
      this.#latest += this.#milliseconds;
    } else this.#latest = now;
    return this.#latest;
  }
}
