import { estimatedBytes, largestPart } from '../batch-parts.ts';
import type { Batch, ResourceChange } from '../model.ts';
import { SmallestFirst } from './smallest-first.ts';

/** What a batch brings beside its changes. */
export type BatchRest = Pick<Batch, 'unlistedNamespaces' | 'synced'>;

/** A batch, and the files that its changes are of. */
export interface FileBatch extends Batch {
  /** `all`: what it says depends on all files. */
  readonly files: ReadonlySet<string> | 'all';
}

/** Changes that belong together. */
export interface PendingBatch extends Pick<FileBatch, 'since' | 'files'> {
  /** By kind and key. */
  readonly changes: ReadonlyMap<string, ResourceChange>;
  /** Bytes of JSON, as they are estimated. */
  readonly bytes: number;
  readonly rest: BatchRest;
}

/** Makes a batch that is pending. */
export function pendingOf({ changes, files, since, unlistedNamespaces, synced }: FileBatch): PendingBatch {
  return {
    changes: new Map(changes.map((change) => [idOf(change), change])),
    bytes: changes.reduce((sum, change) => sum + estimatedBytes(change), 0),
    files,
    rest: { synced, ...(unlistedNamespaces !== undefined && { unlistedNamespaces }) },
    ...(since !== undefined && { since }),
  };
}

/** Identifies the object of a change. */
export function idOf({ kind, key }: ResourceChange): string {
  return `${kind} ${key}`;
}

/**
 * Batches that wait for their delivery. No two of them have a file or an object in common, so that each of them may be
 * delivered before each other one: what does have one joins the batch that has it.
 */
export class PendingBatches {
  readonly #order = new SmallestFirst<PendingBatch>(sizeOf);
  #batches: readonly PendingBatch[] = [];

  add(batch: PendingBatch): void {
    const others: PendingBatch[] = [];
    let joined = batch;
    for (const before of this.#batches) {
      if (areIndependent(before, batch)) others.push(before);
      else joined = join(before, joined);
    }
    this.#batches = [...others, joined];
  }

  /**
   * Takes as many small batches as are one part, in the order in which they came.
   *
   * @param open is being delivered: those that depend on it stay
   */
  takeSmall(open?: PendingBatch): PendingBatch | undefined {
    const left: PendingBatch[] = [];
    let taken: PendingBatch | undefined;
    for (const batch of this.#batches) {
      const fits = taken === undefined ? isSmall(batch) : fitTogether(taken, batch);
      if (fits && (open === undefined || areIndependent(open, batch)))
        taken = taken === undefined ? batch : join(taken, batch);
      else left.push(batch);
    }
    this.#batches = left;
    return taken;
  }

  /** Takes the smallest batch, see {@link SmallestFirst}. */
  takeSmallest(): PendingBatch | undefined {
    const smallest = this.#order.choose(this.#batches);
    this.#batches = this.#batches.filter((batch) => batch !== smallest);
    return smallest;
  }
}

/** Returns whether a batch is delivered at once. */
function isSmall({ changes, bytes }: PendingBatch): boolean {
  return changes.size <= 1 || (changes.size <= largestPart.objects && bytes <= largestPart.bytes);
}

function fitTogether(a: PendingBatch, b: PendingBatch): boolean {
  return a.changes.size + b.changes.size <= largestPart.objects && a.bytes + b.bytes <= largestPart.bytes;
}

/** In parts. */
function sizeOf({ changes, bytes }: PendingBatch): number {
  return Math.max(changes.size / largestPart.objects, bytes / largestPart.bytes);
}

function areIndependent(a: PendingBatch, b: PendingBatch): boolean {
  if (a.files === 'all' || b.files === 'all') return false;
  return !haveCommon(a.files, b.files) && !haveCommon(a.changes, b.changes);
}

/** Sets, and keys of maps. */
interface Keys {
  readonly size: number;
  keys(): Iterable<string>;
  has(key: string): boolean;
}

function haveCommon(a: Keys, b: Keys): boolean {
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  for (const key of few.keys()) if (many.has(key)) return true;
  return false;
}

/** Joins two batches into one. Of an object it has the later change, which replaces what is known from before the earlier. */
function join(earlier: PendingBatch, later: PendingBatch): PendingBatch {
  const changes = new Map(earlier.changes);
  for (const [id, change] of later.changes) {
    const replaces = changes.get(id)?.replaces;
    changes.set(id, replaces === undefined ? change : { ...change, replaces });
  }
  const since = earlier.since ?? later.since;
  return {
    changes,
    bytes: earlier.bytes + later.bytes,
    files: earlier.files === 'all' || later.files === 'all' ? 'all' : new Set([...earlier.files, ...later.files]),
    rest: { ...earlier.rest, ...later.rest },
    ...(since !== undefined && { since }),
  };
}
