import type { Clock, Fields, Logger } from '../../edges.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';

/**
 * Lines about the nodes of one address, at once and per second. Those of a node that comes, is refused and goes are
 * three; a proxy has many nodes at its address, of which the first tell enough.
 */
const lines = { burst: 50, rate: 1 / 10 };

/** Addresses whose rate is remembered. */
const maxAddresses = 10_000;

/**
 * The log of what nodes do. Whoever reaches the port can open a stream that is ended, or refuse a response, a hundred
 * times a second: beyond a rate by address the lines are left out, which is logged once. The metrics count them all.
 */
export class NodeLog {
  readonly #rate: KeyedRateLimiter;
  readonly #throttle: LogThrottle;

  constructor(clock: Clock, log: Logger) {
    this.#rate = new KeyedRateLimiter(clock, { ...lines, maxKeys: maxAddresses });
    this.#throttle = new LogThrottle(clock, log);
  }

  /** @param log with the fields of the node, if it is known */
  write(address: string, log: Logger, level: 'info' | 'warn', message: string, fields: Fields): void {
    if (this.#rate.tryTake(address) === 0) log[level](message, fields);
    else {
      this.#throttle.failed('left out', {
        reason: 'too many lines',
        message: 'lines about the nodes of an address are left out; the metrics count their streams and refusals',
        fields: { address },
      });
    }
  }
}
