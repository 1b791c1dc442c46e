import type { Clock, Fields, Logger } from '../edges.ts';

/** Milliseconds before a condition that lasts is logged again. */
export interface LogThrottleOptions {
  /** For the same reason. Default 10 minutes. */
  readonly sameReason?: number;
  /** For another reason: a peer can think of ever new ones. Default 30 seconds. */
  readonly otherReason?: number;
}

/** One thing that keeps failing. */
export interface Failure {
  /** Why; it is logged as the field `because`. */
  readonly reason: string;
  readonly message: string;
  readonly fields?: Fields;
}

/** Logs a condition that lasts once when it begins, now and then while it lasts, and once when it is over. */
export class LogThrottle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sameReason: number;
  readonly #otherReason: number;
  readonly #logged = new Map<string, { readonly reason: string; readonly at: number }>();

  constructor(clock: Clock, log: Logger, options: LogThrottleOptions = {}) {
    this.#clock = clock;
    this.#log = log;
    this.#sameReason = options.sameReason ?? 600_000;
    this.#otherReason = options.otherReason ?? 30_000;
  }

  /**
   * Logs a warning, unless this key was logged a moment ago.
   *
   * @param key what fails; the caller bounds their number, or forgets those that are gone
   */
  failed(key: string, { reason, message, fields = {} }: Failure): void {
    const logged = this.#logged.get(key);
    const now = this.#clock.now();
    const silence = logged?.reason === reason ? this.#sameReason : this.#otherReason;
    if (logged !== undefined && Math.abs(now - logged.at) < silence) return;
    this.#logged.set(key, { reason, at: now });
    this.#log.warn(message, { ...fields, because: reason });
  }

  /** Logs that this key works again, if a failure of it was logged. */
  recovered(key: string, message: string, fields: Fields = {}): void {
    if (this.#logged.delete(key)) this.#log.info(message, fields);
  }

  /** The key is gone; nothing is logged. */
  forget(key: string): void {
    this.#logged.delete(key);
  }
}
