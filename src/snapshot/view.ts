import type { EncodedResource, ResourceType } from '../wire/model.ts';
import type { View } from './model.ts';
import type { Shard, Shards } from './shards.ts';

/** Hashes names and versions into one version; see `wire/digest.ts`. */
export type Digest = (parts: Iterable<string>) => string;

/** A View over shards that nobody changes any more. */
export class ShardedView implements View {
  readonly type: ResourceType;
  readonly shards: Shards;
  readonly #shardOf: ((name: string) => string) | undefined;
  readonly #digest: ShardDigest;
  #size: number | undefined;
  #version: string | undefined;

  constructor(
    type: ResourceType,
    shards: Shards,
    shardOf: ((name: string) => string) | undefined,
    digest: ShardDigest,
  ) {
    this.type = type;
    this.shards = shards;
    this.#shardOf = shardOf;
    this.#digest = digest;
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
    this.#version ??= this.#digest.of(this.shards);
    return this.#version;
  }
}

/** Versions of shards, kept for as long as the shard itself: a change in one does not hash the others again. */
export class ShardDigest {
  readonly #digest: Digest;
  readonly #known = new WeakMap<Shard, string>();

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  of(shards: Shards): string {
    return this.#digest(shards.valuesArray().map((shard) => this.#ofShard(shard)));
  }

  #ofShard(shard: Shard): string {
    const known = this.#known.get(shard);
    if (known !== undefined) return known;
    const version = this.#digest(shard.valuesArray().flatMap((resource) => [resource.name, resource.version]));
    this.#known.set(shard, version);
    return version;
  }
}
