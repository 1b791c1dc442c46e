import type { Clock, Counters, Logger, Random, StopAsync } from '../../../edges.ts';
import type { KindName } from '../../../resources/model.ts';
import type { ClusterWorld } from '../pending-changes.ts';
import { CollectionReport } from '../watch-health.ts';
import { isKnownAbsent } from '../api/discovery.ts';
import type { KubeFailure } from '../../../kube/api-error.ts';
import { listPages } from './list-pager.ts';
import { type Collection, collectionTitle } from '../api/path.ts';
import type { KubeReader } from '../api/reader.ts';
import { type ListingWays, worthPages } from './listing-way.ts';
import { isCustom, ObjectTable, type Replacement } from './object-store.ts';
import { nextState, type Outcome, Pace, type ReflectorState } from './reflector-state.ts';
import { SafetyRelist } from './resync.ts';
import type { WatchEvent } from './watch-event.ts';
import { type SessionEnd, WatchSession, type WatchStart } from './watch-session.ts';

export interface ReflectorParts {
  readonly collection: Collection;
  readonly reader: KubeReader;
  readonly ways: ListingWays;
  readonly server: string;
  readonly world: ClusterWorld;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
  /** The world is different. */
  readonly told: () => void;
  /** A list or a watch begins. */
  readonly begins: () => void;
}

type Absence = 'unknown' | 'suspected' | 'known';

/**
 * Keeps one collection as the API server has it: lists it, and follows what changes, whatever the server or the way to it
 * does. Never gives up, and takes nothing back unless it is told so.
 */
export class Reflector {
  readonly table: ObjectTable;
  readonly #parts: ReflectorParts;
  readonly #report: CollectionReport;
  readonly #safety: SafetyRelist;
  readonly #pace: Pace;
  readonly #stop = new AbortController();
  #absence: Absence = 'unknown';
  #everComplete = false;

  constructor(parts: ReflectorParts) {
    this.#parts = parts;
    this.table = new ObjectTable(parts.collection.kind, parts.world.listener(parts.collection.kind));
    this.#report = new CollectionReport(parts);
    this.#safety = new SafetyRelist({ ...parts, table: this.table });
    this.#pace = new Pace(parts.random);
  }

  get kind(): KindName {
    return this.#parts.collection.kind;
  }

  /** To be called once. */
  start(): StopAsync {
    const running = this.#run();
    return async () => {
      this.#stop.abort();
      await running;
      await this.#safety.stop();
    };
  }

  async #run(): Promise<void> {
    let state: ReflectorState = { at: 'listing' };
    while (state.at !== 'stopped') {
      try {
        state = await this.#step(state);
      } catch (error) {
        const kind = collectionTitle(this.#parts.collection);
        this.#parts.log.error('internal error: following a kind failed, and is begun anew', {
          kind,
          error: String(error),
        });
        state = { at: 'waiting', milliseconds: this.#pace.failed(), next: { at: 'listing' } };
      }
    }
  }

  async #step(state: ReflectorState): Promise<ReflectorState> {
    switch (state.at) {
      case 'listing':
        this.#parts.begins();
        return nextState(await this.#list(), this.#pace);
      case 'watching':
        this.#parts.begins();
        return nextState(await this.#watch(state.from), this.#pace);
      case 'waiting':
        return (await this.#wait(state.milliseconds)) ? state.next : { at: 'stopped' };
      case 'stopped':
        return state;
    }
  }

  /** Whether the time has passed; else the program stops. */
  #wait(milliseconds: number): Promise<boolean> {
    const { signal } = this.#stop;
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false);
      const stopped = (): void => {
        cancel();
        resolve(false);
      };
      const cancel = this.#parts.clock.after(milliseconds, () => {
        signal.removeEventListener('abort', stopped);
        resolve(true);
      });
      signal.addEventListener('abort', stopped, { once: true });
    });
  }

  async #list(): Promise<Outcome> {
    const { ways } = this.#parts;
    if (ways.way === 'paged') return this.#listPages();
    const end = await this.#follow({ with: 'objects', replacement: this.table.replacement() });
    if (end.end !== 'unlisted') return this.#watched(end);
    if (!worthPages(end.failure)) return this.#listFailed(end.failure);
    const outcome = await this.#listPages();
    if (outcome.of === 'list' && outcome.end === 'listed') ways.onlyPages(end.failure);
    return outcome;
  }

  async #listPages(): Promise<Outcome> {
    const { reader, collection } = this.#parts;
    const replacement = this.table.replacement();
    const answer = await listPages(reader, collection, this.#stop.signal, (object) => replacement.take(object));
    if (answer === undefined) return stopped;
    if (!answer.ok) {
      return answer.failure.reason === 'not-found' ? this.#notFound(answer.failure) : this.#listFailed(answer.failure);
    }
    this.#listed(replacement);
    return { of: 'list', end: 'listed', resourceVersion: answer.value };
  }

  #listFailed(failure: KubeFailure): Outcome {
    this.#absence = 'unknown';
    // Labels that nobody may read are unknown, and are so for every namespace (`docs/semantics.md`, §4).
    const unknown = failure.reason === 'forbidden' && this.#parts.collection.kind === 'Namespace';
    if (unknown) this.#replaceByNothing(() => this.#report.failed(failure));
    else this.#failed(failure);
    return { of: 'list', end: 'failed', failure };
  }

  /**
   * Discovery decides whether there is such a resource. What was there before must be denied twice, some seconds apart: a
   * server that has just started may not know all of its own resources.
   */
  async #notFound(failure: KubeFailure): Promise<Outcome> {
    const { reader, collection } = this.#parts;
    if (this.#absence !== 'known') {
      const evidence = await isKnownAbsent(reader, collection.kind, this.#stop.signal);
      if (this.#stop.signal.aborted) return stopped;
      if (!evidence) return this.#listFailed(failure);
      this.#absence = this.#everComplete && this.#absence === 'unknown' ? 'suspected' : 'known';
      if (this.#absence === 'known') {
        this.#replaceByNothing(() => this.#report.absent());
      }
    }
    return { of: 'list', end: 'absent' };
  }

  #listed(replacement: Replacement): void {
    this.#absence = 'unknown';
    this.#safety.postpone();
    this.#replace(replacement, (objects) => this.#report.listed(objects));
  }

  #replaceByNothing(report: () => void): void {
    this.#replace(this.table.replacement(), report);
  }

  #replace(replacement: Replacement, report: (objects: number) => void): void {
    replacement.finish();
    report(this.table.size);
    this.#everComplete = true;
    this.#parts.world.complete(this.#parts.collection);
    this.#parts.told();
  }

  #follow(start: WatchStart): Promise<SessionEnd> {
    const { collection, counters, told } = this.#parts;
    const session = new WatchSession(
      {
        ...this.#parts,
        opened: (signal) => {
          counters.count('gatehouse_source_watches_total', { kind: collection.kind });
          this.#safety.watching(signal);
        },
        listed: (replacement) => this.#listed(replacement),
        event: (event) => this.#event(event),
        quiet: () => {
          this.#report.well();
          told();
        },
        told,
      },
      start,
    );
    return session.run(this.#stop.signal);
  }

  async #watch(from: string): Promise<Outcome> {
    const end = await this.#follow({ with: 'changes', from });
    return end.end === 'unlisted' ? this.#listFailed(end.failure) : this.#watched(end);
  }

  #watched(end: Exclude<SessionEnd, { readonly end: 'unlisted' }>): Outcome {
    if (end.end === 'stopped') return stopped;
    const { failure, reached, lasted } = end;
    if (failure !== undefined) this.#failed(failure);
    return { of: 'watch', failure, reached, lasted, cutShort: end.cutShort && isCustom(this.kind) };
  }

  #event(event: Exclude<WatchEvent, { readonly type: 'failed' }>): void {
    const { world, collection, clock } = this.#parts;
    world.countEvent(collection.kind, clock.now());
    if (event.type === 'present') this.table.set(event.object);
    if (event.type === 'deleted') this.table.delete(event.object);
    this.#report.well();
  }

  #failed(failure: KubeFailure): void {
    this.#report.failed(failure);
    this.#parts.told();
  }
}

const stopped: Outcome = { of: 'program' };
