import type { EncodedResource, ResourceType } from '../wire/model.ts';
import type { View } from './model.ts';
import type { Shard, Shards } from './shards.ts';

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

  version(): string {
    this.#version ??= this.#versions.ofAll(this.shards);
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
