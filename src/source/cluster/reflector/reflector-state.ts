import type { Random } from '../../../edges.ts';
import type { ApiError } from '../../../kube/model.ts';
import { type Backoff, backoffDelay } from '../../../rate/backoff.ts';

/** The state of a reflector. */
export type ReflectorState =
  | { readonly at: 'listing' }
  /** Watches from a resource version. */
  | { readonly at: 'watching'; readonly from: string }
  | { readonly at: 'waiting'; readonly milliseconds: number; readonly next: ReflectorState }
  | { readonly at: 'stopped' };

/** The outcome of a list or a watch. */
export type Outcome =
  | { readonly of: 'list'; readonly end: 'listed'; readonly resourceVersion: string }
  | { readonly of: 'list'; readonly end: 'failed'; readonly error: ApiError }
  /** Discovery does not list the resource. */
  | { readonly of: 'list'; readonly end: 'absent' }
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

/** A watch that ends sooner, in milliseconds, is followed by backoff, unless it is the first of its kind to do so. */
const quickEnd = 5_000;

const listing: ReflectorState = { at: 'listing' };

/** Returns the next state. Failures are retried without end; only a list or a watch changes the store. */
export function nextState(outcome: Outcome, backoff: ReflectorBackoff): ReflectorState {
  if (outcome.of === 'program') return { at: 'stopped' };
  return outcome.of === 'watch' ? afterWatch(outcome, backoff) : afterList(outcome, backoff);
}

function afterList(outcome: Extract<Outcome, { readonly of: 'list' }>, backoff: ReflectorBackoff): ReflectorState {
  switch (outcome.end) {
    case 'listed':
      return { at: 'watching', from: outcome.resourceVersion };
    case 'absent':
      return wait(absentDelay * (1 + backoff.random()), listing);
    case 'failed':
      return wait(delayAfter(outcome.error, backoff), listing);
  }
}

function afterWatch(outcome: Extract<Outcome, { readonly of: 'watch' }>, backoff: ReflectorBackoff): ReflectorState {
  const { error, resourceVersion, duration, endedEarly } = outcome;
  backoff.watched(duration);
  const quick = duration < quickEnd;
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
      return wait(delayAfter(error, backoff), listing);
    // A server that refuses a watch again and again may still answer lists.
    case 'refused': {
      const next = error.status < 500 || backoff.isLong ? listing : watching;
      return wait(delayAfter(error, backoff), next);
    }
    default:
      return wait(delayAfter(error, backoff), watching);
  }
}

function delayAfter(error: ApiError, backoff: ReflectorBackoff): number {
  switch (error.reason) {
    case 'forbidden':
      return forbiddenDelay;
    // The credentials are read anew, so the first retry needs no delay.
    case 'unauthorized':
      return backoff.nextAfterFirst('unauthorized');
    case 'busy':
      return Math.max(error.retryAfter, backoff.next());
    default:
      return backoff.next();
  }
}

function wait(milliseconds: number, next: ReflectorState): ReflectorState {
  return milliseconds === 0 ? next : { at: 'waiting', milliseconds, next };
}

/** client-go's reflector: 800 ms, doubled up to 30 s. */
const reflectorBackoff: Backoff = { initial: 800, max: 30_000 };

/** A watch of this length, in milliseconds, resets the backoff. */
const healthyDuration = 60_000;

/** Failed attempts after which the delay is about at its maximum. */
const manyFailures = 5;

/** Ends of a watch after which the first retry is made at once. */
type Retryable = 'ended' | 'expired' | 'unauthorized';

/** The backoff of a reflector: exponential with jitter, reset by a healthy watch. Never gives up. */
export class ReflectorBackoff {
  readonly random: Random;
  readonly #retried = new Set<Retryable>();
  #failures = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Counts a failure and returns the delay before the next attempt, in milliseconds. */
  next(): number {
    this.#failures += 1;
    return backoffDelay(this.#failures, reflectorBackoff, this.random);
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
    this.#retried.clear();
  }

  get isLong(): boolean {
    return this.#failures >= manyFailures;
  }
}
