import type { Clock, Counters, Logger, Random, StopAsync } from '../../edges.ts';
import type { Quiet } from '../../rate/debounce.ts';
import type { KindName } from '../../resources/model.ts';
import { kinds } from '../../resources/resources.ts';
import type { Batch, ResourceSource } from '../model.ts';
import { BundleReader } from './bundle-reader.ts';
import { ClusterWorld } from './pending-changes.ts';
import { Delivery } from './batch-dispatcher.ts';
import { Gathering } from './gathering.ts';
import type { Collection } from './api/path.ts';
import { KubeReader, type ReadConnection } from './api/reader.ts';
import { type ListingWay, ListingWays } from './reflector/listing-way.ts';
import type { ObjectIdentity } from './reflector/object-store.ts';
import { Reflector } from './reflector/reflector.ts';

export interface ClusterSourceOptions {
  readonly connection: ReadConnection;
  /** The only namespaces whose objects count, asked for one by one; absent or empty: all, asked for as a whole. */
  readonly namespaces?: readonly string[];
  /** What follows a change that was delivered at once is one batch: 10 ms without a change, 200 ms at most, by default. */
  readonly quiet?: Quiet;
  /** By default `paged`: on 10,000 Services it takes two thirds of the time, and half of the API server's. */
  readonly lists?: ListingWay;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
}

/** Resources from the API server of a cluster. */
export interface ClusterSource extends ResourceSource {
  /** Which object of that kind and key the API server has, as far as it has told. */
  identify(kind: KindName, key: string): ObjectIdentity | undefined;
}

const QUIET: Quiet = { idle: 10, ceiling: 200 };

/** Problems that come and go are told at once, and then at most once in so long. In milliseconds. */
const PROBLEMS: Quiet = { idle: 5_000, ceiling: 5_000 };

/**
 * Lists and watches every kind. `start` settles at once, whether the API server can be reached or not; the first batch
 * comes when every kind was listed or is known not to exist (`docs/semantics.md`, §4). From then on no failure removes
 * what was delivered.
 */
export function clusterSource(options: ClusterSourceOptions): ClusterSource {
  const { log, counters } = options;
  const collections = collectionsOf(options.namespaces ?? []);
  const world = new ClusterWorld(collections, { log, counters });
  let reflectors: readonly Reflector[] = [];
  return {
    problems: () => world.problems(),
    identify: (kind, key) => {
      for (const reflector of reflectors) {
        const identity = reflector.kind === kind ? reflector.table.identify(key) : undefined;
        if (identity !== undefined) return identity;
      }
      return undefined;
    },
    start: (deliver) => {
      const running = startReflectors(options, collections, world, deliver);
      reflectors = running.reflectors;
      return Promise.resolve(running.stop);
    },
  };
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
  world: ClusterWorld,
  deliver: (batch: Batch) => void,
): { readonly reflectors: readonly Reflector[]; readonly stop: StopAsync } {
  const { connection, clock, log, quiet = QUIET } = options;
  const delivery = new Delivery({ world, deliver, clock, log });
  const batches = new Gathering(quiet, clock, () => delivery.run());
  const problems = new Gathering(PROBLEMS, clock, () => world.reportProblems());
  const told = (): void => {
    if (world.unsettled) batches.mark();
    if (world.unreported) problems.mark();
  };
  const reader = new KubeReader(connection, clock);
  const bundle = new BundleReader({ reader, world, clock, told });
  const ways = new ListingWays(options.lists ?? 'paged', log);
  const reflectors = collections.map((collection) => {
    const begins = collection.kind === 'GatewayClass' ? () => bundle.read() : () => undefined;
    return new Reflector({ ...options, collection, reader, ways, server: connection.server, world, told, begins });
  });
  const stops = reflectors.map((reflector) => reflector.start());
  const stop = async (): Promise<void> => {
    batches.stop();
    delivery.stop();
    problems.stop();
    await Promise.all([bundle.stop(), ...stops.map((end) => end())]);
  };
  return { reflectors, stop };
}
