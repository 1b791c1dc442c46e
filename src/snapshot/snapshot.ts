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
  /**
   * Applies the changes of one commit and then notifies each affected subscriber once. Proportional to the change.
   *
   * @param change `more`: further commits of the same change follow, and nobody sees anything of it before the last one.
   * `narrows`: what the commit takes away is seen at once none the less; it does nothing else
   * @throws what a subscriber has thrown, after the others were notified
   */
  apply(commit: Commit, change?: { readonly more?: boolean; readonly narrows?: boolean }): void;
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
  /** The Gateways that exist after the last change that is complete. */
  readonly #existing = new Set<string>();
  /** The snapshots of these before a change of which more follows. */
  #before: Map<string, Snapshot> | undefined;
  /** Since the last change that is complete: the Gateways with another view, and those that changed themselves. */
  readonly #affected = new Set<string>();
  readonly #changed = new Set<string>();

  constructor({ types, lazyTypes = [], gateways, digest }: SnapshotParts) {
    const versions = new ShardVersions(digest);
    this.#lazy = lazyTypes.map((source) => new LazyViews(source, versions, digest));
    const eager = types.map((source) => new EagerViews(source, versions));
    this.#typeViews = [...eager, ...this.#lazy].sort((a, b) => a.type.pushOrder - b.type.pushOrder);
    this.types = this.#typeViews.map(({ type }) => type);
    this.#gateways = gateways;
  }

  of(gateway: string): Snapshot {
    const before = this.#before?.get(gateway);
    if (before !== undefined) return before;
    const open = this.#typeViews.filter((views) => views.open);
    const views = new Map<string, View>(open.map((views) => [views.type.typeUrl, views.viewOf(gateway)]));
    return { gateway, exists: this.#existing.has(gateway), views };
  }

  size(): number {
    return this.#typeViews.reduce((sum, { size }) => sum + size, 0);
  }

  gateways(): Iterable<string> {
    return this.#existing.values();
  }

  request(typeUrl: string): boolean {
    const requested = this.#lazy.find(({ type }) => type.typeUrl === typeUrl);
    if (requested === undefined || requested.open) return true;
    if (this.#before !== undefined) return false;
    requested.request(this.gateways());
    return true;
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

  apply(commit: Commit, { more = false, narrows = false }: Parameters<SnapshotStore['apply']>[1] = {}): void {
    if (more) this.#before ??= new Map([...this.#existing].map((gateway) => [gateway, this.of(gateway)]));
    for (const views of this.#typeViews) for (const gateway of views.apply(commit)) this.#affected.add(gateway);
    for (const { key } of commit.changes(this.#gateways)) this.#changed.add(key);
    if (more) {
      if (narrows) this.#notifyAll(this.#narrow(commit));
      return;
    }
    this.#before = undefined;
    for (const gateway of this.#changed) {
      const exists = this.#gateways.get(gateway) !== undefined;
      for (const views of this.#typeViews) if (views.assign(gateway, exists)) this.#affected.add(gateway);
      if (exists !== this.#existing.has(gateway)) this.#affected.add(gateway);
      if (exists) this.#existing.add(gateway);
      else this.#existing.delete(gateway);
    }
    this.#changed.clear();
    const affected = [...this.#affected];
    this.#affected.clear();
    this.#notifyAll(affected);
  }

  /** Takes from what is seen what the commit takes away. Returns the Gateways with another view. */
  #narrow(commit: Commit): Iterable<string> {
    const narrowed = new Set<string>();
    for (const typeViews of this.#typeViews) {
      const { typeUrl } = typeViews.type;
      for (const [gateway, view] of typeViews.narrow(commit, (of) => this.#before?.get(of)?.views.get(typeUrl))) {
        const before = this.of(gateway);
        this.#before?.set(gateway, { ...before, views: new Map([...before.views, [typeUrl, view]]) });
        narrowed.add(gateway);
      }
    }
    return narrowed;
  }

  /** After all views are replaced, so that every subscriber sees one consistent generation (rule E8). */
  #notifyAll(gateways: Iterable<string>): void {
    const failures: unknown[] = [];
    for (const gateway of gateways) failures.push(...this.#notify(gateway));
    if (failures.length > 0) throw failures[0];
  }

  /** Returns what subscribers have thrown: the others must not keep what was narrowed. */
  #notify(gateway: string): readonly unknown[] {
    const subscribers = this.#subscribers.get(gateway);
    if (subscribers === undefined) return [];
    const snapshot = this.of(gateway);
    const failures: unknown[] = [];
    for (const subscriber of [...subscribers]) {
      try {
        subscriber(snapshot);
      } catch (error) {
        failures.push(error);
      }
    }
    return failures;
  }
}

function isOwn(view: View): view is ShardedView | JointView {
  return view instanceof ShardedView || view instanceof JointView;
}
