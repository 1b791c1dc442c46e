import type { Clock, Fields, Logger } from '../edges.ts';

/** Milliseconds before a condition that lasts is logged again. */
export interface LogThrottleOptions {
  /** For the same reason. Default 10 minutes. */
  readonly sameReason?: number;
  /** For another reason: a peer can invent new ones without end. Default 30 seconds. */
  readonly otherReason?: number;
  /**
   * Logs each reason once per key until it recovers, and at most this many of them; the intervals do not apply then.
   */
  readonly maxReasons?: number;
}

/** A failure that lasts. */
export interface Failure {
  /** Logged as the field `because`. */
  readonly reason: string;
  readonly message: string;
  readonly fields?: Fields;
}

/** Throttles the log of conditions that last: one line at the beginning, one per interval, and one at the end. */
export class LogThrottle {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #sameReason: number;
  readonly #otherReason: number;
  readonly #maxReasons: number | undefined;
  readonly #logged = new Map<string, Logged>();

  constructor(clock: Clock, log: Logger, options: LogThrottleOptions = {}) {
    this.#clock = clock;
    this.#log = log;
    this.#sameReason = options.sameReason ?? 600_000;
    this.#otherReason = options.otherReason ?? 30_000;
    this.#maxReasons = options.maxReasons;
  }

  /**
   * Logs a warning, unless this key was logged within the interval.
   *
   * @param key what fails; the caller bounds their number, or forgets those that are gone
   */
  failed(key: string, { reason, message, fields = {} }: Failure): void {
    if (this.admit(key, reason)) this.#log.warn(message, { ...fields, because: reason });
  }

  /**
   * Decides as {@link failed} does, for a caller that writes the log line itself.
   *
   * @returns whether to log this reason now
   */
  admit(key: string, reason: string): boolean {
    const now = this.#clock.monotonic();
    const logged = this.#logged.get(key);
    if (logged !== undefined && !this.#isDue(logged, reason, now)) return false;
    const reasons = this.#maxReasons === undefined ? [reason] : [...(logged?.reasons ?? []), reason];
    this.#logged.set(key, { reasons, at: now });
    return true;
  }

  /** Logs that this key works again, if a failure of it was logged. Returns whether it was. */
  recovered(key: string, message: string, fields: Fields = {}): boolean {
    const failed = this.#logged.delete(key);
    if (failed) this.#log.info(message, fields);
    return failed;
  }

  /** Whether no failure was logged that has not recovered. */
  get isQuiet(): boolean {
    return this.#logged.size === 0;
  }

  /** Forgets a key that is gone. Logs nothing. */
  forget(key: string): void {
    this.#logged.delete(key);
  }

  #isDue({ reasons, at }: Logged, reason: string, now: number): boolean {
    if (this.#maxReasons !== undefined) return reasons.length < this.#maxReasons && !reasons.includes(reason);
    return now - at >= (reasons.includes(reason) ? this.#sameReason : this.#otherReason);
  }
}

/** The reasons that were logged for one key. */
interface Logged {
  readonly reasons: readonly string[];
  /** Monotonic time of the last line, in milliseconds. */
  readonly at: number;
}
