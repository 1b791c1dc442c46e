import type { Random } from '../../../edges.ts';
import type { KubeFailure } from '../../../kube/api-error.ts';

/** What a reflector does right now. */
export type ReflectorState =
  | { readonly at: 'listing' }
  /** Follows what changes since a version. */
  | { readonly at: 'watching'; readonly from: string }
  /** In milliseconds. */
  | { readonly at: 'waiting'; readonly milliseconds: number; readonly next: ReflectorState }
  | { readonly at: 'stopped' };

/** How what it did has ended. */
export type Outcome =
  | { readonly of: 'list'; readonly end: 'listed'; readonly resourceVersion: string }
  | { readonly of: 'list'; readonly end: 'failed'; readonly failure: KubeFailure }
  /** Discovery says that there is no such resource. */
  | { readonly of: 'list'; readonly end: 'absent' }
  | {
      readonly of: 'watch';
      /** Undefined: the server ended it as it always does after some minutes. */
      readonly failure: KubeFailure | undefined;
      /** The version up to which everything was told. */
      readonly reached: string;
      /** Milliseconds since the answer began; 0 when it never did. */
      readonly lasted: number;
      /** Whether the server ended it before its time, as it does when somebody changes the CRD: then objects may read otherwise. */
      readonly cutShort: boolean;
    }
  /** The program stops. */
  | { readonly of: 'program' };

/** A right that is missing is granted by people. In milliseconds. */
const FORBIDDEN = 30_000;

/** A CRD is installed by people who wait for the effect. */
const ABSENT = 5_000;

/** A watch that ends sooner has not done what it was asked for. */
const QUICK = 5_000;

/** What to do next. What failed is tried again for ever, and nothing but a list or a watch is ever believed. */
export function nextState(outcome: Outcome, pace: Pace): ReflectorState {
  if (outcome.of === 'program') return { at: 'stopped' };
  return outcome.of === 'watch' ? afterWatch(outcome, pace) : afterList(outcome, pace);
}

function afterList(outcome: Extract<Outcome, { readonly of: 'list' }>, pace: Pace): ReflectorState {
  switch (outcome.end) {
    case 'listed':
      return { at: 'watching', from: outcome.resourceVersion };
    case 'absent':
      return after(ABSENT * (1 + pace.random()), listing);
    case 'failed':
      return after(waitFor(outcome.failure, pace), listing);
  }
}

const listing: ReflectorState = { at: 'listing' };

function afterWatch(outcome: Extract<Outcome, { readonly of: 'watch' }>, pace: Pace): ReflectorState {
  const { failure, reached, lasted, cutShort } = outcome;
  pace.lasted(lasted);
  const watching: ReflectorState = { at: 'watching', from: reached };
  if (failure === undefined) return after(lasted < QUICK ? pace.again('ended') : 0, cutShort ? listing : watching);
  switch (failure.reason) {
    case 'expired':
      return after(lasted < QUICK ? pace.again('expired') : 0, listing);
    // A list tells whether this is so of lists too, or repairs what was not understood.
    case 'unintelligible':
    case 'forbidden':
    case 'not-found':
      return after(waitFor(failure, pace), listing);
    // Who answers, and refuses the watch again and again, may still be good for lists.
    case 'refused': {
      const next = failure.status < 500 || pace.tired ? listing : watching;
      return after(waitFor(failure, pace), next);
    }
    default:
      return after(waitFor(failure, pace), watching);
  }
}

function waitFor(failure: KubeFailure, pace: Pace): number {
  switch (failure.reason) {
    case 'forbidden':
      return FORBIDDEN;
    // The credentials were read anew: the first time there is nothing to wait for.
    case 'unauthorized':
      return pace.again('unauthorized');
    case 'busy':
      return Math.max(failure.retryAfter, pace.failed());
    default:
      return pace.failed();
  }
}

function after(milliseconds: number, next: ReflectorState): ReflectorState {
  return milliseconds === 0 ? next : { at: 'waiting', milliseconds, next };
}

/** Milliseconds before a new attempt: at first, and at most. */
const FIRST = 800;
const LONGEST = 30_000;

/** A watch that lasts so long shows that all is well again. In milliseconds. */
const HEALTHY = 60_000;

/** So many attempts in a row have failed when the wait is about at its longest. */
const MANY = 5;

/** After what another attempt may well succeed at once. */
type Repeatable = 'ended' | 'expired' | 'unauthorized';

/** How long to wait before the next attempt. Never gives up. */
export class Pace {
  readonly random: Random;
  readonly #repeated = new Set<Repeatable>();
  #attempts = 0;

  constructor(random: Random) {
    this.random = random;
  }

  /** Something failed: doubles from 0.8 s to 30 s, of which a random part between half and all is the wait. */
  failed(): number {
    const whole = Math.min(LONGEST, FIRST * 2 ** Math.min(this.#attempts, 10));
    this.#attempts += 1;
    return Math.round(whole / 2 + (this.random() * whole) / 2);
  }

  /** The same for what may be repeated at once, but only the first time since all was well. */
  again(what: Repeatable): number {
    if (this.#repeated.has(what)) return this.failed();
    this.#repeated.add(what);
    return 0;
  }

  lasted(milliseconds: number): void {
    if (milliseconds < HEALTHY) return;
    this.#attempts = 0;
    this.#repeated.clear();
  }

  get tired(): boolean {
    return this.#attempts >= MANY;
  }
}
