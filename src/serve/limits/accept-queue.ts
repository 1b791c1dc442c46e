import type { Clock, Stop } from '../../edges.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { FairQueue } from './fair-queue.ts';

/**
 * Connections that are handed to HTTP/2 in one iteration of the event loop. Each costs about 0.3 ms, so nodes
 * that connect while nothing changes delay everything else by about 5 ms, and a connection beside a change by 0.3.
 */
const accepts = { idle: 16, busy: 1 };

/** Connections that are torn down for each that may be accepted: tearing one down costs half as much. */
const closesPerAccept = 2;

/** Addresses whose rate is remembered while changes are sent. */
const maxAddresses = 10_000;

export interface AcceptQueueParts {
  /** Connections that may wait. */
  readonly capacity: number;
  /** Connections per second and at once that one address may open while changes are sent. */
  readonly busyRate: { readonly rate: number; readonly burst: number };
  /** Returns whether a change is being sent to nodes, or was a moment ago. */
  readonly busy: () => boolean;
  readonly clock: Clock;
}

/** A connection that waits. */
interface Pending {
  readonly address: string;
  /** @returns what it costs, in connections with one stream */
  accept(): number;
  reject(): void;
}

/**
 * Spreads the beginning and the end of connections over iterations of the event loop. The operating system reports up
 * to a thousand sockets at once, and each takes some hundred microseconds; all in one iteration, no change would be
 * sent and no ACK read meanwhile. Connections wait in a fair queue by address. While changes are sent, each address
 * also has a rate, since collecting the garbage of a flood (40 KiB per connection) delays all. Decision 0007.
 */
export class AcceptQueue {
  readonly #busy: () => boolean;
  readonly #clock: Clock;
  readonly #busyRate: KeyedRateLimiter;
  readonly #waiting: FairQueue<Pending>;
  readonly #closing = new Set<() => void>();
  /** Stops the timer of each address that waits for its rate: its connections are suspended until then. */
  readonly #suspended = new Map<string, Stop>();
  #scheduled = false;
  #draining = false;

  constructor({ capacity, busyRate, busy, clock }: AcceptQueueParts) {
    this.#busy = busy;
    this.#clock = clock;
    this.#busyRate = new KeyedRateLimiter(clock, { ...busyRate, maxKeys: maxAddresses });
    this.#waiting = new FairQueue(capacity);
  }

  /**
   * Queues a connection. Calls exactly one of its functions: `accept` in its turn, `reject` when the queue is full;
   * neither after {@link remove}.
   */
  add(connection: Pending): void {
    if (this.#draining) connection.accept();
    else this.#waiting.add(connection.address, connection)?.reject();
    this.#schedule();
  }

  /** Removes a connection that was closed while it waited; does nothing for one that does not wait. */
  remove(connection: Pending): void {
    this.#waiting.delete(connection.address, connection);
  }

  /** Queues the teardown of a connection. It is never rejected. */
  close(tearDown: () => void): void {
    if (this.#draining) tearDown();
    else this.#closing.add(tearDown);
    this.#schedule();
  }

  /** Accepts and tears down everything that waits, at once, and everything that follows without a wait. */
  drain(): void {
    this.#draining = true;
    for (const address of this.#suspended.keys()) this.#resume(address);
    this.#closeSome(this.#closing.size);
    for (let next = this.#waiting.next(); next !== undefined; next = this.#waiting.next()) next.accept();
  }

  #schedule(): void {
    if (this.#scheduled || (this.#closing.size === 0 && this.#waiting.nextKey === undefined)) return;
    this.#scheduled = true;
    setImmediate(this.#iterate);
  }

  readonly #iterate = (): void => {
    this.#scheduled = false;
    const busy = this.#busy();
    const count = busy ? accepts.busy : accepts.idle;
    this.#closeSome(count * closesPerAccept);
    for (let left = count; left > 0; ) left -= this.#next(busy)?.accept() ?? left;
    this.#schedule();
  };

  #next(busy: boolean): Pending | undefined {
    for (let address = this.#waiting.nextKey; address !== undefined; address = this.#waiting.nextKey) {
      const delay = busy ? this.#busyRate.tryTake(address) : 0;
      if (delay === 0) return this.#waiting.next();
      this.#suspend(address, delay);
    }
    return undefined;
  }

  /** Each address has a timer of its own, so that none looks at all the others. */
  #suspend(address: string, delay: number): void {
    this.#waiting.suspend(address);
    const stopTimer = this.#clock.after(delay, () => {
      this.#resume(address);
      this.#schedule();
    });
    this.#suspended.set(address, stopTimer);
  }

  #resume(address: string): void {
    this.#suspended.get(address)?.();
    this.#suspended.delete(address);
    this.#waiting.resume(address);
  }

  #closeSome(count: number): void {
    let left = count;
    for (const tearDown of this.#closing) {
      if (left === 0) return;
      left -= 1;
      this.#closing.delete(tearDown);
      tearDown();
    }
  }
}
