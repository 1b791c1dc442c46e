import type { Clock, Random } from '../../../edges.ts';
import { type Backoff, backoffDelay } from '../../../rate/backoff.ts';
import { RateLimiter } from '../../../rate/rate-limiter.ts';
import { WorkQueue } from '../../../rate/work-queue.ts';

/** Something that fails. */
export interface Failing<Item> {
  readonly item: Item;
  /** `left out`: clients do not wait for it. */
  readonly state: 'fails' | 'left out';
  /** When it began to fail, in milliseconds since the epoch. */
  readonly since: number;
  /** When it is tried next, in milliseconds since the epoch; `undefined` while it is being tried. */
  readonly nextTrial: number | undefined;
}

/** Dependencies and settings of a recovery. */
export interface RecoveryParts<Item> {
  readonly clock: Clock;
  readonly random: Random;
  /** Trials at the same time, without those that take longer than {@link placeTime}. */
  readonly concurrency: number;
  readonly keyOf: (item: Item) => string;
  /** Rejects when the item does not work. @param isDoubted see {@link Recovery.failed} */
  readonly trial: (item: Item, isDoubted: boolean) => Promise<unknown>;
  /** Called with each trial that fails, and the milliseconds that it took. Returns whether the item is left out then. */
  readonly trialFailed: (item: Item, error: unknown, took: number) => boolean;
  /** Called when an item works that had failed. */
  readonly recovered: (item: Item) => void;
}

/** Delays between trials that fail, in milliseconds. The first follows the failure of a client's request at once. */
const trialBackoff: Backoff = { initial: 1_000, max: 60_000 };

/**
 * Delays before the first trial after a relapse, in milliseconds. Shorter, because a client may be able to make its own
 * request fail, and the item is left out for all.
 */
const relapseBackoff: Backoff = { initial: 1_000, max: 10_000 };

/** A failure within this time of a recovery is a relapse, in milliseconds. */
const relapseTime = 60_000;

/** Trials per second: a network that is down is no reason for a burst. */
const trialRate = 20;

/**
 * Milliseconds after which a trial leaves its place to the next one: what hangs does not delay the trials of what may
 * have recovered. The rate of trials and the time of each limit the number of all.
 */
const placeTime = 1_000;

interface Entry<Item> {
  readonly item: Item;
  state: 'works' | Failing<Item>['state'];
  since: number;
  nextTrial: number | undefined;
  /** Whether a trial of it runs, also one that has left its place. */
  isTried: boolean;
  isHastened: boolean;
  isDoubted: boolean;
  /** Trials in a row that failed, without those that were hastened. */
  trials: number;
  relapses: number;
  /** Monotonic times, in milliseconds. */
  failedAt: number;
  recoveredAt: number;
}

/** What fails, and is tried again beside the requests of clients until it works. Bounded by what there is to fail. */
export class Recovery<Item> {
  readonly #parts: RecoveryParts<Item>;
  readonly #entries = new Map<string, Entry<Item>>();
  readonly #queue: WorkQueue<Entry<Item>>;

  /** Starts with nothing that fails. */
  constructor(parts: RecoveryParts<Item>) {
    this.#parts = parts;
    this.#queue = new WorkQueue<Entry<Item>>({
      clock: parts.clock,
      limiter: new RateLimiter(parts.clock, { rate: trialRate }),
      concurrency: parts.concurrency,
      keyOf: ({ item }) => parts.keyOf(item),
      begin: (entry) => (entry.state === 'works' ? undefined : this.#placed(this.#try(entry))),
    });
  }

  /** Returns how an item fails; `undefined` when it works. */
  of(item: Item): Failing<Item> | undefined {
    return failingIn(this.#entries.get(this.#parts.keyOf(item)));
  }

  /** Everything that fails now. */
  failing(): readonly Failing<Item>[] {
    return [...this.#entries.values()].flatMap((entry) => failingIn(entry) ?? []);
  }

  /**
   * @param leavesOut whether clients should not wait for it any more
   * @param maySeemWell whether trials may succeed nevertheless: after a relapse they are doubted for a time
   */
  failed(item: Item, leavesOut: boolean, maySeemWell: boolean = false): void {
    const { keyOf, clock, random } = this.#parts;
    const entry = this.#entries.get(keyOf(item)) ?? workingEntry(item);
    this.#entries.set(keyOf(item), entry);
    const isNew = entry.state === 'works';
    if (entry.state !== 'left out') entry.state = leavesOut ? 'left out' : 'fails';
    if (!isNew) return;
    beginFailing(entry, clock);
    entry.isDoubted = maySeemWell && entry.relapses > 0;
    // A trial of the failure before this one tells what holds now, too.
    if (entry.isTried) return;
    const isAtOnce = entry.relapses === 0 || entry.isDoubted;
    this.#schedule(entry, isAtOnce ? 0 : backoffDelay(entry.relapses, relapseBackoff, random));
  }

  /** Returns whether it had failed. */
  worked(item: Item): boolean {
    const { keyOf, clock, recovered } = this.#parts;
    const entry = this.#entries.get(keyOf(item));
    if (entry === undefined || entry.state === 'works') return false;
    this.#queue.delete(entry);
    entry.state = 'works';
    entry.recoveredAt = clock.monotonic();
    recovered(item);
    return true;
  }

  /** Tries what fails at once, unless it is being tried. The delays between trials stay as they were. */
  hasten(item: Item): void {
    const entry = this.#entries.get(this.#parts.keyOf(item));
    if (entry === undefined || entry.state === 'works' || entry.nextTrial === undefined) return;
    entry.isHastened = true;
    this.#schedule(entry, 0);
  }

  forget(matches: (item: Item) => boolean): void {
    for (const entry of [...this.#entries.values()].filter(({ item }) => matches(item))) {
      this.#queue.delete(entry);
      this.#entries.delete(this.#parts.keyOf(entry.item));
    }
  }

  stop(): void {
    this.#entries.clear();
    this.#queue.clear();
  }

  #schedule(entry: Entry<Item>, delay: number): void {
    entry.nextTrial = this.#parts.clock.now() + delay;
    if (delay === 0) this.#queue.add(entry);
    else this.#queue.addAfter(entry, delay);
  }

  /** Settles with a trial, or when that leaves its place. */
  #placed(trial: Promise<void>): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const stopTimer = this.#parts.clock.after(placeTime, resolve);
    void trial.finally(() => {
      stopTimer();
      resolve();
    });
    return promise;
  }

  async #try(entry: Entry<Item>): Promise<void> {
    const { trial, trialFailed, keyOf, random, clock } = this.#parts;
    const began = clock.monotonic();
    const { item, isHastened } = entry;
    const isDoubted = entry.isDoubted && began - entry.failedAt < relapseTime;
    const isCurrent = (): boolean => this.#entries.get(keyOf(item)) === entry && entry.state !== 'works';
    entry.nextTrial = undefined;
    entry.isTried = true;
    entry.isHastened = false;
    try {
      await trial(item, isDoubted).finally(() => {
        entry.isTried = false;
      });
      if (isCurrent()) this.worked(item);
    } catch (error) {
      if (!isCurrent()) return;
      if (trialFailed(item, error, clock.monotonic() - began)) entry.state = 'left out';
      if (!isHastened || entry.trials === 0) entry.trials += 1;
      this.#schedule(entry, backoffDelay(entry.trials, trialBackoff, random));
    }
  }
}

function beginFailing(entry: Entry<unknown>, clock: Clock): void {
  entry.since = clock.now();
  entry.failedAt = clock.monotonic();
  entry.trials = 0;
  entry.relapses = entry.failedAt - entry.recoveredAt < relapseTime ? entry.relapses + 1 : 0;
}

function workingEntry<Item>(item: Item): Entry<Item> {
  return {
    item,
    state: 'works',
    since: 0,
    nextTrial: undefined,
    isTried: false,
    isHastened: false,
    isDoubted: false,
    trials: 0,
    relapses: -1,
    failedAt: Number.NEGATIVE_INFINITY,
    recoveredAt: Number.NEGATIVE_INFINITY,
  };
}

function failingIn<Item>(entry: Entry<Item> | undefined): Failing<Item> | undefined {
  if (entry === undefined || entry.state === 'works') return undefined;
  const { item, state, since, nextTrial } = entry;
  return { item, state, since, nextTrial };
}
