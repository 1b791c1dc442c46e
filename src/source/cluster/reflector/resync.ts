import type { Clock, Counters, Logger, Random, Stop } from '../../../edges.ts';
import { apiErrorText } from '../../../kube/api-error.ts';
import type { ApiError } from '../../../kube/model.ts';
import { type Backoff, backoffDelay } from '../../../rate/backoff.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import type { KindName } from '../../../resources/model.ts';
import {
  type ApiObject,
  crowdedOut,
  type DecodedObject,
  decodeClaim,
  decodeObject,
  isCustomResource,
} from '../api/object.ts';
import { type Collection, collectionTitle } from '../api/path.ts';
import type { ApiReader } from '../api/reader.ts';
import type { ListSink } from './admission/list-selection.ts';
import type { ListingBudget } from './admission/listing-budget.ts';
import type { ListedObject } from './admission/namespace-share.ts';
import { LeftOut } from './left-out.ts';
import { listPages } from './list-pager.ts';
import { appliedAtOnce, type ObjectStore } from './object-store.ts';

/** The collection that is compared with the server, and what the comparison needs. */
export interface ResyncParts {
  readonly collection: Collection;
  readonly store: ObjectStore;
  readonly reader: ApiReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
  readonly budget: ListingBudget;
  /** Called when the store may have been repaired. */
  readonly repaired: () => void;
  /** Called when the collection is to be listed anew, instead of watched on: too much of it was missed. */
  readonly relist: () => void;
}

/** Period of the relists, in milliseconds; a random part of up to a fifth is added. */
const period = 600_000;

/** The same when it is to be decided anew what there is room for. */
const soonPeriod = 60_000;

/** Delay of a relist for which there is no watch to compare with, in milliseconds. */
const retryDelay = 30_000;

/** Delays after relists that failed: the watch goes on, and a list may be large. */
const failing: Backoff = { initial: 60_000, max: period };

/** Time for events that are still under way when the list is complete, in milliseconds. */
const gracePeriod = 5_000;

/**
 * Relists a collection periodically while it is watched, and compares. A watch can lose an event without any error:
 * what it missed is repaired and counted. Unlike the resync of client-go, which replays the store, it reads the server.
 */
export class Resync {
  readonly #parts: ResyncParts;
  readonly #failures: LogThrottle;
  #stopTimer: Stop = () => undefined;
  #watch: AbortSignal | undefined;
  #running: Promise<void> = Promise.resolve();
  /** What the timer is for; while a list is compared there may be none. */
  #next: 'a period' | 'soon' | 'comparing' = 'a period';
  /** True if the relist that follows the present one is to be soon. */
  #again = false;
  #failed = 0;

  constructor(parts: ResyncParts) {
    this.#parts = parts;
    this.#failures = new LogThrottle(parts.clock, parts.log);
  }

  /** Schedules the next relist a whole period from now. */
  postpone(): void {
    this.#next = 'a period';
    this.#again = false;
    this.#schedule(this.#withJitter(period));
  }

  /** Relists within about a minute, however often it is called: a list decides what there is room for. */
  soon(): void {
    if (this.#next === 'comparing') this.#again = true;
    if (this.#next !== 'a period') return;
    this.#next = 'soon';
    this.#schedule(this.#withJitter(soonPeriod));
  }

  /** A watch was opened; the signal is aborted when it ends. */
  watching(signal: AbortSignal): void {
    this.#watch = signal;
  }

  async stop(): Promise<void> {
    this.#stopTimer();
    await this.#running;
    this.#stopTimer();
  }

  #withJitter(milliseconds: number): number {
    return milliseconds * (1 + this.#parts.random() / 5);
  }

  #schedule(milliseconds: number, run: () => void = () => this.#begin()): void {
    this.#stopTimer();
    this.#stopTimer = this.#parts.clock.after(milliseconds, run);
  }

  #begin(): void {
    const watch = this.#watch;
    if (watch === undefined || watch.aborted) this.#schedule(retryDelay);
    else this.#running = this.#relist(watch).catch((error: unknown) => this.#threw(error));
  }

  #threw(error: unknown): void {
    const { collection, store, log } = this.#parts;
    store.stopRecording();
    log.error('internal error: a safety relist failed', { kind: collectionTitle(collection), error: String(error) });
    this.postpone();
  }

  async #relist(watch: AbortSignal): Promise<void> {
    const { collection, store, reader, counters, budget } = this.#parts;
    this.#next = 'comparing';
    const comparison = new Comparison(collection.kind, store);
    const result = await listPages(reader, collection, watch, comparison, budget);
    // Without its watch the comparison is void: the next watch may send what this one did not.
    if (watch.aborted || result === undefined) this.#end(comparison, retryDelay);
    else if (!result.ok) this.#end(comparison, this.#delayAfter(result.error));
    else {
      counters.count('gatehouse_source_lists_total', { kind: collection.kind });
      this.#succeeded();
      if (comparison.listed()) this.#schedule(gracePeriod, () => this.#repair(comparison, watch));
      else this.#end(comparison, undefined);
    }
  }

  /** Reports a failure, which the watch does not show. Returns the milliseconds until the next relist. */
  #delayAfter(error: ApiError): number {
    const { collection, counters, random } = this.#parts;
    this.#failed += 1;
    counters.count('gatehouse_source_watch_failures_total', { kind: collection.kind, reason: error.reason });
    const kind = collectionTitle(collection);
    const message = 'a safety relist failed, and is tried again: until then nothing shows whether an event was missed';
    this.#failures.failed(topic, { reason: apiErrorText(error), message, fields: { kind } });
    return backoffDelay(this.#failed, failing, random);
  }

  #succeeded(): void {
    this.#failed = 0;
    this.#failures.recovered(topic, 'safety relists work again', { kind: collectionTitle(this.#parts.collection) });
  }

  #repair(comparison: Comparison, watch: AbortSignal): void {
    if (watch.aborted) {
      this.#end(comparison, retryDelay);
      return;
    }
    const { collection, log, counters, repaired, relist } = this.#parts;
    const differences = comparison.differences();
    const isLarge = differences.different.length + differences.gone.length > appliedAtOnce;
    if (!isLarge) comparison.repair(differences);
    this.#end(comparison, undefined);
    // A list is applied in several turns of the event loop, which the events of a watch would come between.
    if (isLarge) relist();
    else repaired();
    const { missed } = differences;
    if (missed === 0) return;
    counters.count('gatehouse_source_missed_total', { kind: collection.kind }, missed);
    log.warn('a list shows what no event had told', { kind: collectionTitle(collection), objects: missed });
  }

  /** @param delay milliseconds until the next relist; undefined: a whole period */
  #end(comparison: Comparison, delay: number | undefined): void {
    comparison.end();
    const again = this.#again;
    this.postpone();
    if (delay !== undefined) this.#schedule(delay);
    else if (again) this.soon();
  }
}

const topic = 'relist';

/** What a list and the store differ in, and no event has named. */
interface Differences {
  readonly different: readonly DecodedObject[];
  readonly gone: readonly string[];
  /** The number of objects that events should have named. */
  readonly missed: number;
}

/**
 * Compares a list with the store during a watch. Resource versions are opaque, and do not show which of two objects is
 * newer: an object was missed if the list differs and no event named it, neither during the list nor within the grace
 * after it.
 */
class Comparison implements ListSink {
  readonly #kind: KindName;
  readonly #store: ObjectStore;
  readonly #touched: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  readonly #different = new Map<string, DecodedObject>();
  #gone: readonly string[] = [];
  readonly #leftOut = new LeftOut();

  /** Create it before the list is requested. */
  constructor(kind: KindName, store: ObjectStore) {
    this.#kind = kind;
    this.#store = store;
    this.#touched = store.recordTouched();
  }

  add(object: ApiObject): void {
    this.#seen.add(object.key);
    this.#different.delete(object.key);
    if (this.#store.holds(object) && !isCustomResource(this.#kind)) return;
    const decoded = decodeObject(this.#kind, object);
    if (!this.#store.agrees(decoded)) this.#different.set(object.key, decoded);
  }

  addWithoutRoom(object: ApiObject): number {
    this.#seen.add(object.key);
    return this.#setWithoutRoom(crowdedOut(this.#kind, object, decodeClaim(this.#kind, object)));
  }

  crowdOut(object: ListedObject): number {
    return this.#setWithoutRoom(this.#store.withoutRoom(object, this.#different.get(object.key)?.resource));
  }

  #setWithoutRoom(decoded: DecodedObject): number {
    if (this.#store.holdsWithoutRoom(decoded)) this.#different.delete(decoded.key);
    else this.#different.set(decoded.key, decoded);
    return decoded.kept;
  }

  leaveOut(key: string): void {
    this.#seen.delete(key);
    this.#different.delete(key);
    this.#leftOut.add(key);
  }

  /** The list is complete. Returns true if it differs. */
  listed(): boolean {
    this.#gone = [...this.#store.keys()].filter((key) => !this.#seen.has(key));
    return this.#gone.length > 0 || this.#different.size > 0 || this.#leftOut.count !== this.#store.leftOut.count;
  }

  differences(): Differences {
    const different = [...this.#different.values()].filter(({ key }) => !this.#touched.has(key));
    const gone = this.#gone.filter((key) => !this.#touched.has(key));
    const wereLeftOut = this.#store.leftOut.count > 0;
    const missed = different.filter((decoded) => !this.#isAboutRoom(decoded, wereLeftOut));
    return { different, gone, missed: missed.length + (this.#leftOut.count > 0 ? 0 : gone.length) };
  }

  repair({ different, gone }: Differences): void {
    this.#store.leftOut = this.#leftOut;
    for (const decoded of different) this.#store.apply(decoded);
    for (const key of gone) this.#store.remove(key);
  }

  /** Call it in every case. */
  end(): void {
    this.#store.stopRecording();
  }

  /** Returns whether there was no room for the object, or there is none now, so that no event told of it. */
  #isAboutRoom(decoded: DecodedObject, wereLeftOut: boolean): boolean {
    const { key } = decoded;
    if (decoded.isCrowdedOut || this.#store.holdsWithoutRoom(decoded)) return true;
    return wereLeftOut && this.#store.identify(key) === undefined;
  }
}
