import type { Clock } from '../../edges.ts';
import { PacedQueue } from '../../rate/paced-queue.ts';

/**
 * Connections that are handed to HTTP/2 in one iteration of the event loop. Each costs about 0.3 ms, so nodes
 * that connect while nothing changes delay everything else by about 5 ms, and a connection beside a change by 0.3.
 */
const accepts = { idle: 16, busy: 1 };

/** Connections that are torn down for each that may be accepted: tearing one down costs half as much. */
const closesPerAccept = 2;

/** Limits of the queue, and its clock. */
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
  readonly #waiting: PacedQueue<Pending>;
  readonly #closing = new Set<() => void>();
  #scheduled = false;
  #draining = false;

  constructor({ capacity, busyRate, busy, clock }: AcceptQueueParts) {
    this.#busy = busy;
    this.#waiting = new PacedQueue({ capacity, clock, keyRate: busyRate, ready: () => this.#schedule() });
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
    this.#closeSome(this.#closing.size);
    for (const connection of this.#waiting.drain()) connection.accept();
  }

  #schedule(): void {
    if (this.#scheduled || (this.#closing.size === 0 && !this.#waiting.isReady)) return;
    this.#scheduled = true;
    setImmediate(this.#iterate);
  }

  readonly #iterate = (): void => {
    this.#scheduled = false;
    const busy = this.#busy();
    const count = busy ? accepts.busy : accepts.idle;
    this.#closeSome(count * closesPerAccept);
    for (let left = count; left > 0; ) left -= this.#waiting.next(busy)?.accept() ?? left;
    this.#schedule();
  };

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
