import type { Clock, Counters, Logger, Random, Stop } from '../../edges.ts';
import { shortened } from '../../json/quoted.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { RequestError } from '../api/request-error.ts';
import { type Election, type ElectionEvent, nextElection, sameRecord } from './election.ts';
import type { Leadership } from './leadership.ts';
import type { Lease, LeaseClaim, LeaseClient, LeaseResult } from './lease-client.ts';

/** Times of the election, in milliseconds. */
export interface ElectionTimes {
  /** Time without a change of the record after which another replica may take the Lease. */
  readonly leaseDuration: number;
  /** Time without a renewal after which a leader stops; less than `leaseDuration`, so that two never lead at once. */
  readonly renewDeadline: number;
  /** Time between two attempts of a leader. A follower adds up to 1.2 times as much at random. */
  readonly retryPeriod: number;
}

/** The defaults of client-go. */
export const defaultElectionTimes: ElectionTimes = {
  leaseDuration: 15_000,
  renewDeadline: 10_000,
  retryPeriod: 2_000,
};

/** The Lease, the identity of this replica, and dependencies. */
export interface ElectorParts {
  readonly lease: LeaseClient;
  /** The holder identity. Unique per replica: two replicas with the same one would both lead. */
  readonly identity: string;
  readonly times: ElectionTimes;
  /** Called at each change with whether this replica leads. */
  readonly changed: (leads: boolean) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

const topic = 'leader election';

/**
 * Elects a leader by a Lease (`coordination.k8s.io/v1`), like client-go's leaderelection, and retries without end:
 * while the API server is unreachable no replica leads. Timers measure durations, so that a change of the system's
 * clock moves none; the clock can only end a leadership early, when it shows that the process was suspended.
 */
export class Elector implements Leadership {
  readonly #parts: ElectorParts;
  readonly #failures: LogThrottle;
  readonly #stopping = new AbortController();
  #election: Election = { kind: 'following', observed: undefined };
  /** Follower: expiry of the record. Leader: renew deadline. */
  #stopTimer: Stop = () => {};
  #stopRetry: Stop = () => {};
  #attempt: Promise<void> = Promise.resolve();
  /** The Lease that a write under way replaces, or `none` for a creation; undefined: no write is under way. */
  #replaced: Lease | 'none' | undefined;
  #stopped: Promise<void> | undefined;

  constructor(parts: ElectorParts) {
    this.#parts = parts;
    this.#failures = new LogThrottle(parts.clock, parts.log);
  }

  start(): void {
    this.#parts.counters.gauge('gatehouse_leader', 0);
    this.#tryNow();
  }

  /** Returns whether this replica may act as the leader now. */
  leads(): boolean {
    if (this.#election.kind === 'leading' && this.#isOverdue(this.#election.renewed)) this.#apply({ kind: 'overdue' });
    return this.#election.kind === 'leading';
  }

  /** Stops leading at once, then releases the Lease. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    // The API server may carry out a write that is cancelled now.
    const held = this.#replaced ?? (this.#election.kind === 'leading' ? this.#election.lease : undefined);
    this.#stopping.abort();
    this.#stopRetry();
    const { kind } = this.#election;
    this.#stopTimer();
    this.#election = { kind: 'following', observed: undefined };
    if (kind === 'leading') this.#announce(false, 'it stops');
    await this.#attempt;
    if (held !== undefined) await this.#release(held);
  }

  #tryNow(): void {
    this.#attempt = this.#try().then(() => {
      if (this.#stopping.signal.aborted) return;
      const { clock, random, times } = this.#parts;
      const jitter = this.#election.kind === 'leading' ? 0 : random() * 1.2 * times.retryPeriod;
      this.#stopRetry = clock.after(times.retryPeriod + jitter, () => this.#tryNow());
    });
  }

  async #try(): Promise<void> {
    if (this.leads()) await this.#renew();
    else await this.#read();
    const observed = this.#election.kind === 'following' ? this.#election.observed : undefined;
    if (observed?.expired === true) await this.#acquire(observed.lease);
  }

  async #renew(): Promise<void> {
    if (this.#election.kind !== 'leading') return;
    const { lease } = this.#election;
    const renewal = this.#claim(lease.transitions, undefined);
    await this.#write(lease, (signal) => this.#parts.lease.replace(lease, renewal, signal));
  }

  async #read(): Promise<void> {
    const result = await this.#parts.lease.read(this.#stopping.signal);
    if (this.#stopping.signal.aborted) return;
    if (result.kind === 'lease') {
      this.#failures.recovered(topic, `${topic}: works again`);
      this.#apply({ kind: 'observed', lease: result.lease });
    } else if (result.kind === 'gone') {
      this.#apply({ kind: 'absent' });
      const first = this.#claim(0, this.#parts.clock.now());
      await this.#write('none', (signal) => this.#parts.lease.create(first, signal));
    } else {
      this.#logFailure(result);
    }
  }

  async #acquire(lease: Lease): Promise<void> {
    const mine = lease.holder === this.#parts.identity;
    const claim = this.#claim(lease.transitions + (mine ? 0 : 1), mine ? undefined : this.#parts.clock.now());
    await this.#write(lease, (signal) => this.#parts.lease.replace(lease, claim, signal));
  }

  /** Starts the renew deadline before the request: another replica may see the renewal from then on. */
  async #write(replaced: Lease | 'none', send: (signal: AbortSignal) => Promise<LeaseResult>): Promise<void> {
    const { clock, times } = this.#parts;
    const sent = clock.now();
    let late = false;
    const stopDeadline = clock.after(times.renewDeadline, () => {
      late = true;
      this.#apply({ kind: 'overdue' });
    });
    this.#replaced = replaced;
    const result = await send(this.#stopping.signal);
    this.#replaced = undefined;
    if (result.kind === 'lease' && !late && !this.#stopping.signal.aborted && !this.#isOverdue(sent)) {
      this.#failures.recovered(topic, `${topic}: works again`);
      this.#apply({ kind: 'acquired', lease: result.lease, sent });
      this.#stopTimer();
      this.#stopTimer = stopDeadline;
      return;
    }
    stopDeadline();
    if (result.kind !== 'lease' && !this.#stopping.signal.aborted) await this.#afterFailedWrite(result);
  }

  async #afterFailedWrite(error: RequestError): Promise<void> {
    switch (error.kind) {
      case 'conflict':
        // Another replica took the Lease, or another client changed it: read which, and act at the next attempt.
        if (this.#election.kind === 'leading') await this.#read();
        return;
      case 'gone':
        return this.#apply({ kind: 'absent' });
      default:
        return this.#logFailure(error);
    }
  }

  #logFailure({ message: reason }: RequestError): void {
    this.#failures.failed(topic, { reason, message: `${topic}: failed, and is tried again` });
  }

  #claim(transitions: number, acquired: number | undefined): LeaseClaim {
    const { identity, times, clock } = this.#parts;
    return { holder: identity, transitions, duration: times.leaseDuration / 1_000, renewed: clock.now(), acquired };
  }

  /** By the clock that may be set: the timer of the deadline stands still while the machine is suspended, and this does not. */
  #isOverdue(renewed: number): boolean {
    return this.#parts.clock.now() - renewed >= this.#parts.times.renewDeadline;
  }

  #apply(event: ElectionEvent): void {
    const before = this.#election;
    const after = nextElection(before, event, this.#parts.identity);
    this.#election = after;
    if (after.kind === 'following') this.#startExpiry(before, after);
    if (before.kind === after.kind) return;
    if (after.kind === 'leading') this.#announce(true, '');
    else this.#announce(false, whyLost(event));
  }

  /** Starts the expiry timer of a record that has changed. */
  #startExpiry(before: Election, { observed }: Extract<Election, { kind: 'following' }>): void {
    const known = before.kind === 'following' ? before.observed : undefined;
    if (known !== undefined && observed !== undefined && sameRecord(known.lease, observed.lease)) return;
    this.#stopTimer();
    this.#stopTimer = () => {};
    if (observed === undefined || observed.expired) return;
    if (known?.lease.holder !== observed.lease.holder) {
      const leader = shortened(observed.lease.holder);
      // Whoever may write the Lease may name another holder every second.
      if (this.#failures.admit('leader', leader)) {
        this.#parts.log.info('another replica leads, and writes the statuses', { leader });
      }
    }
    this.#stopTimer = this.#parts.clock.after(this.#parts.times.leaseDuration, () => this.#apply({ kind: 'expired' }));
  }

  #announce(leads: boolean, because: string): void {
    const { changed, counters, log, identity } = this.#parts;
    counters.gauge('gatehouse_leader', leads ? 1 : 0);
    if (leads) log.info('this replica leads, and writes the statuses', { identity });
    else log.info('this replica leads no longer, and writes no statuses', { identity, because });
    changed(leads);
  }

  /**
   * Writes a record without a holder in place of the Lease, or of none. That also makes the API server refuse a write of
   * this replica that was cancelled and is still on its way, because both replace the same version; a write that was
   * carried out already makes this one a conflict, and is released then.
   */
  async #release(replaced: Lease | 'none'): Promise<void> {
    const { clock, lease: client, identity, log } = this.#parts;
    const now = clock.now();
    const free = (transitions: number): LeaseClaim => ({
      holder: '',
      transitions,
      duration: 1,
      renewed: now,
      acquired: now,
    });
    const freed = (lease: Lease): Promise<LeaseResult> => client.replace(lease, free(lease.transitions), undefined);
    let result = await (replaced === 'none' ? client.create(free(0), undefined) : freed(replaced));
    if (result.kind === 'conflict') {
      const current = await client.read(undefined);
      if (current.kind !== 'lease' || current.lease.holder !== identity) return;
      result = await freed(current.lease);
    }
    if (result.kind !== 'lease') log.info('the Lease was not released: it expires', { because: result.message });
  }
}

function whyLost({ kind }: ElectionEvent): string {
  switch (kind) {
    case 'overdue':
      return 'the Lease was not renewed in time';
    case 'absent':
      return 'the Lease was deleted';
    default:
      return 'another replica holds the Lease';
  }
}
