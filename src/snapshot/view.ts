import type { EncodedResource, ResourceType } from '../wire/model.ts';
import type { View } from './model.ts';
import { type Shard, type Shards, withEntries } from './shards.ts';

/** Hashes names and versions into one version; implemented in `wire/digest.ts`. */
export type Digest = (parts: Iterable<string>) => string;

/** A view over immutable shards. */
export class ShardedView implements View {
  readonly type: ResourceType;
  readonly shards: Shards;
  readonly #shardOf: ((name: string) => string) | undefined;
  readonly #versions: ShardVersions;
  #size: number | undefined;
  #version: string | undefined;

  constructor(
    type: ResourceType,
    shards: Shards,
    shardOf: ((name: string) => string) | undefined,
    versions: ShardVersions,
  ) {
    this.type = type;
    this.shards = shards;
    this.#shardOf = shardOf;
    this.#versions = versions;
  }

  get size(): number {
    this.#size ??= this.shards.valuesArray().reduce((sum, shard) => sum + shard.size, 0);
    return this.#size;
  }

  get(name: string): EncodedResource | undefined {
    const shard = this.#shardOf === undefined ? this.shards.minKey() : this.#shardOf(name);
    return shard === undefined ? undefined : this.shards.get(shard)?.get(name);
  }

  *resources(): Iterable<EncodedResource> {
    for (const shard of this.shards.values()) yield* shard.values();
  }

  /** The view with resources of a shard replaced, or removed; those that it does not have are not added. */
  replaced(shard: string, entries: readonly (readonly [name: string, EncodedResource | undefined])[]): ShardedView {
    const own = this.shards.get(shard);
    if (own === undefined) return this;
    const known = withEntries(
      own,
      entries.filter(([name]) => own.has(name)),
    );
    const shards = withEntries(this.shards, [[shard, known.size === 0 ? undefined : known]]);
    return new ShardedView(this.type, shards, this.#shardOf, this.#versions);
  }

  version(): string {
    this.#version ??= this.#versions.ofAll(this.shards);
    return this.#version;
  }
}

/** A view over several views: its resources are theirs, and no two of them have a name in common. */
export class JointView implements View {
  readonly type: ResourceType;
  readonly parts: readonly ShardedView[];
  readonly #digest: Digest;
  #version: string | undefined;

  constructor(type: ResourceType, parts: readonly ShardedView[], digest: Digest) {
    this.type = type;
    this.parts = parts;
    this.#digest = digest;
  }

  get size(): number {
    return this.parts.reduce((sum, { size }) => sum + size, 0);
  }

  get(name: string): EncodedResource | undefined {
    for (const part of this.parts) {
      const resource = part.get(name);
      if (resource !== undefined) return resource;
    }
    return undefined;
  }

  *resources(): Iterable<EncodedResource> {
    for (const part of this.parts) yield* part.resources();
  }

  version(): string {
    this.#version ??= this.#digest(this.parts.map((part) => part.version()));
    return this.#version;
  }
}

/** Caches the version of each shard for as long as the shard lives: a change in one does not hash the others again. */
export class ShardVersions {
  readonly #digest: Digest;
  readonly #versions = new WeakMap<Shard, string>();

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  /** The version of several shards. */
  ofAll(shards: Shards): string {
    return this.#digest(shards.valuesArray().map((shard) => this.#of(shard)));
  }

  #of(shard: Shard): string {
    const cached = this.#versions.get(shard);
    if (cached !== undefined) return cached;
    const version = this.#digest(shard.valuesArray().flatMap((resource) => [resource.name, resource.version]));
    this.#versions.set(shard, version);
    return version;
  }
}
