import type { Counters, Logger } from '../../edges.ts';
import type { KindName, Problem } from '../../resources/model.ts';
import { pathText } from '../../resources/resources.ts';
import type { Batch, BundleVersions, InputProblem, Observation, ResourceChange } from '../model.ts';
import { ProblemBook } from '../diagnostics.ts';
import type { BundleReading } from './crd-versions.ts';
import { type Collection, collectionPath, objectPath } from './api/path.ts';
import type { TableListener } from './reflector/object-store.ts';

/** What is wrong with a list as a whole. */
export type Trouble = Pick<InputProblem, 'severity' | 'message'>;

/** What holds up the first batch beside the collections. */
const BUNDLE = 'bundle';

/**
 * What the API server has told and nobody was told yet; it does no I/O and knows no time. What failed changes nothing
 * in it: only an object that is known to be gone goes.
 */
export class ClusterWorld {
  readonly #counters: Counters;
  readonly #problems: ProblemBook;
  /** Objects that have problems: all others need not be looked up among them. */
  readonly #faulty = new Set<string>();
  /** What has to be complete once before there is a batch. */
  readonly #awaited: Set<string>;
  #changes = new Map<string, ResourceChange>();
  #observations = new Map<string, Observation>();
  #bundle: BundleVersions | undefined;
  #bundleTold = true;
  #syncedTold = false;
  #unreported = false;

  constructor(
    collections: readonly Collection[],
    { log, counters }: { readonly log: Logger; readonly counters: Counters },
  ) {
    this.#counters = counters;
    this.#problems = new ProblemBook(log, counters);
    this.#awaited = new Set([BUNDLE, ...collections.map(collectionPath)]);
  }

  /** Whether everything was complete once; never goes back (`docs/semantics.md`, §4). */
  get synced(): boolean {
    return this.#awaited.size === 0;
  }

  /** Whether `settle` has something to tell. */
  get unsettled(): boolean {
    const news = this.#changes.size > 0 || this.#observations.size > 0 || !this.#bundleTold || !this.#syncedTold;
    return this.synced && news;
  }

  /** Whether `reportProblems` may have something to tell. */
  get unreported(): boolean {
    return this.#unreported;
  }

  /** Takes what a table of this kind has to tell. */
  listener(kind: KindName): TableListener {
    return {
      changed: (change) => this.#changes.set(`${kind} ${change.key}`, change),
      observed: (observation) => this.#observations.set(`${kind} ${observation.key}`, observation),
      found: (key, problems) => this.#found(kind, key, problems),
    };
  }

  /** The collection was delivered once, or does not exist. */
  complete(collection: Collection): void {
    this.#awaited.delete(collectionPath(collection));
  }

  /** What is wrong with the collection as a whole; undefined: nothing. */
  trouble(collection: Collection, trouble: Trouble | undefined): void {
    const path = collectionPath(collection);
    const finding = trouble && { ...trouble, position: undefined, object: undefined, field: '' };
    this.#problems.replace(`list ${path}`, finding === undefined ? [] : [{ path, finding }]);
    this.#unreported = true;
  }

  /** The bundle was asked for. What was known once stays until an answer says otherwise; undefined: it takes too long. */
  bundle(reading: BundleReading | undefined): void {
    this.#awaited.delete(BUNDLE);
    if (reading === undefined || (this.#bundle?.known === true && !reading.answered)) return;
    if (JSON.stringify(reading.bundle) === JSON.stringify(this.#bundle)) return;
    this.#bundle = reading.bundle;
    this.#bundleTold = false;
  }

  /** What is different since the last call; undefined: nothing, or not everything was complete once. */
  settle(): Batch | undefined {
    if (!this.unsettled) return undefined;
    const [changes, observations] = [[...this.#changes.values()], [...this.#observations.values()]];
    const bundle = this.#bundleTold ? undefined : this.#bundle;
    this.#changes = new Map();
    this.#observations = new Map();
    this.#bundleTold = true;
    this.#syncedTold = true;
    return {
      changes,
      ...(observations.length > 0 && { observations }),
      ...(bundle !== undefined && { bundle }),
      synced: true,
    };
  }

  /** A part of what `settle` gave was not taken: it is told again, unless something newer is known of it. */
  restore({ changes, observations = [], bundle }: Batch): void {
    for (const change of changes) restoreIn(this.#changes, change);
    for (const observation of observations) restoreIn(this.#observations, observation);
    if (bundle !== undefined) this.#bundleTold = false;
  }

  /** The last batch was not taken as a whole: the next one says anew that everything is complete. */
  restoreEnd(): void {
    this.#syncedTold = false;
  }

  /** Logs the problems that came and went since the last call. */
  reportProblems(): void {
    this.#unreported = false;
    this.#problems.settle();
  }

  /** Everything that is wrong right now, by API path. */
  problems(): readonly InputProblem[] {
    return this.#problems.list();
  }

  countEvent(kind: KindName, now: number): void {
    this.#counters.count('gatehouse_source_events_total', { kind });
    this.#counters.gauge('gatehouse_source_last_event_seconds', now / 1000, { kind });
  }

  #found(kind: KindName, key: string, problems: readonly Problem[]): void {
    if (problems.length === 0 && !this.#faulty.has(`${kind} ${key}`)) return;
    const path = objectPath(kind, key);
    const placed = problems.map(({ severity, path: at, message }) => ({
      path,
      finding: { severity, position: undefined, object: `${kind} ${key}`, field: pathText(at), message },
    }));
    this.#problems.replace(`object ${path}`, placed);
    if (placed.length > 0) this.#faulty.add(`${kind} ${key}`);
    else this.#faulty.delete(`${kind} ${key}`);
    this.#unreported = true;
  }
}

function restoreIn<T extends { readonly kind: KindName; readonly key: string }>(news: Map<string, T>, old: T): void {
  const name = `${old.kind} ${old.key}`;
  if (!news.has(name)) news.set(name, old);
}
