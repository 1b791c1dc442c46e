import type { Clock, Counters, Logger, Random, Stop } from '../../../edges.ts';
import type { KindName } from '../../../resources/model.ts';
import { type ApiObject, type DecodedObject, decodeObject, isCustomResource } from '../api/object.ts';
import { type Collection, collectionTitle } from '../api/path.ts';
import type { ApiReader } from '../api/reader.ts';
import { listPages } from './list-pager.ts';
import type { ListingBudget } from './listing-budget.ts';
import type { ObjectStore } from './object-store.ts';

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
  /** Called when the store was repaired. */
  readonly changed: () => void;
}

/** Period of the relists, in milliseconds; a random part of up to a fifth is added. */
const period = 600_000;

/** Delay of a relist for which there is no watch to compare with, in milliseconds. */
const retryDelay = 30_000;

/** Time for events that are still under way when the list is complete, in milliseconds. */
const gracePeriod = 5_000;

/**
 * Relists a collection periodically while it is watched, and compares. A watch can lose an event without any error:
 * what it missed is repaired and counted. Unlike the resync of client-go, which replays the store, it reads the server.
 */
export class Resync {
  readonly #parts: ResyncParts;
  #stopTimer: Stop = () => undefined;
  #watch: AbortSignal | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: ResyncParts) {
    this.#parts = parts;
  }

  /** Schedules the next relist a whole period from now. */
  postpone(): void {
    this.#schedule(period * (1 + this.#parts.random() / 5));
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

  #schedule(milliseconds: number, run: () => void = () => this.#begin()): void {
    this.#stopTimer();
    this.#stopTimer = this.#parts.clock.after(milliseconds, run);
  }

  #begin(): void {
    const watch = this.#watch;
    if (watch === undefined || watch.aborted) this.#schedule(retryDelay);
    else this.#running = this.#relist(watch).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    const { collection, store, log } = this.#parts;
    store.stopRecording();
    log.error('internal error: a safety relist failed', { kind: collectionTitle(collection), error: String(error) });
    this.postpone();
  }

  async #relist(watch: AbortSignal): Promise<void> {
    const { collection, store, reader, counters, budget } = this.#parts;
    const comparison = new Comparison(collection.kind, store);
    const result = await listPages(reader, collection, watch, (object) => comparison.add(object), budget);
    if (result?.ok) counters.count('gatehouse_source_lists_total', { kind: collection.kind });
    // Without its watch the comparison is void: the next watch may send what this one did not.
    if (watch.aborted) this.#end(comparison, retryDelay);
    else if (result?.ok && comparison.listed()) this.#schedule(gracePeriod, () => this.#repair(comparison, watch));
    else this.#end(comparison, undefined);
  }

  #repair(comparison: Comparison, watch: AbortSignal): void {
    const missed = watch.aborted ? 0 : comparison.repair();
    this.#end(comparison, watch.aborted ? retryDelay : undefined);
    if (missed === 0) return;
    const { collection, log, counters, changed } = this.#parts;
    counters.count('gatehouse_source_missed_total', { kind: collection.kind }, missed);
    log.warn('a list shows what no event had told', { kind: collectionTitle(collection), objects: missed });
    changed();
  }

  /** @param delay milliseconds until the next relist; undefined: a whole period */
  #end(comparison: Comparison, delay: number | undefined): void {
    comparison.end();
    if (delay === undefined) this.postpone();
    else this.#schedule(delay);
  }
}

/**
 * Compares a list with the store during a watch. Resource versions are opaque, and do not show which of two objects is
 * newer: an object was missed if the list differs and no event named it, neither during the list nor within the grace
 * after it.
 */
class Comparison {
  readonly #kind: KindName;
  readonly #store: ObjectStore;
  readonly #touched: ReadonlySet<string>;
  readonly #seen = new Set<string>();
  readonly #different = new Map<string, DecodedObject>();
  #gone: readonly string[] = [];

  /** Create it before the list is requested. */
  constructor(kind: KindName, store: ObjectStore) {
    this.#kind = kind;
    this.#store = store;
    this.#touched = store.recordTouched();
  }

  /** Takes an object of the list. */
  add(object: ApiObject): void {
    this.#seen.add(object.key);
    if (this.#store.holds(object) && !isCustomResource(this.#kind)) return;
    const decoded = decodeObject(this.#kind, object);
    if (!this.#store.agrees(decoded)) this.#different.set(object.key, decoded);
  }

  /** The list is complete. Returns true if it differs. */
  listed(): boolean {
    this.#gone = [...this.#store.keys()].filter((key) => !this.#seen.has(key));
    return this.#gone.length > 0 || this.#different.size > 0;
  }

  /** Applies the differences that no event has named. Returns the number of objects. */
  repair(): number {
    const missed = [...this.#different.values()].filter(({ key }) => !this.#touched.has(key));
    const gone = this.#gone.filter((key) => !this.#touched.has(key));
    for (const decoded of missed) this.#store.apply(decoded);
    for (const key of gone) this.#store.remove(key);
    return missed.length + gone.length;
  }

  /** Call it in every case. */
  end(): void {
    this.#store.stopRecording();
  }
}
