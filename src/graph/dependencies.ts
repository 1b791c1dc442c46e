import type { Dependent } from './step.ts';

/**
 * Something that is read as one and changes as one: a key of a collection, a group of an index, a whole collection.
 * The key need not exist: who looked for an absent key must run again when it appears. Nearly every key has one reader,
 * so that case costs no set.
 */
export class Cell {
  readonly #home: CellHome;
  readonly #key: string;
  #readers: Reader | Set<Reader> | undefined;

  constructor(home: CellHome, key: string) {
    this.#home = home;
    this.#key = key;
  }

  /** How many readers are registered. */
  get size(): number {
    if (this.#readers instanceof Set) return this.#readers.size;
    return this.#readers === undefined ? 0 : 1;
  }

  wake(): void {
    if (!(this.#readers instanceof Set)) this.#readers?.wake();
    else for (const reader of this.#readers) reader.wake();
  }

  enter(reader: Reader): void {
    if (this.#readers === undefined) this.#readers = reader;
    else if (this.#readers instanceof Set) this.#readers.add(reader);
    else if (this.#readers !== reader) this.#readers = new Set([this.#readers, reader]);
  }

  leave(reader: Reader): void {
    if (this.#readers instanceof Set) this.#readers.delete(reader);
    else if (this.#readers === reader) this.#readers = undefined;
    this.vacateIfUnread();
  }

  vacateIfUnread(): void {
    if (this.size === 0) this.#home.vacate(this.#key);
  }

  /** For the dump. */
  describe(): string {
    return this.#home.describe(this.#key);
  }
}

interface CellHome {
  vacate(key: string): void;
  describe(key: string): string;
}

/** The cells of one sort: the keys of a collection, or the groups of an index. Only those exist that somebody reads. */
export class Cells implements CellHome {
  readonly #verb: string;
  readonly #cells = new Map<string, Cell>();

  /** @param verb what reading is called in the dump: `get services`, `by services-of-namespace` */
  constructor(verb: string) {
    this.#verb = verb;
  }

  /** Registered readers of all cells. */
  countReaders(): number {
    let count = 0;
    for (const cell of this.#cells.values()) count += Math.max(cell.size, 1);
    return count;
  }

  at(key: string): Cell {
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = new Cell(this, key);
      this.#cells.set(key, cell);
    }
    return cell;
  }

  wake(key: string): void {
    this.#cells.get(key)?.wake();
  }

  vacate(key: string): void {
    this.#cells.delete(key);
  }

  describe(key: string): string {
    return `${this.#verb} ${JSON.stringify(key)}`;
  }
}

/** The cell of a collection as a whole. */
export function createWholeCell(collection: string): Cell {
  return new Cell({ vacate: () => undefined, describe: () => `all ${collection}` }, '');
}

/** One input key of one derived collection, with the record of what its last run read. */
export class Reader {
  readonly #collection: Dependent;
  readonly #key: string;
  #reads: ReadonlySet<Cell> = new Set();

  constructor(collection: Dependent, key: string) {
    this.#collection = collection;
    this.#key = key;
  }

  get reads(): ReadonlySet<Cell> {
    return this.#reads;
  }

  wake(): void {
    this.#collection.mark(this.#key);
  }

  /** Replaces the record of the previous run. */
  record(reads: ReadonlySet<Cell>): void {
    for (const cell of reads) cell.enter(this);
    for (const cell of this.#reads) {
      if (!reads.has(cell)) cell.leave(this);
    }
    this.#reads = reads;
  }
}
