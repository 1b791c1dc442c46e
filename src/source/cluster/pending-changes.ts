import type { Clock, Counters, Logger } from '../../edges.ts';
import type { BundleVersions, KindName, Problem } from '../../resources/model.ts';
import { pathText } from '../../resources/resources.ts';
import { bytesOfParts, divide, largestPart, type Part } from '../batch-parts.ts';
import { type Cause, DiagnosticRegistry } from '../diagnostics.ts';
import type { Batch, InputDiagnostic, Observation, ResourceChange } from '../model.ts';
import { type Collection, collectionPath, objectPath } from './api/path.ts';

/** A diagnostic of a collection as a whole. */
export interface CollectionDiagnostic extends Pick<InputDiagnostic, 'severity' | 'message'> {
  readonly cause?: Cause;
}

/** Takes the changes of one collection, as a ResourceEventHandler of client-go does. */
export interface ChangeHandler {
  /** @param bytes that the object counts with; 0: it was deleted */
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
  /** Collections of which a list is being applied: until all of it is, what is pending was never the state of a server. */
  readonly #replacing = new Set<string>();
  /** How many objects of each collection with such objects are ignored because they have no room. */
  readonly #ignored = new Map<string, { readonly kind: KindName; readonly count: number; readonly leftOut: boolean }>();
  #changes = new Map<string, PendingChange>();
  /** Those of `#changes` that say who may do what. */
  readonly #rights = new Set<string>();
  /** The namespaces of such changes in the batch that is being taken. */
  #takenRights: ReadonlySet<string> = new Set();
  /** Of the objects of `#changes`. */
  #bytes = 0;
  #observations = new Map<string, Observation>();
  #bundle: BundleVersions | undefined;
  #bundleDelivered = true;
  #syncedDelivered = false;
  /** The further parts of the batch that is being taken. What changes meanwhile is in the next batch. */
  #parts: Iterator<Part<PendingChange>, void> | undefined;
  #hasUnlogged = false;
  /** The times of the last event, and of the first change that is pending, or taken. Milliseconds since the epoch. */
  #lastEvent: number | undefined;
  #since: number | undefined;
  #sinceOfParts: number | undefined;

  constructor(
    collections: readonly Collection[],
    { log, counters, clock }: { readonly log: Logger; readonly counters: Counters; readonly clock?: Clock },
  ) {
    this.#counters = counters;
    this.#diagnostics = new DiagnosticRegistry(log, counters, clock);
    this.#unsynced = new Set([bundleKey, ...collections.map(collectionPath)]);
  }

  /** True once every collection was complete; never false again (`docs/semantics.md`, "Nodes"). */
  get synced(): boolean {
    return this.#unsynced.size === 0;
  }

  /** True if `takeBatch` returns a batch. */
  get hasBatch(): boolean {
    if (this.#parts !== undefined) return true;
    const pending =
      this.#changes.size > 0 || this.#observations.size > 0 || !this.#bundleDelivered || !this.#syncedDelivered;
    return this.synced && this.#replacing.size === 0 && pending;
  }

  /** True if what is pending takes long to apply, so that nothing else should join it. */
  get isLarge(): boolean {
    const { objects, bytes } = largestPart;
    return this.hasBatch && (this.#parts !== undefined || this.#changes.size > objects || this.#bytes > bytes);
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
        const known = this.#changes.get(nameOf(change));
        this.#bytes += bytes - (known?.bytes ?? 0);
        this.#set({ change: known === undefined ? change : joined(known.change, change), bytes });
      },
      observed: (observation) => this.#observations.set(`${kind} ${observation.key}`, observation),
      diagnosed: (key, problems) => this.#diagnosed(kind, key, problems),
    };
  }

  /** A list of the collection is applied from now on, in several turns of the event loop. */
  collectionReplacing(collection: Collection): void {
    this.#replacing.add(collectionPath(collection));
  }

  /** A list of the collection was applied, or it does not exist. */
  collectionSynced(collection: Collection): void {
    const path = collectionPath(collection);
    this.#unsynced.delete(path);
    this.#replacing.delete(path);
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
   * Takes all pending changes, or of many the next part of them; undefined: there are none, or a state is not complete
   * yet. All parts together are what was pending when the first of them was taken.
   */
  takeBatch(): Omit<Batch, 'synced'> | undefined {
    if (!this.hasBatch) return undefined;
    this.#parts ??= this.#divide();
    const { items, more } = this.#parts.next().value ?? { items: [], more: false };
    if (!more) {
      this.#parts = undefined;
      this.#takenRights = new Set();
    }
    const observations = [...this.#observations.values()];
    const bundle = this.#bundleDelivered ? undefined : this.#bundle;
    const since = this.#sinceOfParts;
    this.#observations = new Map();
    this.#bundleDelivered = true;
    this.#syncedDelivered ||= !more;
    return {
      changes: items.map(({ change }) => change),
      ...(since !== undefined && { since }),
      ...(observations.length > 0 && { observations }),
      ...(bundle !== undefined && { bundle }),
      ...(more && { more }),
    };
  }

  /**
   * Takes pending changes that narrow what callers may do, of namespaces of which nothing else that says so is pending, or
   * in the batch that is being taken: a policy may hand over to another one. Takes none while a list is being applied.
   */
  takeNarrowing(): readonly ResourceChange[] {
    const { objects } = largestPart;
    const { size } = this.#rights;
    if (!this.synced || this.#replacing.size > 0 || size === 0 || size > objects) return [];
    const rights = [...this.#rights].flatMap((name) => this.#changes.get(name) ?? []);
    const others = rights.filter(({ change }) => change.narrows !== true).map(({ change }) => namespaceOf(change));
    const blocked = new Set([...this.#takenRights, ...others]);
    const free = rights.filter(({ change }) => !blocked.has(namespaceOf(change)));
    const [part] = divide(free, workOf);
    for (const { change, bytes } of part?.items ?? []) {
      this.#changes.delete(nameOf(change));
      this.#rights.delete(nameOf(change));
      this.#bytes -= bytes;
    }
    return part?.items.map(({ change }) => change) ?? [];
  }

  #set(pending: PendingChange): void {
    const { change } = pending;
    this.#changes.set(nameOf(change), pending);
    if (saysRights(change)) this.#rights.add(nameOf(change));
  }

  #divide(): Iterator<Part<PendingChange>, void> {
    const rights = [...this.#rights].flatMap((name) => this.#changes.get(name) ?? []);
    this.#takenRights = new Set(rights.map(({ change }) => namespaceOf(change)));
    this.#rights.clear();
    const parts = divide(this.#changes.values(), workOf);
    this.#changes = new Map();
    this.#bytes = 0;
    this.#sinceOfParts = this.#since;
    this.#since = undefined;
    return parts;
  }

  /** Puts back a part of a batch that was not accepted, except where something newer is pending. */
  putBack({ changes, observations = [], bundle }: Omit<Batch, 'synced'>): void {
    for (const change of changes) {
      if (!this.#changes.has(nameOf(change))) this.#set({ change, bytes: 0 });
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

function nameOf({ kind, key }: ResourceChange): string {
  return `${kind} ${key}`;
}

/** Policies and the Gateways that they name are in one namespace. */
function saysRights({ kind }: ResourceChange): boolean {
  return kind === 'MCPAuthPolicy' || kind === 'Gateway';
}

function namespaceOf({ key }: ResourceChange): string {
  return key.slice(0, key.indexOf('/'));
}

/** What was delivered last is replaced by the newest change, whatever came between. */
function joined(
  { replaces, narrows: narrowed }: ResourceChange,
  { narrows, ...change }: ResourceChange,
): ResourceChange {
  return {
    ...change,
    ...(replaces !== undefined && { replaces }),
    ...(narrowed === true && narrows === true && { narrows }),
  };
}

function workOf({ bytes, change }: PendingChange): number {
  return Math.max(bytes, bytesOfParts(change));
}

function tooManyMessage(examples: readonly string[]): string {
  return `There are more objects than are kept of one API server, and the youngest of the namespaces that have most are ignored, such as ${examples.join(', ')}. Delete some there; others are read within minutes then.`;
}
