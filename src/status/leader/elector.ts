import type { Clock, Counters, Logger, Random, Stop } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import type { Refusal } from '../api/api-answer.ts';
import { type Election, type ElectionEvent, electionAfter, sameRecord } from './election.ts';
import type { Leadership } from './leadership.ts';
import type { Lease, LeaseAnswer, LeaseClaim, LeaseClient } from './lease-client.ts';

/** In milliseconds. */
export interface ElectionTimes {
  /** How long a record must have stood still before somebody else may take the Lease. */
  readonly duration: number;
  /** How long a leader acts without having renewed it; less than `duration`, so that there are never two. */
  readonly renewDeadline: number;
  /** Between two attempts of a leader; others leave up to twice as much to chance. */
  readonly retry: number;
}

/** The defaults of client-go. */
export const defaultElectionTimes: ElectionTimes = { duration: 15_000, renewDeadline: 10_000, retry: 2_000 };

export interface ElectorParts {
  readonly lease: LeaseClient;
  /** Of this replica alone: two with the same would both lead. */
  readonly identity: string;
  readonly times: ElectionTimes;
  /** Called with every change: whether this replica leads from now on. */
  readonly changed: (leads: boolean) => void;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

const topic = 'leader election';

/**
 * Runs for a Lease (`coordination.k8s.io/v1`), for ever: an API server that does not answer costs the leadership and
 * nothing else. Durations are measured by timers, which no change of the clock moves; the clock can only end a
 * leadership early, where it shows that the process or its machine was halted.
 */
export class Elector implements Leadership {
  readonly #parts: ElectorParts;
  readonly #failures: LogThrottle;
  readonly #ending = new AbortController();
  #election: Election = { kind: 'following', seen: undefined };
  #stopTimer: Stop = () => {};
  #stopRetry: Stop = () => {};
  #attempt: Promise<void> = Promise.resolve();
  #stopped: Promise<void> | undefined;

  constructor(parts: ElectorParts) {
    this.#parts = parts;
    this.#failures = new LogThrottle(parts.clock, parts.log);
  }

  start(): void {
    this.#parts.counters.gauge('gatehouse_leader', 0);
    this.#tryNow();
  }

  /** Whether this replica may act as the leader at this moment. */
  leads(): boolean {
    if (this.#election.kind === 'leading' && this.#isOverdue(this.#election.renewed)) this.#apply({ kind: 'overdue' });
    return this.#election.kind === 'leading';
  }

  /** Stops acting as the leader at once, then lets go of the Lease, so that the next one need not wait. */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  async #end(): Promise<void> {
    this.#ending.abort();
    this.#stopRetry();
    const { kind } = this.#election;
    const lease = this.#election.kind === 'leading' ? this.#election.lease : undefined;
    this.#stopTimer();
    this.#election = { kind: 'following', seen: undefined };
    if (kind === 'leading') this.#announce(false, 'it stops');
    await this.#attempt;
    if (lease !== undefined) await this.#release(lease);
  }

  #tryNow(): void {
    this.#attempt = this.#try().then(() => {
      if (this.#ending.signal.aborted) return;
      const { clock, random, times } = this.#parts;
      const chance = this.#election.kind === 'leading' ? 0 : random() * 1.2 * times.retry;
      this.#stopRetry = clock.after(times.retry + chance, () => this.#tryNow());
    });
  }

  async #try(): Promise<void> {
    if (this.leads()) await this.#renew();
    else await this.#look();
    const seen = this.#election.kind === 'following' ? this.#election.seen : undefined;
    if (seen?.expired === true) await this.#take(seen.lease);
  }

  async #renew(): Promise<void> {
    if (this.#election.kind !== 'leading') return;
    const { lease } = this.#election;
    const kept = this.#claim(lease.transitions, undefined);
    await this.#write((signal) => this.#parts.lease.replace(lease, kept, signal));
  }

  async #look(): Promise<void> {
    const answer = await this.#parts.lease.read(this.#ending.signal);
    if (this.#ending.signal.aborted) return;
    if (answer.kind === 'lease') {
      this.#failures.recovered(topic, `${topic}: works again`);
      this.#apply({ kind: 'seen', lease: answer.lease });
    } else if (answer.kind === 'gone') {
      this.#apply({ kind: 'absent' });
      const first = this.#claim(0, this.#parts.clock.now());
      await this.#write((signal) => this.#parts.lease.create(first, signal));
    } else {
      this.#failures.failed(topic, { reason: answer.words, message: `${topic}: failed, and is tried again` });
    }
  }

  async #take(lease: Lease): Promise<void> {
    const mine = lease.holder === this.#parts.identity;
    const claim = this.#claim(lease.transitions + (mine ? 0 : 1), mine ? undefined : this.#parts.clock.now());
    await this.#write((signal) => this.#parts.lease.replace(lease, claim, signal));
  }

  /** The deadline counts from before the request: that is the earliest moment from which others count. */
  async #write(ask: (signal: AbortSignal) => Promise<LeaseAnswer>): Promise<void> {
    const { clock, times } = this.#parts;
    const asked = clock.now();
    let late = false;
    const stopDeadline = clock.after(times.renewDeadline, () => {
      late = true;
      this.#apply({ kind: 'overdue' });
    });
    const answer = await ask(this.#ending.signal);
    if (answer.kind === 'lease' && !late && !this.#ending.signal.aborted && !this.#isOverdue(asked)) {
      this.#failures.recovered(topic, `${topic}: works again`);
      this.#apply({ kind: 'held', lease: answer.lease, asked });
      this.#stopTimer();
      this.#stopTimer = stopDeadline;
      return;
    }
    stopDeadline();
    if (answer.kind !== 'lease' && !this.#ending.signal.aborted) await this.#afterRefusal(answer);
  }

  async #afterRefusal(answer: Refusal): Promise<void> {
    switch (answer.kind) {
      case 'conflict':
        // Somebody was faster, or only wrote something else on the object: reading it tells, and the next attempt acts.
        if (this.#election.kind === 'leading') await this.#look();
        return;
      case 'gone':
        return this.#apply({ kind: 'absent' });
      default:
        return this.#failures.failed(topic, { reason: answer.words, message: `${topic}: failed, and is tried again` });
    }
  }

  #claim(transitions: number, acquired: number | undefined): LeaseClaim {
    const { identity, times, clock } = this.#parts;
    return { holder: identity, transitions, duration: times.duration / 1_000, renewed: clock.now(), acquired };
  }

  #isOverdue(renewed: number): boolean {
    return this.#parts.clock.now() - renewed >= this.#parts.times.renewDeadline;
  }

  #apply(event: ElectionEvent): void {
    const before = this.#election;
    const after = electionAfter(before, event, this.#parts.identity);
    this.#election = after;
    if (after.kind === 'following') this.#await(before, after);
    if (before.kind === after.kind) return;
    if (after.kind === 'leading') this.#announce(true, '');
    else this.#announce(false, whyLost(event));
  }

  /** Begins the time of a record that was not seen before. */
  #await(before: Election, { seen }: Extract<Election, { kind: 'following' }>): void {
    const known = before.kind === 'following' ? before.seen : undefined;
    if (known !== undefined && seen !== undefined && sameRecord(known.lease, seen.lease)) return;
    this.#stopTimer();
    this.#stopTimer = () => {};
    if (seen === undefined || seen.expired) return;
    if (known?.lease.holder !== seen.lease.holder) {
      this.#parts.log.info('another replica leads, and writes the statuses', { leader: seen.lease.holder });
    }
    this.#stopTimer = this.#parts.clock.after(this.#parts.times.duration, () => this.#apply({ kind: 'expired' }));
  }

  #announce(leads: boolean, because: string): void {
    const { changed, counters, log, identity } = this.#parts;
    counters.gauge('gatehouse_leader', leads ? 1 : 0);
    if (leads) log.info('this replica leads, and writes the statuses', { identity });
    else log.info('this replica leads no longer, and writes no statuses', { identity, because });
    changed(leads);
  }

  async #release(lease: Lease): Promise<void> {
    const { clock, lease: client, identity, log } = this.#parts;
    const now = clock.now();
    const nobody = (held: Lease): LeaseClaim => ({
      holder: '',
      transitions: held.transitions,
      duration: 1,
      renewed: now,
      acquired: now,
    });
    let answer = await client.replace(lease, nobody(lease), undefined);
    if (answer.kind === 'conflict') {
      // A renewal was under way when it was given up.
      const current = await client.read(undefined);
      if (current.kind !== 'lease' || current.lease.holder !== identity) return;
      answer = await client.replace(current.lease, nobody(current.lease), undefined);
    }
    if (answer.kind !== 'lease') log.info('the Lease was not released: it expires', { because: answer.words });
  }
}

function whyLost({ kind }: ElectionEvent): string {
  switch (kind) {
    case 'overdue':
      return 'the Lease was not renewed in time';
    case 'absent':
      return 'the Lease was deleted';
    default:
      return 'somebody else has the Lease';
  }
}
