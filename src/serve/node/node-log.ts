import type { Clock, Fields, Logger } from '../../edges.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';

/**
 * Lines about the nodes of one address, by level, at once and per second. A proxy has many nodes at its address, of
 * which the first tell enough; warnings that repeat are one mistake or an attack.
 */
const lines = { info: { burst: 50, rate: 1 / 10 }, warn: { burst: 10, rate: 1 / 10 } } as const;

/** Addresses whose rate is remembered. */
const maxAddresses = 10_000;

/**
 * The log of what nodes do. Whoever reaches the port can open a stream that is ended, or refuse a response, a hundred
 * times a second: beyond a rate by address the lines are left out, which is logged once. The metrics count them all.
 */
export class NodeLog {
  readonly #rates: Readonly<Record<keyof typeof lines, KeyedRateLimiter>>;
  readonly #throttle: LogThrottle;

  constructor(clock: Clock, log: Logger) {
    this.#rates = {
      info: new KeyedRateLimiter(clock, { ...lines.info, maxKeys: maxAddresses }),
      warn: new KeyedRateLimiter(clock, { ...lines.warn, maxKeys: maxAddresses }),
    };
    this.#throttle = new LogThrottle(clock, log);
  }

  /** @param log with the fields of the node, if it is known */
  write(address: string, log: Logger, level: 'info' | 'warn', message: string, fields: Fields): void {
    if (this.#rates[level].tryTake(address) === 0) log[level](message, fields);
    else {
      this.#throttle.failed('left out', {
        reason: 'too many lines',
        message: 'lines about the nodes of an address are left out; the metrics count their streams and refusals',
        fields: { address },
      });
    }
  }
}
