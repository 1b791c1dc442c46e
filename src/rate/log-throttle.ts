import type { Clock, Logger } from '../edges.ts';

/** When the same complaint is made again, and when one in other words is, in milliseconds. */
const again = 600_000;
const otherWords = 30_000;

/** Says once what keeps failing, later again whether it still does, and once when it works again. */
export class Complaints {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #made = new Map<string, { readonly because: string; readonly at: number }>();

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** @param topic what fails, in words; there are few of them */
  make(topic: string, because: string): void {
    const made = this.#made.get(topic);
    const now = this.#clock.now();
    const quiet = made?.because === because ? again : otherWords;
    if (made !== undefined && Math.abs(now - made.at) < quiet) return;
    this.#made.set(topic, { because, at: now });
    this.#log.warn(`${topic}: failed, and is tried again`, { because });
  }

  withdraw(topic: string): void {
    if (this.#made.delete(topic)) this.#log.info(`${topic}: works again`);
  }
}
