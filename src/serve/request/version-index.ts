import { DeltaDiscoveryRequest } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { View } from '../../snapshot/model.ts';

/**
 * The entries of `initial_resource_versions` that a node which holds all of a View reports, as bytes, with a hash table
 * over them. Looking up an entry of a request creates no string: the version is a hash, so its last bytes are the hash
 * of the entry, and then the bytes are compared.
 */
export class VersionIndex {
  readonly size: number;
  readonly #view: View;
  readonly #bytes: Buffer;
  /** Start of the entry at each position, and the end of the last one. */
  readonly #starts: Uint32Array;
  /** Open addressing, at most half full. A slot holds a position plus one; 0 is free. */
  readonly #slots: Uint32Array;
  #positions: ReadonlyMap<string, number> | undefined;

  constructor(view: View) {
    const entries = Array.from(view.resources(), ({ name, version }) =>
      DeltaDiscoveryRequest.encode(
        DeltaDiscoveryRequest.fromPartial({ initialResourceVersions: { [name]: version } }),
      ).finish(),
    );
    this.size = entries.length;
    this.#view = view;
    this.#bytes = Buffer.concat(entries);
    this.#starts = new Uint32Array(entries.length + 1);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(2 * entries.length + 1)));
    for (const [position, { length }] of entries.entries()) {
      const start = this.#starts[position] ?? 0;
      this.#starts[position + 1] = start + length;
      let slot = this.#slotOf(this.#bytes, start + length);
      while (this.#slots[slot] !== 0) slot = this.#nextSlot(slot);
      this.#slots[slot] = position + 1;
    }
  }

  /**
   * Compares the bytes between `start` and `end` with up to 256 entries from position `from` on. Returns how many bytes
   * are equal and the position after them, or undefined when any entry differs. Tries every 256th position only, so
   * that entries in another order cost few comparisons in vain.
   */
  matchRun(
    from: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): { readonly nextPosition: number; readonly length: number } | undefined {
    if (from % runLength !== 0) return undefined;
    const nextPosition = Math.min(from + runLength, this.size);
    const [first = 0, last = 0] = [this.#starts[from], this.#starts[nextPosition]];
    const length = last - first;
    if (length <= 0 || start + length > end) return undefined;
    return this.#bytes.compare(bytes, start, start + length, first, last) === 0 ? { nextPosition, length } : undefined;
  }

  /** Returns the position of the entry with the bytes between `start` and `end`, or -1. */
  find(bytes: Buffer, start: number, end: number): number {
    if (end - start < hashLength) return -1;
    for (let slot = this.#slotOf(bytes, end); ; slot = this.#nextSlot(slot)) {
      const position = (this.#slots[slot] ?? 0) - 1;
      if (position === -1 || this.#equals(position, bytes, start, end)) return position;
    }
  }

  /** Returns the position of the resource of this name, in any version. */
  positionOf(name: string): number | undefined {
    this.#positions ??= new Map(Array.from(this.#view.resources(), (resource, position) => [resource.name, position]));
    return this.#positions.get(name);
  }

  #slotOf(bytes: Buffer, end: number): number {
    let hash = 0;
    for (let at = end - hashLength; at < end; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    return (hash ^ (hash >>> 15)) & (this.#slots.length - 1);
  }

  #nextSlot(slot: number): number {
    return (slot + 1) & (this.#slots.length - 1);
  }

  #equals(position: number, bytes: Buffer, start: number, end: number): boolean {
    const from = this.#starts[position] ?? 0;
    if ((this.#starts[position + 1] ?? 0) - from !== end - start) return false;
    const own = this.#bytes;
    // A loop, because calling a native function takes longer than comparing an entry.
    for (let at = 0; at < end - start; at += 1) if (own[from + at] !== bytes[start + at]) return false;
    return true;
  }
}

/** Entries that are compared as one run. */
const runLength = 256;

/** Bytes at the end of an entry that are hashed; the version is the last field. */
const hashLength = 8;
