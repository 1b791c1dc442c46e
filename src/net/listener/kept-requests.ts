import type { Clock, Logger, Stop } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { PacedQueue } from '../../rate/paced-queue.ts';
import type { ConnectionRate } from './connection-turns.ts';

/** Requests that are answered in one iteration of the event loop: less than a millisecond of it. */
const answersPerIteration = 4;

/** The part of all requests that may be of one address. */
const addressShare = 3 / 4;

/** Settings and dependencies of the requests of a listener. */
export interface KeptRequestsParts {
  /** The name of the listener, for the log. */
  readonly listener: string;
  /** Undefined: each is answered at once. */
  readonly rate: ConnectionRate | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  /** Counts that requests wait because there are too many. */
  readonly delayed?: (() => void) | undefined;
}

interface Waiting {
  readonly answer: () => void;
}

/**
 * Answers requests that follow another one on their connection, a few in each iteration of the event loop and at a rate,
 * fair by address. New connections have a rate already, and so their first requests; without one of their own, those who
 * send the next request with each answer would take all of the processor. Logs once in ten minutes that requests wait.
 */
export class KeptRequests {
  readonly #waiting: PacedQueue<Waiting> | undefined;
  #scheduled = false;

  constructor({ listener, rate, clock, log, delayed }: KeptRequestsParts) {
    if (rate === undefined) return;
    const throttle = new LogThrottle(clock, log);
    this.#waiting = new PacedQueue({
      // The connections are limited, and each has one request that waits here.
      capacity: Number.POSITIVE_INFINITY,
      keyRate: { rate: rate.rate * addressShare, burst: Math.max(1, rate.burst * addressShare) },
      rate,
      clock,
      ready: () => this.#schedule(),
      delayed(address) {
        delayed?.();
        throttle.failed(listener, {
          reason: 'too many requests',
          message: 'requests on connections that are kept open wait, because more are sent than the listener answers',
          fields: { listener, maxPerSecond: rate.rate, address },
        });
      },
    });
  }

  /** Calls a function in the turn of an address. Returns what forgets it. */
  add(address: string, answer: () => void): Stop {
    const queue = this.#waiting;
    if (queue === undefined) {
      answer();
      return () => {};
    }
    const waiting: Waiting = { answer };
    queue.add(address, waiting);
    this.#schedule();
    return () => queue.delete(address, waiting);
  }

  #schedule(): void {
    if (this.#scheduled || this.#waiting?.isReady !== true) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (let left = answersPerIteration; left > 0; left -= 1) this.#waiting?.next()?.answer();
      this.#schedule();
    });
  }
}
