import type { Counters, Logger } from '../../edges.ts';
import type { BundleVersions, KindName, Problem } from '../../resources/model.ts';
import { pathText } from '../../resources/resources.ts';
import { type Cause, DiagnosticRegistry } from '../diagnostics.ts';
import type { Batch, InputDiagnostic, Observation, ResourceChange } from '../model.ts';
import { type Collection, collectionPath, objectPath } from './api/path.ts';

/** A diagnostic of a collection as a whole. */
export interface CollectionDiagnostic extends Pick<InputDiagnostic, 'severity' | 'message'> {
  readonly cause?: Cause;
}

/** Takes the changes of one collection, as a ResourceEventHandler of client-go does. */
export interface ChangeHandler {
  changed(change: ResourceChange): void;
  observed(observation: Observation): void;
  /** Replaces all problems of the object; none when it was deleted. */
  diagnosed(key: string, problems: readonly Problem[]): void;
}

/** The result of reading the versions of the CRDs. */
export interface BundleReading {
  readonly bundle: BundleVersions;
  /** False: the request failed, so that known versions stay. */
  readonly answered: boolean;
}

/** The member of `#unsynced` for the versions of the CRDs. */
const bundleKey = 'bundle';

/**
 * Changes that were received from the API server and not yet delivered, the newest per object. Does no I/O and has no
 * clock. A failure changes nothing in it: only an object that is known to be deleted is removed.
 */
export class PendingChanges {
  readonly #counters: Counters;
  readonly #diagnostics: DiagnosticRegistry;
  /** Objects with problems: most objects have none, and need no update of the registry. */
  readonly #faulty = new Set<string>();
  /** Collections and the bundle, until each was complete once; the first batch waits for them. */
  readonly #unsynced: Set<string>;
  #changes = new Map<string, ResourceChange>();
  #observations = new Map<string, Observation>();
  #bundle: BundleVersions | undefined;
  #bundleDelivered = true;
  #syncedDelivered = false;
  #hasUnlogged = false;
  /** The time of the last event, and that of the first change that is pending. Milliseconds since the epoch. */
  #lastEvent: number | undefined;
  #since: number | undefined;

  constructor(
    collections: readonly Collection[],
    { log, counters }: { readonly log: Logger; readonly counters: Counters },
  ) {
    this.#counters = counters;
    this.#diagnostics = new DiagnosticRegistry(log, counters);
    this.#unsynced = new Set([bundleKey, ...collections.map(collectionPath)]);
  }

  /** True once every collection was complete; never false again (`docs/semantics.md`, "Nodes"). */
  get synced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** True if `takeBatch` returns a batch. */
  get hasBatch(): boolean {
    const pending =
      this.#changes.size > 0 || this.#observations.size > 0 || !this.#bundleDelivered || !this.#syncedDelivered;
    return this.synced && pending;
  }

  /** True if `logDiagnostics` may have something to log. */
  get hasUnloggedDiagnostics(): boolean {
    return this.#hasUnlogged;
  }

  /** The handler for changes of objects of this kind. */
  handlerOf(kind: KindName): ChangeHandler {
    return {
      changed: (change) => {
        this.#since ??= this.#lastEvent;
        this.#changes.set(`${kind} ${change.key}`, change);
      },
      observed: (observation) => this.#observations.set(`${kind} ${observation.key}`, observation),
      diagnosed: (key, problems) => this.#diagnosed(kind, key, problems),
    };
  }

  /** The collection was listed once, or does not exist. */
  collectionSynced(collection: Collection): void {
    this.#unsynced.delete(collectionPath(collection));
  }

  /** Replaces the diagnostic of the collection as a whole; undefined: it has none. */
  collectionDiagnosed(collection: Collection, diagnostic: CollectionDiagnostic | undefined): void {
    const path = collectionPath(collection);
    const whole = { position: undefined, object: undefined, field: '' };
    this.#diagnostics.replace(
      `list ${path}`,
      diagnostic === undefined ? [] : [{ path, diagnostic: { ...diagnostic, ...whole } }],
    );
    this.#hasUnlogged = true;
  }

  /**
   * Takes the versions of the CRDs. Known versions stay until a response has others. Undefined: the first batch no
   * longer waits for them.
   */
  bundleRead(reading: BundleReading | undefined): void {
    this.#unsynced.delete(bundleKey);
    if (reading === undefined || (this.#bundle?.known === true && !reading.answered)) return;
    if (JSON.stringify(reading.bundle) === JSON.stringify(this.#bundle)) return;
    this.#bundle = reading.bundle;
    this.#bundleDelivered = false;
  }

  /** Takes all pending changes; undefined: there are none, or the initial state is not complete yet. */
  takeBatch(): Batch | undefined {
    if (!this.hasBatch) return undefined;
    const [changes, observations] = [[...this.#changes.values()], [...this.#observations.values()]];
    const bundle = this.#bundleDelivered ? undefined : this.#bundle;
    const since = this.#since;
    this.#since = undefined;
    this.#changes = new Map();
    this.#observations = new Map();
    this.#bundleDelivered = true;
    this.#syncedDelivered = true;
    return {
      changes,
      ...(since !== undefined && { since }),
      ...(observations.length > 0 && { observations }),
      ...(bundle !== undefined && { bundle }),
      synced: true,
    };
  }

  /** Puts back a part of a batch that was not accepted, except where something newer is pending. */
  putBack({ changes, observations = [], bundle }: Batch): void {
    for (const change of changes) setIfAbsent(this.#changes, change);
    for (const observation of observations) setIfAbsent(this.#observations, observation);
    if (bundle !== undefined) this.#bundleDelivered = false;
  }

  /** The last batch was not accepted as a whole: the next one delivers `synced` again. */
  putBackSynced(): void {
    this.#syncedDelivered = false;
  }

  /** Logs the diagnostics that appeared or are gone since the last call. */
  logDiagnostics(): void {
    this.#hasUnlogged = false;
    this.#diagnostics.logChanges();
  }

  /** Returns all current diagnostics, by API path. */
  diagnostics(): readonly InputDiagnostic[] {
    return this.#diagnostics.list();
  }

  /** @param now milliseconds since the epoch */
  countEvent(kind: KindName, now: number): void {
    this.#lastEvent = now;
    this.#counters.count('gatehouse_source_events_total', { kind });
    this.#counters.gauge('gatehouse_source_last_event_seconds', now / 1000, { kind });
  }

  #diagnosed(kind: KindName, key: string, problems: readonly Problem[]): void {
    const object = `${kind} ${key}`;
    if (problems.length === 0 && !this.#faulty.has(object)) return;
    const path = objectPath(kind, key);
    const placed = problems.map(({ severity, path: at, message }) => ({
      path,
      diagnostic: { severity, position: undefined, object, field: pathText(at), message },
    }));
    this.#diagnostics.replace(`object ${path}`, placed);
    if (placed.length > 0) this.#faulty.add(object);
    else this.#faulty.delete(object);
    this.#hasUnlogged = true;
  }
}

function setIfAbsent<T extends { readonly kind: KindName; readonly key: string }>(to: Map<string, T>, old: T): void {
  const name = `${old.kind} ${old.key}`;
  if (!to.has(name)) to.set(name, old);
}
