import type { Dependent } from './node.ts';

/**
 * A unit of reading and of invalidation: one key of a collection, one value of an index, or a whole collection. The key
 * need not exist, because a run that found nothing must run again when the key appears. Nearly every dependency has one
 * reader, so that case allocates no set.
 */
export class Dependency {
  readonly #owner: DependencyOwner;
  readonly #key: string;
  #readers: Reader | Set<Reader> | undefined;

  constructor(owner: DependencyOwner, key: string) {
    this.#owner = owner;
    this.#key = key;
  }

  /** The number of readers. */
  get size(): number {
    if (this.#readers instanceof Set) return this.#readers.size;
    return this.#readers === undefined ? 0 : 1;
  }

  /** Invalidates every reader. */
  invalidate(): void {
    if (!(this.#readers instanceof Set)) this.#readers?.invalidate();
    else for (const reader of this.#readers) reader.invalidate();
  }

  addReader(reader: Reader): void {
    if (this.#readers === undefined) this.#readers = reader;
    else if (this.#readers instanceof Set) this.#readers.add(reader);
    else if (this.#readers !== reader) this.#readers = new Set([this.#readers, reader]);
  }

  removeReader(reader: Reader): void {
    if (this.#readers instanceof Set) this.#readers.delete(reader);
    else if (this.#readers === reader) this.#readers = undefined;
    this.releaseIfUnread();
  }

  releaseIfUnread(): void {
    if (this.size === 0) this.#owner.release(this.#key);
  }

  /** Describes the read for the dump: `get services "a"`. */
  describe(): string {
    return this.#owner.describe(this.#key);
  }
}

interface DependencyOwner {
  release(key: string): void;
  describe(key: string): string;
}

/** The dependencies on keys of one collection, or on values of one index. Holds only those with readers. */
export class Dependencies implements DependencyOwner {
  readonly #verb: string;
  readonly #dependencies = new Map<string, Dependency>();

  /** @param verb names the read in the dump: `get services`, `by services-of-namespace` */
  constructor(verb: string) {
    this.#verb = verb;
  }

  /** Counts the readers of all dependencies. */
  countReaders(): number {
    let count = 0;
    for (const dependency of this.#dependencies.values()) count += Math.max(dependency.size, 1);
    return count;
  }

  /** Returns the dependency on a key, and creates it for the first read. */
  on(key: string): Dependency {
    let dependency = this.#dependencies.get(key);
    if (dependency === undefined) {
      dependency = new Dependency(this, key);
      this.#dependencies.set(key, dependency);
    }
    return dependency;
  }

  /** Invalidates the readers of a key. */
  invalidate(key: string): void {
    this.#dependencies.get(key)?.invalidate();
  }

  release(key: string): void {
    this.#dependencies.delete(key);
  }

  describe(key: string): string {
    return `${this.#verb} ${JSON.stringify(key)}`;
  }
}

/** Creates the dependency on all members of a collection. */
export function createWholeDependency(collection: string): Dependency {
  return new Dependency({ release: () => undefined, describe: () => `all ${collection}` }, '');
}

/** One input key of one derived collection, with the dependencies that its last run recorded. */
export class Reader {
  readonly #dependent: Dependent;
  readonly #key: string;
  #dependencies: ReadonlySet<Dependency> = new Set();

  constructor(dependent: Dependent, key: string) {
    this.#dependent = dependent;
    this.#key = key;
  }

  get dependencies(): ReadonlySet<Dependency> {
    return this.#dependencies;
  }

  invalidate(): void {
    this.#dependent.invalidate(this.#key);
  }

  /** Replaces the dependencies of the previous run. */
  replaceDependencies(dependencies: ReadonlySet<Dependency>): void {
    for (const dependency of dependencies) dependency.addReader(this);
    for (const dependency of this.#dependencies) {
      if (!dependencies.has(dependency)) dependency.removeReader(this);
    }
    this.#dependencies = dependencies;
  }
}
