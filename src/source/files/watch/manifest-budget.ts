import { quoted } from '../../../json/quoted.ts';
import { compareFiles, compareNames } from '../manifest/manifest-file.ts';

/** Bytes of all manifests together: parsed, and as gateways get it, a byte of a policy takes four. */
const maxBytes = 64 * 1024 * 1024;

/**
 * Bytes that an object counts with at least once its file is parsed. A small Service of 130 bytes takes 5 KiB with its place
 * in the file, its target, and what is encoded of it: all files together have at most 65,536 objects.
 */
const bytesOfObject = 1_024;

/** Manifests of all roots together. Each is looked at every few seconds, which takes about 50 µs. */
const maxFiles = 10_000;

/** What files of a source may have together. */
export interface BudgetLimits {
  /** Default 64 MiB. */
  readonly bytes?: number;
  /** Default 10,000. */
  readonly files?: number;
  /** The least bytes that an object counts with. Default 1,024. */
  readonly object?: number;
}

/** The files of one root. */
interface RootFiles {
  /** In the order of their precedence. */
  readonly names: string[];
  readonly sizes: Map<string, FileSize>;
  /** There are further files, all of them after these. */
  isCut: boolean;
}

interface FileSize {
  readonly bytes: number;
  /** As its objects count; 0 until it is parsed. */
  readonly ofObjects: number;
}

interface FileRef {
  readonly root: number;
  readonly name: string;
}

/**
 * Bounds what all files of a source have together: each is within its own limit, and whoever writes one can write many.
 * The files are read in the order of their precedence, up to the first that does not fit, so that what is read follows
 * from the names and sizes alone, and no file that is left out comes before one that is read.
 */
export class ManifestBudget {
  readonly #maxBytes: number;
  readonly #bytesOfObject: number;
  /** The most files that are read. */
  readonly maxFiles: number;
  readonly #roots: RootFiles[] = [];
  #bytes = 0;
  #files = 0;
  /** The first file that does not fit; undefined: all fit. Null: to be found. */
  #edge: FileRef | undefined | null = undefined;
  /** The edge that was found last. */
  #lastEdge: FileRef | undefined = undefined;
  #edges = 0;

  constructor({ bytes = maxBytes, files = maxFiles, object = bytesOfObject }: BudgetLimits = {}) {
    this.#maxBytes = bytes;
    this.maxFiles = files;
    this.#bytesOfObject = object;
  }

  /**
   * Sets the files of a root; those that were known keep their size.
   *
   * @param names sorted
   * @param isCut true: there are more, all of them after these
   */
  list(root: number, names: readonly string[], isCut: boolean): void {
    const before = this.#of(root);
    const sizes = new Map(names.map((name) => [name, before.sizes.get(name) ?? unknownSize]));
    this.#bytes += sum(sizes) - sum(before.sizes);
    this.#files += names.length - before.names.length;
    this.#roots[root] = { names: [...names], sizes, isCut };
    this.#edge = null;
  }

  /** Says whether there are more than the listed files of a root, all of them after these. */
  setCut(root: number, isCut: boolean): void {
    const files = this.#of(root);
    if (files.isCut === isCut) return;
    files.isCut = isCut;
    this.#edge = null;
  }

  /** Forgets the files of a root after this name: others came before them, so that they are no longer listed. */
  removeAfter(root: number, last: string): void {
    const { names, sizes } = this.#of(root);
    let first: string | undefined;
    for (let name = names.at(-1); name !== undefined && compareNames(name, last) > 0; name = names.at(-1)) {
      names.pop();
      this.#files -= 1;
      this.#bytes -= counted(sizes.get(name) ?? unknownSize);
      sizes.delete(name);
      first = name;
    }
    if (first !== undefined) this.#moveEdge(root, first);
  }

  /** Sets the size of a file, which may be new. Its objects count again when a content of another size was parsed. */
  set(root: number, name: string, bytes: number): void {
    const { names, sizes } = this.#of(root);
    const before = sizes.get(name);
    if (before?.bytes === bytes) return;
    if (before === undefined) {
      names.splice(position(names, name), 0, name);
      this.#files += 1;
    }
    this.#resize(root, name, { bytes, ofObjects: 0 });
  }

  /**
   * Sets the number of objects in a file, which was parsed. It stays when the file is left out: what was parsed once is
   * not parsed again before it has another size.
   */
  setObjects(root: number, name: string, objects: number): void {
    const before = this.#of(root).sizes.get(name);
    if (before !== undefined) this.#resize(root, name, { ...before, ofObjects: objects * this.#bytesOfObject });
  }

  /** The file is not there any more. */
  remove(root: number, name: string): void {
    const { names, sizes } = this.#of(root);
    const before = sizes.get(name);
    if (before === undefined) return;
    names.splice(position(names, name), 1);
    sizes.delete(name);
    this.#files -= 1;
    this.#bytes -= counted(before);
    this.#moveEdge(root, name);
  }

  /** Returns whether a file was counted. */
  has(root: number, name: string): boolean {
    return this.#of(root).sizes.has(name);
  }

  /** Returns whether a file of this name has no effect, whatever its size: more come before it than are read. */
  isBeyondList(root: number, name: string): boolean {
    const { names } = this.#of(root);
    return names.length > this.maxFiles && compareNames(name, names.at(-1) ?? '') > 0;
  }

  /** Returns whether a file is read. Depends on the files before it only. */
  admits(root: number, name: string): boolean {
    const { edge } = this;
    return edge === undefined || compareFiles({ root, name }, edge) < 0;
  }

  /** The first file that is not read; undefined: all are. */
  get edge(): FileRef | undefined {
    if (this.#edge === null) {
      const edge = this.#findEdge();
      if (edge?.root !== this.#lastEdge?.root || edge?.name !== this.#lastEdge?.name) this.#edges += 1;
      this.#lastEdge = edge;
      this.#edge = edge;
    }
    return this.#edge;
  }

  /**
   * Counts the edges that there were: between two equal ones there may have been another, since the objects of a file do not
   * count while a new content of it is parsed, and files may have been read meanwhile.
   */
  edges(): number {
    void this.edge;
    return this.#edges;
  }

  /** Says which files of a root are not read, in one message for all of them. */
  crowding(root: number, path: string): string {
    const first = this.edge?.root === root && this.has(root, this.edge.name) ? this.edge.name : undefined;
    const which =
      first === undefined ? 'Files are' : `${quoted(first === '' ? path : first)} and all files after it are`;
    const limits = `${this.#maxBytes} bytes, of which an object counts as ${this.#bytesOfObject} at least, or ${this.maxFiles} files, in all`;
    return `${which} not read: there is more than is read, ${limits}. Remove some, or make them smaller.`;
  }

  #of(root: number): RootFiles {
    while (this.#roots.length <= root) this.#roots.push({ names: [], sizes: new Map(), isCut: false });
    return this.#roots[root] ?? { names: [], sizes: new Map(), isCut: false };
  }

  #resize(root: number, name: string, size: FileSize): void {
    const { sizes } = this.#of(root);
    this.#bytes += counted(size) - counted(sizes.get(name) ?? unknownSize);
    sizes.set(name, size);
    this.#moveEdge(root, name);
  }

  /** A file changed: one after the edge does not move it. */
  #moveEdge(root: number, name: string): void {
    if (this.#edge && compareFiles({ root, name }, this.#edge) > 0) return;
    this.#edge = null;
  }

  #findEdge(): FileRef | undefined {
    const isCut = this.#roots.some((files) => files.isCut);
    if (this.#bytes <= this.#maxBytes && this.#files <= this.maxFiles && !isCut) return undefined;
    let [bytes, files] = [0, 0];
    for (const [root, list] of this.#roots.entries()) {
      for (const name of list.names) {
        bytes += counted(list.sizes.get(name) ?? unknownSize);
        files += 1;
        if (bytes > this.#maxBytes || files > this.maxFiles) return { root, name };
      }
      if (list.isCut) return { root, name: afterAll };
    }
    return undefined;
  }
}

/** Sorts after every name. */
const afterAll = String.fromCodePoint(0x10ffff);

const unknownSize: FileSize = { bytes: 0, ofObjects: 0 };

function counted({ bytes, ofObjects }: FileSize): number {
  return Math.max(bytes, ofObjects);
}

function sum(sizes: ReadonlyMap<string, FileSize>): number {
  let all = 0;
  for (const size of sizes.values()) all += counted(size);
  return all;
}

/** Where a name is, or belongs, among sorted names. */
function position(names: readonly string[], name: string): number {
  let [low, high] = [0, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareNames(names[middle] ?? '', name) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
