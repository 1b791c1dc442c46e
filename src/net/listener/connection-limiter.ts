import type { Socket } from 'node:net';
import type { Clock, Stop } from '../../edges.ts';
import { Quota } from '../../rate/quota.ts';

/** Limits of the connections of one listener. Times are in milliseconds. */
export interface ConnectionLimits {
  /** Connections open at once, three quarters of them from one address. */
  readonly maxConnections: number;
  /** From the connection to the end of its first request head. */
  readonly headTimeout: number;
  /** From the end of a request head to the end of the request. */
  readonly requestTimeout: number;
  /** From a response to the end of the next request head. */
  readonly idleTimeout: number;
}

/**
 * Why a connection was closed: for a newer one, at once because none could be closed for it, or because its client was
 * too slow.
 */
export type ConnectionLoss = 'evicted' | 'refused' | 'timeout';

/** Dependencies of a limiter. */
export interface ConnectionLimiterParts {
  readonly clock: Clock;
  /** Resets a connection at once. */
  readonly reset: (socket: Socket) => void;
  /** Called with each connection that is closed. */
  readonly lost: (reason: ConnectionLoss, address: string) => void;
}

/**
 * What a connection waits for: its first request head, another one, or the rest of a request. When nothing of the
 * request is left it is `served`, and neither closed for another nor timed: no stranger gets that far unless the
 * listener serves strangers.
 */
type Phase = 'new' | 'idle' | 'receiving' | 'served';

/** The phases in which a connection may be closed, in the order in which connections are given up. */
const waitingPhases = ['new', 'idle', 'receiving'] as const;

/** Connections that are closed at once when many have timed out: about 3 milliseconds of the event loop. */
const closedAtOnce = 32;

/** Milliseconds until the next ones are. */
const closeInterval = 10;

/** One connection, until it is closed. */
interface Entry {
  readonly socket: Socket;
  readonly address: string;
  readonly own: ConnectionGroup;
  phase: Phase;
  /** Time at which the connection entered its phase. */
  since: number;
  /** Returns whether the request that the connection is `receiving` is still incomplete. */
  isReceiving: () => boolean;
}

/** The connections of one address, or all: those that wait in the order in which they entered their phase. */
class ConnectionGroup {
  /** The number of connections in all phases. */
  size = 0;
  readonly #phases: Readonly<Record<Exclude<Phase, 'served'>, Set<Entry>>> = {
    new: new Set(),
    idle: new Set(),
    receiving: new Set(),
  };

  add(entry: Entry): void {
    if (entry.phase !== 'served') this.#phases[entry.phase].add(entry);
  }

  delete(entry: Entry): void {
    if (entry.phase !== 'served') this.#phases[entry.phase].delete(entry);
  }

  oldestIn(phase: Exclude<Phase, 'served'>): Entry | undefined {
    const [oldest] = this.#phases[phase];
    return oldest;
  }
}

/**
 * Limits the open connections of a listener, in all and per address, and the time that they may wait. When their number
 * is reached, a new connection takes the place of the oldest one that has sent no complete request head, then of the
 * one that has been idle for longest, then of the oldest whose request is not complete; only when all are being served
 * it is refused. So somebody who opens connections and sends nothing, or half of a head, closes connections of their
 * own kind, and an honest client, who sends a whole head at once, is let in, also from the same address, such as that
 * of a proxy.
 */
export class ConnectionLimiter {
  readonly #parts: ConnectionLimiterParts;
  readonly #timeouts: Readonly<Record<Exclude<Phase, 'served'>, number>>;
  readonly #quota: Quota;
  readonly #all = new ConnectionGroup();
  readonly #byAddress = new Map<string, ConnectionGroup>();
  readonly #entries = new Map<Socket, Entry>();
  /** Time of the next look for connections that have waited too long; infinite without one. */
  #nextCheck = Number.POSITIVE_INFINITY;
  #stopTimer: Stop = () => {};

  constructor(limits: ConnectionLimits, parts: ConnectionLimiterParts) {
    this.#parts = parts;
    this.#timeouts = { new: limits.headTimeout, idle: limits.idleTimeout, receiving: limits.requestTimeout };
    this.#quota = new Quota(limits.maxConnections);
  }

  /** The number of open connections. */
  get open(): number {
    return this.#entries.size;
  }

  /** Admits a connection that was accepted, or resets it and returns false. */
  admit(socket: Socket): boolean {
    // Undefined when the client is gone already.
    const address = socket.remoteAddress ?? '';
    if (!this.#acquire(address)) {
      this.#parts.lost('refused', address);
      this.#parts.reset(socket);
      return false;
    }
    const own = this.#byAddress.get(address) ?? new ConnectionGroup();
    this.#byAddress.set(address, own);
    own.size += 1;
    const entry: Entry = { socket, address, own, phase: 'new', since: 0, isReceiving: never };
    this.#entries.set(socket, entry);
    this.#enter(entry, 'new', never);
    socket.once('close', () => this.#remove(entry));
    return true;
  }

  /**
   * Says that a complete request head has arrived.
   *
   * @param isReceiving returns whether the rest of the request is still to come
   */
  began(socket: Socket, isReceiving: () => boolean): void {
    const entry = this.#entries.get(socket);
    if (entry !== undefined) this.#enter(entry, 'receiving', isReceiving);
  }

  /** Says that every request of the connection was answered. */
  answered(socket: Socket): void {
    const entry = this.#entries.get(socket);
    if (entry !== undefined) this.#enter(entry, 'idle', never);
  }

  /** Closes all connections at once. */
  closeAll(): void {
    for (const socket of this.#entries.keys()) socket.destroy();
  }

  #acquire(address: string): boolean {
    if (this.#quota.acquire(address)) return true;
    const group = this.#quota.exceedsShare(address) ? this.#byAddress.get(address) : this.#all;
    const victim = group === undefined ? undefined : this.#victimIn(group);
    if (victim === undefined) return false;
    this.#remove(victim);
    this.#parts.lost('evicted', victim.address);
    this.#parts.reset(victim.socket);
    return this.#quota.acquire(address);
  }

  #victimIn(group: ConnectionGroup): Entry | undefined {
    for (const phase of waitingPhases) {
      const entry = this.#oldestIn(group, phase);
      if (entry !== undefined) return entry;
    }
    return undefined;
  }

  /** Returns the connection that has waited for longest. Those whose request is complete by now leave their phase. */
  #oldestIn(group: ConnectionGroup, phase: Exclude<Phase, 'served'>): Entry | undefined {
    for (let entry = group.oldestIn(phase); entry !== undefined; entry = group.oldestIn(phase)) {
      if (phase !== 'receiving' || entry.isReceiving()) return entry;
      this.#enter(entry, 'served', never);
    }
    return undefined;
  }

  #enter(entry: Entry, phase: Phase, isReceiving: () => boolean): void {
    this.#all.delete(entry);
    entry.own.delete(entry);
    entry.phase = phase;
    entry.since = this.#parts.clock.monotonic();
    entry.isReceiving = isReceiving;
    this.#all.add(entry);
    entry.own.add(entry);
    if (phase !== 'served') this.#checkAt(entry.since + this.#timeouts[phase]);
  }

  #remove(entry: Entry): void {
    if (!this.#entries.delete(entry.socket)) return;
    this.#all.delete(entry);
    entry.own.delete(entry);
    entry.own.size -= 1;
    if (entry.own.size === 0) this.#byAddress.delete(entry.address);
    this.#quota.release(entry.address);
    if (this.#entries.size === 0) this.#stopChecking();
  }

  #checkAt(time: number): void {
    if (time >= this.#nextCheck) return;
    this.#stopChecking();
    this.#nextCheck = time;
    this.#stopTimer = this.#parts.clock.after(Math.max(0, time - this.#parts.clock.monotonic()), () => {
      this.#nextCheck = Number.POSITIVE_INFINITY;
      this.#closeLate();
    });
  }

  #stopChecking(): void {
    this.#stopTimer();
    this.#nextCheck = Number.POSITIVE_INFINITY;
  }

  /** Closes connections that have waited too long, a few at once: thousands may have been opened at the same time. */
  #closeLate(): void {
    const now = this.#parts.clock.monotonic();
    let left = closedAtOnce;
    for (const phase of waitingPhases) {
      const due = (entry: Entry): number => entry.since + this.#timeouts[phase];
      let entry = this.#oldestIn(this.#all, phase);
      for (; entry !== undefined && due(entry) <= now && left > 0; entry = this.#oldestIn(this.#all, phase)) {
        left -= 1;
        this.#remove(entry);
        this.#parts.lost('timeout', entry.address);
        entry.socket.destroy();
      }
      if (entry !== undefined) this.#checkAt(Math.max(due(entry), now + closeInterval));
    }
  }
}

const never = (): boolean => false;
