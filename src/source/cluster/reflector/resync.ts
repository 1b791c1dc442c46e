import type { Clock, Counters, Logger, Random, Stop } from '../../../edges.ts';
import { listPages } from './list-pager.ts';
import { type Collection, collectionTitle } from '../api/path.ts';
import type { KubeReader } from '../api/reader.ts';
import type { ObjectTable } from './object-store.ts';
import { SafetyCheck } from './safety-check.ts';

export interface SafetyRelistParts {
  readonly collection: Collection;
  readonly table: ObjectTable;
  readonly reader: KubeReader;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
  /** The table was repaired. */
  readonly told: () => void;
}

/** How often the world is listed to see whether a watch has lost something, in milliseconds; up to a fifth longer. */
const PERIOD = 600_000;

/** When there is no watch to compare with, it is tried again so soon. */
const SOON = 30_000;

/** Whatever is on its way when a list is complete has arrived after so long. In milliseconds. */
const GRACE = 5_000;

/**
 * Lists a collection from time to time while its watch goes on. A watch can fail to tell something without any error; what
 * it missed is repaired and counted.
 */
export class SafetyRelist {
  readonly #parts: SafetyRelistParts;
  #timer: Stop = () => undefined;
  #watch: AbortSignal | undefined;
  #checking: Promise<void> = Promise.resolve();

  constructor(parts: SafetyRelistParts) {
    this.#parts = parts;
  }

  /** The next one is due a whole period from now. */
  postpone(): void {
    this.#after(PERIOD * (1 + this.#parts.random() / 5));
  }

  /** A watch goes on until the signal ends it. */
  watching(signal: AbortSignal): void {
    this.#watch = signal;
  }

  async stop(): Promise<void> {
    this.#timer();
    await this.#checking;
    this.#timer();
  }

  #after(milliseconds: number, act: () => void = () => this.#begin()): void {
    this.#timer();
    this.#timer = this.#parts.clock.after(milliseconds, act);
  }

  #begin(): void {
    const watch = this.#watch;
    if (watch === undefined || watch.aborted) this.#after(SOON);
    else this.#checking = this.#check(watch).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    const { collection, table, log } = this.#parts;
    table.noteNoMore();
    log.error('internal error: a safety relist failed', { kind: collectionTitle(collection), error: String(error) });
    this.postpone();
  }

  async #check(watch: AbortSignal): Promise<void> {
    const { collection, table, reader, counters } = this.#parts;
    const check = new SafetyCheck(collection.kind, table);
    const answer = await listPages(reader, collection, watch, (object) => check.take(object));
    if (answer?.ok) counters.count('gatehouse_source_lists_total', { kind: collection.kind });
    // A watch that ended has taken the comparison with it: what it did not tell, the next one may.
    if (watch.aborted) this.#give(check, SOON);
    else if (answer?.ok && check.listed()) this.#after(GRACE, () => this.#repair(check, watch));
    else this.#give(check, undefined);
  }

  #repair(check: SafetyCheck, watch: AbortSignal): void {
    const missed = watch.aborted ? 0 : check.repair();
    this.#give(check, watch.aborted ? SOON : undefined);
    if (missed === 0) return;
    const { collection, log, counters, told } = this.#parts;
    counters.count('gatehouse_source_missed_total', { kind: collection.kind }, missed);
    log.warn('a list shows what no event had told', { kind: collectionTitle(collection), objects: missed });
    told();
  }

  /** Undefined: the next one is due after a whole period. */
  #give(check: SafetyCheck, again: number | undefined): void {
    check.end();
    if (again === undefined) this.postpone();
    else this.#after(again);
  }
}
