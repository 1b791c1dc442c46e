/** Bytes of all manifests together: parsed, and as gateways get it, a byte of a policy takes four. */
const maxBytes = 64 * 1024 * 1024;

/** How far files that are read already may grow beyond that: their changes may revoke, and new files must not stop them. */
const growth = 1.25;

/** Manifests of all roots together. Each is looked at every few seconds, which takes about 50 µs. */
const maxFiles = 10_000;

/** Bounds what all files of a source have together: each is within its own limit, and whoever writes one can write many. */
export class ManifestBudget {
  readonly #maxBytes: number;
  /** The most files that are read. */
  readonly maxFiles: number;
  readonly #bytes = new Map<string, number>();
  #total = 0;

  constructor(limits: { readonly bytes: number; readonly files: number } = { bytes: maxBytes, files: maxFiles }) {
    this.#maxBytes = limits.bytes;
    this.maxFiles = limits.files;
  }

  /** Counts a file in place of what it had. Returns false when it is too much: the file has what it had before then. */
  count(file: string, bytes: number): boolean {
    const before = this.#bytes.get(file);
    const grown = this.#total + bytes - (before ?? 0);
    const fits =
      before === undefined
        ? grown <= this.#maxBytes && this.#bytes.size < this.maxFiles
        : grown <= growth * this.#maxBytes || bytes <= before;
    if (!fits) return false;
    this.#bytes.set(file, bytes);
    this.#total = grown;
    return true;
  }

  /** Returns whether a file was counted. */
  has(file: string): boolean {
    return this.#bytes.has(file);
  }

  /** The file is not there any more. */
  remove(file: string): void {
    this.#total -= this.#bytes.get(file) ?? 0;
    this.#bytes.delete(file);
  }

  /** What is too much, as the end of a sentence. */
  get limits(): string {
    return `${this.#maxBytes} bytes, or ${this.maxFiles} files, in all`;
  }
}
