import { Subject } from 'rxjs';
import type { Clock, Counters, Logger, Random, StopAsync } from '../../edges.ts';
import { type DebounceOptions, debounceLeading } from '../../rate/debounce.ts';
import type { KindName } from '../../resources/model.ts';
import { kinds } from '../../resources/resources.ts';
import type { Batch, ResourceSource } from '../model.ts';
import { readManifest } from './api/manifest.ts';
import { type Collection, objectPath } from './api/path.ts';
import { ApiReader, type ReadConnection } from './api/reader.ts';
import { BatchDispatcher } from './batch-dispatcher.ts';
import { CrdVersions } from './crd-versions.ts';
import { PendingChanges } from './pending-changes.ts';
import { ListingBudget } from './reflector/admission/listing-budget.ts';
import type { ObjectIdentity } from './reflector/object-store.ts';
import { Outages } from './reflector/outages.ts';
import { Reflector } from './reflector/reflector.ts';

/** The connection, namespaces and collaborators of a cluster source. */
export interface ClusterSourceOptions {
  readonly connection: ReadConnection;
  /** The only namespaces whose objects count, each listed on its own; absent or empty: all, listed together. */
  readonly namespaces?: readonly string[];
  /** Debounces changes, after a first one that is delivered at once. Default: 10 ms, 200 ms at most. */
  readonly debounce?: DebounceOptions;
  readonly clock: Clock;
  readonly random: Random;
  /** What is read of the API server in sum. */
  readonly budget?: ListingBudget;
  readonly log: Logger;
  readonly counters: Counters;
  /** Called whenever the server forbids to read a kind without which there is no first batch. */
  readonly forbidden?: (() => void) | undefined;
}

/** Resources from the API server of a cluster. */
export interface ClusterSource extends ResourceSource {
  /** Returns uid and resource version of an object, as last received; undefined: there is none. */
  identify(kind: KindName, key: string): ObjectIdentity | undefined;
  /** Reads an object from the API server, as YAML; undefined when it cannot be read. */
  manifestOf(kind: KindName, key: string): Promise<string | undefined>;
  /** The API path of each object, `<Kind> <key>`. */
  placesOf(fields: readonly { readonly object: string }[]): readonly (string | undefined)[];
}

const defaultDebounce: DebounceOptions = { idle: 10, ceiling: 200 };

/** Diagnostics that appear and disappear are logged at once, and then every five seconds at most. */
const logDebounce: DebounceOptions = { idle: 5_000, ceiling: 5_000 };

/**
 * Lists and watches every kind. `start` settles at once, whether or not the API server can be reached; the first batch
 * is delivered when every kind was listed or is known not to exist (`docs/semantics.md`, "Nodes"). No failure removes a
 * delivered object.
 */
export function clusterSource(options: ClusterSourceOptions): ClusterSource {
  const { log, counters } = options;
  const collections = collectionsOf(options.namespaces ?? []);
  const pending = new PendingChanges(collections, { log, counters, clock: options.clock });
  let reflectors: readonly Reflector[] = [];
  return {
    diagnostics: () => pending.diagnostics(),
    identify: (kind, key) => {
      for (const reflector of reflectors) {
        const identity = reflector.kind === kind ? reflector.store.identify(key) : undefined;
        if (identity !== undefined) return identity;
      }
      return undefined;
    },
    manifestOf: (kind, key) => readManifest(new ApiReader(options.connection, options.clock), kind, key),
    placesOf: (fields) => fields.map(({ object }) => pathOf(object)),
    start: (deliver) => {
      const running = startReflectors(options, collections, pending, deliver);
      reflectors = running.reflectors;
      return Promise.resolve(running.stop);
    },
  };
}

function pathOf(object: string): string | undefined {
  const [name, key] = object.split(' ', 2);
  const kind = Object.values(kinds).find((known) => known.kind === name)?.kind;
  return kind === undefined || key === undefined ? undefined : objectPath(kind, key);
}

function collectionsOf(namespaces: readonly string[]): readonly Collection[] {
  return Object.values(kinds).flatMap(({ kind, namespaced }): readonly Collection[] => {
    if (!namespaced || namespaces.length === 0) return [{ kind, namespace: undefined }];
    return [...new Set(namespaces)].map((namespace) => ({ kind, namespace }));
  });
}

function startReflectors(
  options: ClusterSourceOptions,
  collections: readonly Collection[],
  pending: PendingChanges,
  deliver: (batch: Batch) => void,
): { readonly reflectors: readonly Reflector[]; readonly stop: StopAsync } {
  const { connection, clock, log, debounce = defaultDebounce } = options;
  const dispatcher = new BatchDispatcher({ pending, deliver, clock, log });
  const [batchReady, diagnosed] = [new Subject<void>(), new Subject<void>()];
  const batches = debounceLeading(batchReady, debounce, clock).subscribe(() => dispatcher.dispatch());
  const diagnostics = debounceLeading(diagnosed, logDebounce, clock).subscribe(() => pending.logDiagnostics());
  const changed = (): void => {
    if (pending.isLarge) dispatcher.dispatchNext();
    else if (pending.hasBatch) batchReady.next();
    if (pending.hasUnloggedDiagnostics) diagnosed.next();
  };
  const reader = new ApiReader(connection, clock);
  const crdVersions = new CrdVersions({ reader, pending, clock, changed });
  const outages = new Outages();
  const budget = options.budget ?? new ListingBudget();
  budget.divide(collections);
  const reflectors = collections.map((collection) => {
    const attempted = collection.kind === 'GatewayClass' ? () => crdVersions.refresh() : () => undefined;
    const { server, onSuccess } = connection;
    const parts = { collection, reader, server, onSuccess, outages, budget, pending, changed, attempted };
    return new Reflector({ ...options, ...parts });
  });
  const stops = reflectors.map((reflector) => reflector.start());
  const stop = async (): Promise<void> => {
    batches.unsubscribe();
    dispatcher.stop();
    diagnostics.unsubscribe();
    await Promise.all([crdVersions.stop(), ...stops.map((end) => end())]);
  };
  return { reflectors, stop };
}
