import { quoted } from '../../../json/quoted.ts';
import { compareFiles, compareNames } from '../manifest/manifest-file.ts';

/** Bytes of all manifests together: parsed, and as gateways get it, a byte of a policy takes four. */
const maxBytes = 64 * 1024 * 1024;

/** Manifests of all roots together. Each is looked at every few seconds, which takes about 50 µs. */
const maxFiles = 10_000;

/** The files of one root. */
interface RootFiles {
  /** In the order of their precedence. */
  readonly names: string[];
  readonly bytes: Map<string, number>;
  /** There are further files, all of them after these. */
  isCut: boolean;
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
  /** The most files that are read. */
  readonly maxFiles: number;
  readonly #roots: RootFiles[] = [];
  #bytes = 0;
  #files = 0;
  /** The first file that does not fit; undefined: all fit. Null: to be found. */
  #edge: FileRef | undefined | null = undefined;

  constructor(limits: { readonly bytes: number; readonly files: number } = { bytes: maxBytes, files: maxFiles }) {
    this.#maxBytes = limits.bytes;
    this.maxFiles = limits.files;
  }

  /**
   * Sets the files of a root; those that were known keep their size.
   *
   * @param names sorted
   * @param isCut true: there are more, all of them after these
   */
  list(root: number, names: readonly string[], isCut: boolean): void {
    const before = this.#of(root);
    const bytes = new Map<string, number>(names.map((name) => [name, before.bytes.get(name) ?? 0]));
    this.#bytes += sum(bytes) - sum(before.bytes);
    this.#files += names.length - before.names.length;
    this.#roots[root] = { names: [...names], bytes, isCut };
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
    const { names } = this.#of(root);
    for (let name = names.at(-1); name !== undefined && compareNames(name, last) > 0; name = names.at(-1))
      this.remove(root, name);
  }

  /** Sets the size of a file, which may be new. */
  set(root: number, name: string, size: number): void {
    const { names, bytes } = this.#of(root);
    const before = bytes.get(name);
    if (before === size) return;
    if (before === undefined) {
      names.splice(position(names, name), 0, name);
      this.#files += 1;
    }
    bytes.set(name, size);
    this.#bytes += size - (before ?? 0);
    this.#moveEdge(root, name);
  }

  /** The file is not there any more. */
  remove(root: number, name: string): void {
    const { names, bytes } = this.#of(root);
    const before = bytes.get(name);
    if (before === undefined) return;
    names.splice(position(names, name), 1);
    bytes.delete(name);
    this.#files -= 1;
    this.#bytes -= before;
    this.#moveEdge(root, name);
  }

  /** Returns whether a file was counted. */
  has(root: number, name: string): boolean {
    return this.#of(root).bytes.has(name);
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
    if (this.#edge === null) this.#edge = this.#findEdge();
    return this.#edge;
  }

  /** Says which files of a root are not read, in one message for all of them. */
  crowding(root: number, path: string): string {
    const first = this.edge?.root === root && this.has(root, this.edge.name) ? this.edge.name : undefined;
    const which =
      first === undefined ? 'Files are' : `${quoted(first === '' ? path : first)} and all files after it are`;
    const limits = `${this.#maxBytes} bytes, or ${this.maxFiles} files, in all`;
    return `${which} not read: there is more than is read, ${limits}. Remove some, or make them smaller.`;
  }

  #of(root: number): RootFiles {
    while (this.#roots.length <= root) this.#roots.push({ names: [], bytes: new Map(), isCut: false });
    return this.#roots[root] ?? { names: [], bytes: new Map(), isCut: false };
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
        bytes += list.bytes.get(name) ?? 0;
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

function sum(bytes: ReadonlyMap<string, number>): number {
  let all = 0;
  for (const size of bytes.values()) all += size;
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
