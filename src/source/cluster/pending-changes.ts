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
  /** @param bytes of the object's JSON; 0: it was deleted */
  changed(change: ResourceChange, bytes: number): void;
  observed(observation: Observation): void;
  /** Replaces all problems of the object; none when it was deleted. */
  diagnosed(key: string, problems: readonly Problem[]): void;
}

/** The objects of a collection that are ignored because all objects together have no room. */
export interface ObjectsWithoutRoom {
  /** How many of them are known, each with a problem of its own. */
  readonly crowdedOut: number;
  /** Those of which nothing is kept. */
  readonly leftOut: { readonly count: number; readonly examples: readonly string[] };
}

/** The result of reading the versions of the CRDs. */
export interface BundleReading {
  readonly bundle: BundleVersions;
  /** False: the request failed, so that known versions stay. */
  readonly answered: boolean;
}

interface PendingChange {
  readonly change: ResourceChange;
  readonly bytes: number;
}

/** The bytes of JSON of a batch that is delivered without waiting for more: the largest policy has 1.5 MiB. */
const largeBatch = 1024 * 1024;

/** The bytes of JSON from which an object of the initial state is delivered on its own. */
const largeObject = 128 * 1024;

/** The most parts of the initial state; there is room for fewer large objects. */
const maxParts = 4_000;

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
  /** How many objects of each collection with such objects are ignored because they have no room. */
  readonly #ignored = new Map<string, { readonly kind: KindName; readonly count: number; readonly leftOut: boolean }>();
  #changes = new Map<string, PendingChange>();
  /** Of the objects of `#changes`. */
  #bytes = 0;
  #observations = new Map<string, Observation>();
  #bundle: BundleVersions | undefined;
  #bundleDelivered = true;
  #syncedDelivered = false;
  /** True until all of the initial state was taken, accepted or not. */
  #isInitial = true;
  /** Parts that the initial state may still have: what changes meanwhile must not delay its end for ever. */
  #partsLeft = maxParts;
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

  /** True if what is pending takes long to apply, so that nothing else should join it. */
  get isLarge(): boolean {
    return this.hasBatch && this.#bytes >= largeBatch;
  }

  /** True if `logDiagnostics` may have something to log. */
  get hasUnloggedDiagnostics(): boolean {
    return this.#hasUnlogged;
  }

  /** The handler for changes of objects of this kind. */
  handlerOf(kind: KindName): ChangeHandler {
    return {
      changed: (change, bytes) => {
        this.#since ??= this.#lastEvent;
        const name = `${kind} ${change.key}`;
        this.#bytes += bytes - (this.#changes.get(name)?.bytes ?? 0);
        this.#changes.set(name, { change, bytes });
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

  /** Says how many objects of the collection have no room. */
  withoutRoom(collection: Collection, { crowdedOut, leftOut }: ObjectsWithoutRoom): void {
    const { kind } = collection;
    const count = crowdedOut + leftOut.count;
    if (count === 0 && this.#ignored.size === 0) return;
    const path = collectionPath(collection);
    const before = this.#ignored.get(path) ?? { count: 0, leftOut: false };
    if (count > 0) this.#ignored.set(path, { kind, count, leftOut: leftOut.count > 0 });
    else this.#ignored.delete(path);
    if (count === before.count && leftOut.count > 0 === before.leftOut) return;
    const ofKind = [...this.#ignored.values()].filter((ignored) => ignored.kind === kind);
    const sum = ofKind.reduce((all, ignored) => all + ignored.count, 0);
    this.#counters.gauge('gatehouse_source_ignored_objects', sum, { kind });
    // Not for each change of their number: it would be another problem each time.
    if (leftOut.count > 0 === before.leftOut) return;
    const message = tooManyMessage(leftOut.examples);
    const diagnostic = { severity: 'error', message, position: undefined, object: undefined, field: '' } as const;
    this.#diagnostics.replace(`left out of ${path}`, leftOut.count > 0 ? [{ path, diagnostic }] : []);
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

  /**
   * Takes all pending changes; undefined: there are none, or the initial state is not complete yet. The initial state is
   * taken in parts, since nothing is served before the last one: first all small objects, then each large one.
   */
  takeBatch(): Batch | undefined {
    if (!this.hasBatch) return undefined;
    const taken = this.#isInitial ? this.#initialPart() : [...this.#changes];
    for (const [name, { bytes }] of taken) {
      this.#changes.delete(name);
      this.#bytes -= bytes;
    }
    const observations = [...this.#observations.values()];
    const bundle = this.#bundleDelivered ? undefined : this.#bundle;
    const since = this.#since;
    this.#since = undefined;
    this.#observations = new Map();
    this.#bundleDelivered = true;
    this.#isInitial &&= this.#changes.size > 0;
    this.#syncedDelivered = !this.#isInitial;
    return {
      changes: taken.map(([, { change }]) => change),
      ...(since !== undefined && { since }),
      ...(observations.length > 0 && { observations }),
      ...(bundle !== undefined && { bundle }),
      synced: !this.#isInitial,
    };
  }

  #initialPart(): readonly (readonly [name: string, pending: PendingChange])[] {
    const all = [...this.#changes];
    this.#partsLeft -= 1;
    if (this.#partsLeft <= 0) return all;
    const small = all.filter(([, { bytes }]) => bytes < largeObject);
    return small.length > 0 ? small : all.slice(0, 1);
  }

  /** Puts back a part of a batch that was not accepted, except where something newer is pending. */
  putBack({ changes, observations = [], bundle }: Batch): void {
    for (const change of changes) {
      const name = `${change.kind} ${change.key}`;
      if (!this.#changes.has(name)) this.#changes.set(name, { change, bytes: 0 });
    }
    for (const observation of observations) {
      const name = `${observation.kind} ${observation.key}`;
      if (!this.#observations.has(name)) this.#observations.set(name, observation);
    }
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

function tooManyMessage(examples: readonly string[]): string {
  return `There are more objects than are kept of one API server, and the youngest of the namespaces that have most are ignored, such as ${examples.join(', ')}. Delete some there; others are read within minutes then.`;
}
