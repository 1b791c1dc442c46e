import type { Clock, Counters, Logger, Random, Stop, StopAsync } from '../../../edges.ts';
import type { ApiError } from '../../../kube/model.ts';
import { Deadline } from '../../../net/deadline.ts';
import { inTurns } from '../../../rate/turns.ts';
import type { KindName } from '../../../resources/model.ts';
import { isKnownAbsent } from '../api/discovery.ts';
import { isCustomResource } from '../api/object.ts';
import { type Collection, collectionTitle } from '../api/path.ts';
import type { ApiReader } from '../api/reader.ts';
import type { PendingChanges } from '../pending-changes.ts';
import { WatchHealth } from '../watch-health.ts';
import { Admission } from './admission/admission.ts';
import type { ListingBudget } from './admission/listing-budget.ts';
import { listPages } from './list-pager.ts';
import { ObjectStore, type Replacement } from './object-store.ts';
import type { Outages } from './outages.ts';
import { doubtfulDelay, nextState, type Outcome, ReflectorBackoff, type ReflectorState } from './reflector-state.ts';
import { Resync } from './resync.ts';
import { retryWait } from './retry-wait.ts';
import type { WatchEvent } from './watch-event.ts';
import { WatchSession } from './watch-session.ts';

/** One collection, and what its reflector needs. */
export interface ReflectorParts {
  readonly collection: Collection;
  readonly reader: ApiReader;
  /** The server's origin, for messages. */
  readonly server: string;
  readonly pending: PendingChanges;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
  /** Called when the pending changes have changed. */
  readonly changed: () => void;
  /** Called when a list or a watch begins. */
  readonly attempted: () => void;
  /** Calls the function after each request of any client that succeeded. */
  readonly onSuccess: (run: () => void) => Stop;
  readonly outages: Outages;
  /** Shared by all kinds. */
  readonly budget: ListingBudget;
}

/**
 * Milliseconds that a watch may take to begin once the server came back from an outage. A server that starts holds a watch
 * until its cache is filled, which takes seconds, and answers a list from etcd meanwhile.
 */
const urgentPatience = 250;

/** The result of discovery for a resource: none yet, absent once, or absent for certain. */
type Absence = 'unknown' | 'suspected' | 'known';

/**
 * Keeps a store equal to one collection of the API server, as client-go's Reflector: lists, then watches, and retries
 * every failure without end. Only a complete list, a DELETED event or discovery removes an object.
 */
export class Reflector {
  readonly store: ObjectStore;
  readonly #parts: ReflectorParts;
  readonly #health: WatchHealth;
  readonly #resync: Resync;
  readonly #admission: Admission;
  readonly #backoff: ReflectorBackoff;
  readonly #stop = new AbortController();
  #absence: Absence = 'unknown';
  #everSynced = false;
  /** True once a list was forbidden for some seconds. */
  #surelyForbidden = false;
  /** The server had answered another list before the present one was requested. */
  #serverHadAnswered = false;
  #stopDoubt: Stop | undefined;
  /** Ends the watch, if there is one, so that a list follows. */
  #leaveWatch: () => void = () => undefined;
  /** Ends the wait, if there is one, or limits that for the watch that has not begun. */
  #recovered: () => void = () => undefined;
  /** The server came back since the last outcome: the wait that follows it may be decided, and not begun. */
  #hasRecovered = false;

  constructor(parts: ReflectorParts) {
    this.#parts = parts;
    this.store = new ObjectStore(parts.collection.kind, parts.pending.handlerOf(parts.collection.kind));
    this.#health = new WatchHealth(parts);
    const repaired = (): void => {
      this.#admission.replaced();
      parts.changed();
    };
    this.#resync = new Resync({ ...parts, store: this.store, repaired, relist: () => this.#leaveWatch() });
    this.#admission = new Admission({ ...parts, store: this.store, unsettled: () => this.#resync.soon() });
    this.#backoff = new ReflectorBackoff(parts.random, parts.clock, parts.outages.join());
  }

  get kind(): KindName {
    return this.#parts.collection.kind;
  }

  /** Starts the loop. Call it once. */
  start(): StopAsync {
    const stopListening = this.#parts.onSuccess(() => {
      if (!this.#backoff.recover()) return;
      this.#hasRecovered = true;
      this.#recovered();
    });
    const running = this.#run();
    return async () => {
      stopListening();
      this.#stop.abort();
      await running;
      this.#endDoubt();
      await this.#resync.stop();
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
        state = { at: 'waiting', milliseconds: this.#backoff.next(), until: 'recovery', next: { at: 'listing' } };
      }
    }
  }

  async #step(state: ReflectorState): Promise<ReflectorState> {
    switch (state.at) {
      case 'listing':
        this.#parts.attempted();
        return this.#next(await this.#list());
      case 'watching':
        this.#parts.attempted();
        return this.#next(await this.#watch(state.from));
      case 'waiting':
        return (await this.#wait(state)) ? state.next : { at: 'stopped' };
      case 'stopped':
        return state;
    }
  }

  #next(outcome: Outcome): ReflectorState {
    this.#hasRecovered = false;
    return nextState(outcome, this.#backoff);
  }

  /** Resolves to true when it is time to try again, or to false as soon as the program stops. */
  #wait({ milliseconds, until }: Extract<ReflectorState, { readonly at: 'waiting' }>): Promise<boolean> {
    const onRecovery = (run: () => void): Stop => {
      if (until === 'time') return () => undefined;
      this.#recovered = run;
      if (this.#hasRecovered) run();
      return () => {
        this.#recovered = () => undefined;
      };
    };
    return retryWait({ milliseconds, clock: this.#parts.clock, onRecovery, stop: this.#stop.signal });
  }

  async #list(): Promise<Outcome> {
    const { reader, collection, budget, outages } = this.#parts;
    this.#serverHadAnswered = outages.hasAnswered;
    const replacement = this.store.replacement();
    const { signal } = this.#stop;
    const result = await listPages(reader, collection, signal, replacement, budget);
    if (result === undefined) return stopped;
    if (!result.ok) {
      return result.error.reason === 'not-found' ? this.#notFound(result.error) : this.#listFailed(result.error);
    }
    this.#absence = 'unknown';
    this.#endDoubt();
    this.#resync.postpone();
    await this.#replace(replacement, (objects) => this.#health.listed(objects));
    return { of: 'list', end: 'listed', resourceVersion: result.value };
  }

  async #listFailed(error: ApiError): Promise<Outcome> {
    this.#absence = 'unknown';
    // Without the right to list Namespaces, the labels of every namespace are unknown (`docs/semantics.md`, "Targets").
    if (error.reason === 'forbidden' && this.kind === 'Namespace') {
      if (!this.#isSurelyForbidden()) {
        this.#failed(error);
        return { of: 'list', end: 'doubtful', error, isFirst: !this.#everSynced };
      }
      await this.#clear(() => this.#health.failed(error));
    } else this.#failed(error);
    return { of: 'list', end: 'failed', error };
  }

  /**
   * A server that has just started does not know every role yet, and what would be removed would come back. So a right is
   * missing for certain once it was for some seconds; for one that was never there, it is enough that the server had
   * answered another list before.
   */
  #isSurelyForbidden(): boolean {
    if (this.#surelyForbidden || (!this.#everSynced && this.#serverHadAnswered)) return true;
    this.#stopDoubt ??= this.#parts.clock.after(doubtfulDelay, () => {
      this.#surelyForbidden = true;
    });
    return false;
  }

  #endDoubt(): void {
    this.#stopDoubt?.();
    this.#stopDoubt = undefined;
    this.#surelyForbidden = false;
  }

  /**
   * Asks discovery whether the resource exists. A resource that existed before has to be absent twice, some seconds
   * apart: a server that has just started may not know all of its resources yet.
   */
  async #notFound(error: ApiError): Promise<Outcome> {
    const { reader, collection } = this.#parts;
    if (this.#absence !== 'known') {
      const absent = await isKnownAbsent(reader, collection.kind, this.#stop.signal);
      if (this.#stop.signal.aborted) return stopped;
      if (!absent) return this.#listFailed(error);
      this.#absence = this.#everSynced && this.#absence === 'unknown' ? 'suspected' : 'known';
      if (this.#absence === 'known') await this.#clear(() => this.#health.absent());
    }
    return { of: 'list', end: 'absent' };
  }

  #clear(report: () => void): Promise<void> {
    return this.#replace(this.store.replacement(), report);
  }

  /** Nothing is delivered until it is done: with a part of a list, the world is one that never was. */
  async #replace(replacement: Replacement, report: (objects: number) => void): Promise<void> {
    const { collection, pending, clock, changed } = this.#parts;
    pending.collectionReplacing(collection);
    await inTurns(replacement.commit(), clock, () => new Promise<void>((resolve) => clock.after(0, resolve)));
    this.#admission.replaced();
    report(this.store.size.objects);
    this.#everSynced = true;
    pending.collectionSynced(collection);
    changed();
  }

  async #watch(from: string): Promise<Outcome> {
    const { collection, counters, changed, clock } = this.#parts;
    const patience = new Deadline(clock, this.#stop.signal);
    this.#leaveWatch = () => patience.abort();
    this.#recovered = () => patience.set(urgentPatience);
    if (this.#backoff.isUrgent) this.#recovered();
    const hasBegun = (): void => {
      patience.clear();
      this.#recovered = () => undefined;
    };
    const session = new WatchSession(
      {
        ...this.#parts,
        opened: (signal) => {
          hasBegun();
          counters.count('gatehouse_source_watches_total', { kind: collection.kind });
          this.#resync.watching(signal);
        },
        event: (event) => this.#event(event),
        healthy: () => {
          this.#backoff.succeeded();
          this.#health.healthy();
          changed();
        },
      },
      from,
    );
    const end = await session.run(patience.signal);
    hasBegun();
    patience.release();
    if (end.end === 'stopped') return this.#stop.signal.aborted ? stopped : { of: 'watch that was left' };
    const { error, resourceVersion, duration } = end;
    if (error !== undefined) this.#failed(error);
    const endedEarly = end.endedEarly && isCustomResource(this.kind);
    return { of: 'watch', error, resourceVersion, duration, endedEarly };
  }

  #event(event: WatchEvent): void {
    const { pending, collection, clock } = this.#parts;
    pending.countEvent(collection.kind, clock.now());
    if (event.type === 'set') this.#admission.set(event.object);
    if (event.type === 'deleted') this.#admission.delete(event.object);
    this.#health.healthy();
  }

  #failed(error: ApiError): void {
    this.#health.failed(error);
    this.#parts.changed();
  }
}

const stopped: Outcome = { of: 'program' };
