import type { Clock, Random } from '../../../edges.ts';
import type { ApiError } from '../../../kube/model.ts';
import { type Backoff, backoffDelay } from '../../../rate/backoff.ts';
import { RateLimiter } from '../../../rate/rate-limiter.ts';
import type { OutageMember } from './outages.ts';

/** The state of a reflector. */
export type ReflectorState =
  | { readonly at: 'listing' }
  /** Watches from a resource version. */
  | { readonly at: 'watching'; readonly from: string }
  | {
      readonly at: 'waiting';
      readonly milliseconds: number;
      /** `recovery`: the success of another request after an outage ends it sooner. */
      readonly until: 'recovery' | 'time';
      readonly next: ReflectorState;
    }
  | { readonly at: 'stopped' };

/** The outcome of a list or a watch. */
export type Outcome =
  | { readonly of: 'list'; readonly end: 'listed'; readonly resourceVersion: string }
  | { readonly of: 'list'; readonly end: 'failed'; readonly error: ApiError }
  /** Discovery does not list the resource. */
  | { readonly of: 'list'; readonly end: 'absent' }
  /** It was forbidden, which is not certain yet. `isFirst`: there was no list before. */
  | { readonly of: 'list'; readonly end: 'doubtful'; readonly error: ApiError; readonly isFirst: boolean }
  /**
   * It was left for a list: the server came back from an outage and did not begin it soon, or a list shows how much it
   * has missed.
   */
  | { readonly of: 'watch that was left' }
  | {
      readonly of: 'watch';
      /** Undefined: the server ended the watch in good order, as it does after some minutes. */
      readonly error: ApiError | undefined;
      /** The version up to which every event was received. */
      readonly resourceVersion: string;
      /** Milliseconds since the response began; 0 if there was none. */
      readonly duration: number;
      /**
       * True if the server ended it before its time, as it does when a CRD changes: objects may then read differently.
       */
      readonly endedEarly: boolean;
    }
  /** The program stops. */
  | { readonly of: 'program' };

/** Delay after a 403, in milliseconds: rights are granted by people. */
const forbiddenDelay = 30_000;

/**
 * Delay before an absent resource is listed again, in milliseconds: a user who installs its CRD waits for the effect.
 */
const absentDelay = 5_000;

/** Milliseconds for which a refusal is doubtful; after one to two times as many it is asked again. */
export const doubtfulDelay = 5_000;

/** The same before the first list, which gateways wait for. */
const firstDoubtDelay = 500;

/** A watch that ends sooner, in milliseconds, is followed by backoff, unless it is the first of its kind to do so. */
const quickEnd = 5_000;

const listing: ReflectorState = { at: 'listing' };

/** Returns the next state. Failures are retried without end; only a list or a watch changes the store. */
export function nextState(outcome: Outcome, backoff: ReflectorBackoff): ReflectorState {
  if (outcome.of === 'program') return { at: 'stopped' };
  if (outcome.of === 'watch that was left') return listing;
  return outcome.of === 'watch' ? afterWatch(outcome, backoff) : afterList(outcome, backoff);
}

function afterList(outcome: Extract<Outcome, { readonly of: 'list' }>, backoff: ReflectorBackoff): ReflectorState {
  switch (outcome.end) {
    case 'listed':
      backoff.succeeded();
      return { at: 'watching', from: outcome.resourceVersion };
    case 'absent': {
      // Whole: absence has to be found twice, some seconds apart.
      const delay = absentDelay * (1 + backoff.random());
      return { at: 'waiting', milliseconds: delay, until: 'time', next: listing };
    }
    case 'doubtful': {
      backoff.failed(outcome.error);
      const delay = (outcome.isFirst ? firstDoubtDelay : doubtfulDelay) * (1 + backoff.random());
      return wait(Math.min(delay, delayAfter(outcome.error, backoff)), listing);
    }
    case 'failed':
      backoff.failed(outcome.error);
      return waitAfter(outcome.error, backoff, listing);
  }
}

function afterWatch(outcome: Extract<Outcome, { readonly of: 'watch' }>, backoff: ReflectorBackoff): ReflectorState {
  const { error, resourceVersion, duration, endedEarly } = outcome;
  backoff.watched(duration);
  const quick = duration < quickEnd;
  if (!quick) backoff.succeeded();
  if (error !== undefined) backoff.failed(error);
  const watching: ReflectorState = { at: 'watching', from: resourceVersion };
  if (error === undefined) return wait(quick ? backoff.nextAfterFirst('ended') : 0, endedEarly ? listing : watching);
  switch (error.reason) {
    // 410 Gone: the resource version is too old for a watch.
    case 'expired':
      return wait(quick ? backoff.nextAfterFirst('expired') : 0, listing);
    // A list shows whether the error concerns lists too, or recovers the event that was not understood.
    case 'unintelligible':
    case 'forbidden':
    case 'not-found':
      return waitAfter(error, backoff, listing);
    // A server that starts refuses watches until its cache is filled, and answers lists from etcd meanwhile.
    case 'busy':
      return waitAfter(error, backoff, backoff.isUrgent ? listing : watching);
    // A server that refuses a watch again and again may still answer lists.
    case 'refused': {
      const next = error.status < 500 || backoff.isLong ? listing : watching;
      return waitAfter(error, backoff, next);
    }
    default:
      return waitAfter(error, backoff, watching);
  }
}

function delayAfter(error: ApiError, backoff: ReflectorBackoff): number {
  switch (error.reason) {
    case 'forbidden':
      // A server that starts forbids what it allows, until it knows every role.
      return backoff.isAffected ? backoff.next() : forbiddenDelay;
    // The credentials are read anew, so the first retry needs no delay.
    case 'unauthorized':
      return backoff.nextAfterFirst('unauthorized');
    case 'busy': {
      const delay = backoff.next();
      // A server that starts asks for a second (429 "storage is (re)initializing") or for five (503 "before all known HTTP
      // paths"), and is ready in a part of it: also while it waits, a recovery ends the wait.
      return backoff.isUrgent ? delay : Math.max(error.retryAfter, delay);
    }
    default:
      return backoff.next();
  }
}

function waitAfter(error: ApiError, backoff: ReflectorBackoff, next: ReflectorState): ReflectorState {
  return wait(delayAfter(error, backoff), next);
}

function wait(milliseconds: number, next: ReflectorState): ReflectorState {
  return milliseconds === 0 ? next : { at: 'waiting', milliseconds, until: 'recovery', next };
}

/** client-go's reflector: 800 ms, doubled up to 30 s. */
const reflectorBackoff: Backoff = { initial: 800, max: 30_000 };

/**
 * The first delays after a server came back: short, because what was revoked meanwhile is still served. Ten of them are
 * the two to three seconds that a busy API server takes from its first response to the last of its caches.
 */
const urgentBackoff: Backoff = { initial: 100, max: 400 };
const urgentFailures = 10;

/**
 * How often the success of other requests may end the waits of a reflector that has no success of its own: four times,
 * as for a server that comes and goes, and then as often as the longest delay. A server that answers other requests and
 * never this one is overloaded by it, and backoff is due.
 */
const wakeRate = { rate: 1 / 30, burst: 4 };

/** A watch of this length, in milliseconds, resets the backoff. */
const healthyDuration = 60_000;

/** Failed attempts after which the delay is about at its maximum. */
const manyFailures = 5;

/** Ends of a watch after which the first retry is made at once. */
type Retryable = 'ended' | 'expired' | 'unauthorized';

/** The backoff of a reflector: exponential with jitter, reset by a healthy watch. Never gives up. */
export class ReflectorBackoff {
  readonly random: Random;
  readonly #clock: Clock;
  readonly #outage: OutageMember;
  readonly #retried = new Set<Retryable>();
  #wakes: RateLimiter;
  #failures = 0;
  /** The failures before the server came back; undefined: it was not away. */
  #failuresBefore: number | undefined;

  constructor(random: Random, clock: Clock, outage: OutageMember) {
    this.random = random;
    this.#outage = outage;
    this.#clock = clock;
    this.#wakes = new RateLimiter(clock, wakeRate);
  }

  /** Counts a failure and returns the delay before the next attempt, in milliseconds. */
  next(): number {
    this.#failures += 1;
    const since = this.#failures - (this.#failuresBefore ?? 0);
    if (this.isUrgent) return backoffDelay(since, urgentBackoff, this.random);
    const past = this.#failuresBefore === undefined ? since : since - urgentFailures;
    return backoffDelay(past, reflectorBackoff, this.random);
  }

  /** A list or a watch failed. */
  failed(error: ApiError): void {
    this.#outage.failed(error);
  }

  /** A list is complete, or a watch was open for some seconds. */
  succeeded(): void {
    this.#outage.succeeded();
    this.#failuresBefore = undefined;
    this.#wakes = new RateLimiter(this.#clock, wakeRate);
  }

  /**
   * Another request succeeded. Returns whether the wait is over, because the server came back from an outage: delays
   * then begin anew, and short.
   */
  recover(): boolean {
    if (!this.isAffected || this.isUrgent || this.#wakes.tryTake() > 0) return false;
    this.#failuresBefore = this.#failures;
    return true;
  }

  /** True from an outage until a success of this reflector. */
  get isAffected(): boolean {
    return this.#outage.isAffected();
  }

  /** True in the first seconds after a server came back. */
  get isUrgent(): boolean {
    return this.#failuresBefore !== undefined && this.#failures - this.#failuresBefore <= urgentFailures;
  }

  /** As `next`, but returns 0 for the first failure of this kind since the last reset, and does not count it. */
  nextAfterFirst(what: Retryable): number {
    if (this.#retried.has(what)) return this.next();
    this.#retried.add(what);
    return 0;
  }

  /** Resets the backoff if a watch was open for long enough. */
  watched(milliseconds: number): void {
    if (milliseconds < healthyDuration) return;
    this.#failures = 0;
    this.#failuresBefore = undefined;
    this.#retried.clear();
  }

  get isLong(): boolean {
    return this.#failures >= manyFailures;
  }
}
