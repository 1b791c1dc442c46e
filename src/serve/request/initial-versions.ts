import type { View } from '../../snapshot/model.ts';
import { lengthDelimited, ProtobufReader } from './protobuf-reader.ts';
import { VersionIndex } from './version-index.ts';
import { WeakCache } from './weak-cache.ts';

/** The `initial_resource_versions` of a request: what a node holds from an earlier stream (rules C21 to C23). */
export interface InitialVersions {
  /** Yields names and versions. An empty version means that the node has the name in an unknown version. */
  entries(): Iterable<readonly [name: string, version: string]>;
  compare(view: View): VersionComparison;
}

/** Initial versions compared with a View. */
interface VersionComparison {
  /** Number of resources of the View that the node holds in the version of the View. */
  readonly currentCount: number;
  /** Returns whether the node holds the resource of this name in the version of the View. */
  isCurrent(name: string): boolean;
  /** The other entries, version by name: names that the View lacks or has in another version. */
  readonly differing: ReadonlyMap<string, string>;
}

/** Number of Views whose index is kept. Gateways with the same scope share a View. */
const indexedViews = 8;

/** Resources of a View below which its index is computed for each request. */
const minIndexed = 16;

/**
 * Reads initial versions in place. After a restart all nodes reconnect and report everything they hold, nearly all of
 * it current. So names and versions are compared as bytes of the message, and strings are created only for entries that
 * differ.
 */
export class InitialVersionsReader {
  readonly #indexes = new WeakCache<VersionIndex>(indexedViews, () => 1);

  /** @param ranges of the entries in `bytes` */
  read(bytes: Buffer, ranges: readonly ByteRange[]): InitialVersions {
    return {
      *entries() {
        const entries = new VersionEntryReader(bytes, ranges);
        while (entries.hasMore()) {
          const entry = entries.read();
          yield [nameOf(bytes, entry), versionOf(bytes, entry)];
        }
      },
      compare: (view) => {
        // An index of a View of one node would only displace those that nodes share.
        const index =
          view.size < minIndexed ? new VersionIndex(view) : this.#indexes.get(view, () => new VersionIndex(view));
        return compare(bytes, new VersionEntryReader(bytes, ranges), index);
      },
    };
  }
}

/**
 * Compares entries with an index. Most nodes report in the order in which they received, which is the order of the
 * View: then runs of entries equal the bytes of the index and are compared as a whole.
 */
function compare(bytes: Buffer, entries: VersionEntryReader, index: VersionIndex): VersionComparison {
  // One mark per position instead of a count: a name may be reported twice, and its last entry counts.
  const current = new Uint8Array(index.size);
  const differing = new Map<string, string>();
  let expected = 0;
  while (entries.hasMore()) {
    const run = index.matchRun(expected, bytes, entries.offset, entries.rangeEnd);
    if (run !== undefined) {
      current.fill(1, expected, run.nextPosition);
      expected = run.nextPosition;
      entries.skip(run.length);
      continue;
    }
    const entry = entries.read();
    const position = index.find(bytes, entry.start, entry.end);
    if (position !== -1) {
      current[position] = 1;
      expected = position + 1;
    } else {
      const name = nameOf(bytes, entry);
      differing.set(name, versionOf(bytes, entry));
      current[index.positionOf(name) ?? -1] = 0;
      expected += 1;
    }
  }
  for (const name of differing.keys()) if (current[index.positionOf(name) ?? -1] === 1) differing.delete(name);
  const currentCount = current.reduce((sum, mark) => sum + mark, 0);
  return { currentCount, differing, isCurrent: (name) => current[index.positionOf(name) ?? -1] === 1 };
}

function nameOf(bytes: Buffer, { nameStart, nameEnd }: VersionEntry): string {
  return bytes.toString('utf8', nameStart, nameEnd);
}

function versionOf(bytes: Buffer, { versionStart, versionEnd }: VersionEntry): string {
  return bytes.toString('utf8', versionStart, versionEnd);
}

/** A part of a message that consists of adjacent entries of `initial_resource_versions`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * Offsets of one entry, from its tag on, and of its name and its version. A reader reuses one object for all entries,
 * so the caller reads it before the next entry.
 */
interface VersionEntry {
  start: number;
  end: number;
  nameStart: number;
  nameEnd: number;
  versionStart: number;
  versionEnd: number;
}

const nameTag = (1 << 3) | lengthDelimited;
const versionTag = (2 << 3) | lengthDelimited;

/** Encoders write at most two fields per entry. More than this many make the entry malformed. */
const maxEntryFields = 8;

/** Checks the entries of a message while it is decoded, and records where they lie. */
export class VersionEntryScanner {
  readonly ranges: { start: number; end: number }[] = [];
  readonly #reader: ProtobufReader;
  readonly #entry = newEntry();

  constructor(bytes: Buffer) {
    this.#reader = new ProtobufReader(bytes);
  }

  /**
   * Records the entry whose tag begins at `fieldStart` and whose value lies between `start` and `end`.
   *
   * @throws {Error} for one that is malformed
   */
  add(fieldStart: number, start: number, end: number): void {
    this.#reader.seek(start, end);
    readEntry(this.#reader, this.#entry);
    const last = this.ranges.at(-1);
    if (last?.end === fieldStart) last.end = end;
    else this.ranges.push({ start: fieldStart, end });
  }
}

/** Reads the entries that a scanner recorded, in order. */
class VersionEntryReader {
  /** Offset of the next entry. */
  offset = 0;
  /** End of the range of the next entry. */
  rangeEnd = 0;
  readonly #reader: ProtobufReader;
  readonly #ranges: Iterator<ByteRange>;
  readonly #entry = newEntry();

  constructor(bytes: Buffer, ranges: readonly ByteRange[]) {
    this.#reader = new ProtobufReader(bytes);
    this.#ranges = ranges.values();
  }

  /** Moves to the next range at the end of one. */
  hasMore(): boolean {
    while (this.offset >= this.rangeEnd) {
      const { value, done } = this.#ranges.next();
      if (done === true) return false;
      this.offset = value.start;
      this.rangeEnd = value.end;
    }
    return true;
  }

  /** Reads the next entry, after `hasMore` returned true. */
  read(): VersionEntry {
    const entry = this.#entry;
    const reader = this.#reader;
    reader.seek(this.offset, this.rangeEnd);
    reader.readTag();
    entry.start = this.offset;
    entry.end = reader.readEnd();
    reader.seek(reader.offset, entry.end);
    readEntry(reader, entry);
    this.offset = entry.end;
    return entry;
  }

  /** Skips whole entries of the current range. */
  skip(length: number): void {
    this.offset += length;
  }
}

function newEntry(): VersionEntry {
  return { start: 0, end: 0, nameStart: 0, nameEnd: 0, versionStart: 0, versionEnd: 0 };
}

/** Reads the value of an entry into `entry`. The fields have any order; encoders omit empty ones. */
function readEntry(reader: ProtobufReader, entry: VersionEntry): void {
  const { offset } = reader;
  entry.nameStart = offset;
  entry.nameEnd = offset;
  entry.versionStart = offset;
  entry.versionEnd = offset;
  for (let fields = 0; reader.hasMore; fields += 1) {
    if (fields === maxEntryFields) throw new Error('an entry of initial_resource_versions has too many fields');
    const tag = reader.readTag();
    if (tag === nameTag) {
      entry.nameEnd = reader.readEnd();
      entry.nameStart = reader.offset;
      reader.offset = entry.nameEnd;
    } else if (tag === versionTag) {
      entry.versionEnd = reader.readEnd();
      entry.versionStart = reader.offset;
      reader.offset = entry.versionEnd;
    } else reader.skipField(tag);
  }
}
