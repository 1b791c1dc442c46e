import type { Stop } from '../edges.ts';
import type { Collection, Commit } from '../graph/model.ts';
import type { ResourceType } from '../wire/model.ts';
import { DeltaCache } from './delta.ts';
import type { Delta, Snapshot, Snapshots, View } from './model.ts';
import { EagerViews, type LazyTypeSource, LazyViews, type TypeSource, type TypeViews } from './type-views.ts';
import { type Digest, JointView, ShardedView, ShardVersions } from './view.ts';

export type { ShardScope } from './scoped-views.ts';
export type { ResourceSource, TypeSource } from './type-views.ts';

/** What snapshots are made of. */
export interface SnapshotParts {
  readonly types: readonly TypeSource[];
  /** Types that are computed from the first request of a node on. */
  readonly lazyTypes?: readonly LazyTypeSource[];
  /** One entry per Gateway object that exists. A change of an entry makes `apply` call `scopeOf` again. */
  readonly gateways: Collection<unknown>;
  readonly digest: Digest;
}

/** The snapshots, with the method that updates them. */
export interface SnapshotStore extends Snapshots {
  /** Applies the changes of one commit and then notifies each affected subscriber once. Proportional to the change. */
  apply(commit: Commit): void;
}

/** Creates snapshots with empty views; `apply` fills them. */
export function createSnapshots(parts: SnapshotParts): SnapshotStore {
  return new GatewaySnapshots(parts);
}

class GatewaySnapshots implements SnapshotStore {
  readonly types: readonly ResourceType[];
  readonly #gateways: Collection<unknown>;
  /** In push order. */
  readonly #typeViews: readonly TypeViews[];
  readonly #lazy: readonly LazyViews[];
  readonly #deltas = new DeltaCache();
  readonly #subscribers = new Map<string, Set<(snapshot: Snapshot) => void>>();

  constructor({ types, lazyTypes = [], gateways, digest }: SnapshotParts) {
    const versions = new ShardVersions(digest);
    this.#lazy = lazyTypes.map((source) => new LazyViews(source, versions, digest));
    const eager = types.map((source) => new EagerViews(source, versions));
    this.#typeViews = [...eager, ...this.#lazy].sort((a, b) => a.type.pushOrder - b.type.pushOrder);
    this.types = this.#typeViews.map(({ type }) => type);
    this.#gateways = gateways;
  }

  of(gateway: string): Snapshot {
    const open = this.#typeViews.filter((views) => views.open);
    const views = new Map<string, View>(open.map((views) => [views.type.typeUrl, views.viewOf(gateway)]));
    return { gateway, exists: this.#gateways.get(gateway) !== undefined, views };
  }

  size(): number {
    return this.#typeViews.reduce((sum, { size }) => sum + size, 0);
  }

  *gateways(): Iterable<string> {
    for (const [gateway] of this.#gateways.entries()) yield gateway;
  }

  request(typeUrl: string): void {
    this.#lazy.find(({ type }) => type.typeUrl === typeUrl)?.request(this.gateways());
  }

  diff(from: View, to: View): Delta {
    if (!isOwn(from) || !isOwn(to)) throw new TypeError('a View of other snapshots');
    return this.#deltas.get(from, to);
  }

  empty(typeUrl: string): View | undefined {
    return this.#typeViews.find(({ type }) => type.typeUrl === typeUrl)?.empty;
  }

  subscribe(gateway: string, changed: (snapshot: Snapshot) => void): Stop {
    let subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) {
      subscribers = new Set();
      this.#subscribers.set(gateway, subscribers);
    }
    // A wrapper per subscription: the same function may subscribe twice, and each subscription ends alone.
    const subscriber = (snapshot: Snapshot): void => changed(snapshot);
    subscribers.add(subscriber);
    return () => {
      subscribers.delete(subscriber);
      if (subscribers.size === 0 && this.#subscribers.get(gateway) === subscribers) this.#subscribers.delete(gateway);
    };
  }

  apply(commit: Commit): void {
    const affected = new Set<string>();
    for (const views of this.#typeViews) for (const gateway of views.apply(commit)) affected.add(gateway);
    for (const { key, before, after } of commit.changes(this.#gateways)) {
      for (const views of this.#typeViews) if (views.assign(key, after !== undefined)) affected.add(key);
      if ((before === undefined) !== (after === undefined)) affected.add(key);
    }
    // After all views are replaced, so that every subscriber sees one consistent generation (rule E8).
    for (const gateway of affected) this.#notify(gateway);
  }

  #notify(gateway: string): void {
    const subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) return;
    const snapshot = this.of(gateway);
    for (const subscriber of [...subscribers]) subscriber(snapshot);
  }
}

function isOwn(view: View): view is ShardedView | JointView {
  return view instanceof ShardedView || view instanceof JointView;
}
