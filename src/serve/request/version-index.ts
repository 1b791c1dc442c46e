import { DeltaDiscoveryRequest } from '../../gen/envoy/service/discovery/v3/discovery.ts';
import type { View } from '../../snapshot/model.ts';

/**
 * What a node that holds all of a View reports of it, as bytes: an entry of `initial_resource_versions` per resource.
 * An entry of a request is looked up without making a text of it: versions are hashes, so a few bytes of one say where
 * to look, and then all bytes are compared.
 */
export class ViewEntries {
  readonly size: number;
  readonly #view: View;
  readonly #bytes: Buffer;
  /** Where the entry at each position begins; one more for the end of the last. */
  readonly #starts: Uint32Array;
  /** Positions plus one, at the places that the entries say; 0 is free. At most half full. */
  readonly #places: Uint32Array;
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
    this.#places = new Uint32Array(2 ** Math.ceil(Math.log2(2 * entries.length + 1)));
    for (const [position, { length }] of entries.entries()) {
      const start = this.#starts[position] ?? 0;
      this.#starts[position + 1] = start + length;
      let place = this.#placeOf(this.#bytes, start + length);
      while (this.#places[place] !== 0) place = this.#next(place);
      this.#places[place] = position + 1;
    }
  }

  /**
   * Whether the next entries in a message, which begin at `start`, are just those from this position on: answers how
   * many bytes they take, and the position after them. Looked for at every 256th position alone, so that a list in
   * another order pays for few comparisons in vain.
   */
  stretchAt(
    from: number,
    bytes: Buffer,
    start: number,
    end: number,
  ): { readonly position: number; readonly length: number } | undefined {
    if (from % stretch !== 0) return undefined;
    const position = Math.min(from + stretch, this.size);
    const [first = 0, last = 0] = [this.#starts[from], this.#starts[position]];
    const length = last - first;
    if (length <= 0 || start + length > end) return undefined;
    return this.#bytes.compare(bytes, start, start + length, first, last) === 0 ? { position, length } : undefined;
  }

  /** The position of the resource that a node holds which says exactly this; -1 when it holds none as it is here. */
  find(bytes: Buffer, start: number, end: number): number {
    if (end - start < hashed) return -1;
    for (let place = this.#placeOf(bytes, end); ; place = this.#next(place)) {
      const position = (this.#places[place] ?? 0) - 1;
      if (position === -1 || this.#equals(position, bytes, start, end)) return position;
    }
  }

  /** The position of the resource of this name, whatever its version. */
  positionOf(name: string): number | undefined {
    this.#positions ??= new Map(Array.from(this.#view.resources(), (resource, position) => [resource.name, position]));
    return this.#positions.get(name);
  }

  #placeOf(bytes: Buffer, end: number): number {
    let hash = 0;
    for (let at = end - hashed; at < end; at += 1) hash = (Math.imul(hash, 31) + (bytes[at] ?? 0)) | 0;
    return (hash ^ (hash >>> 15)) & (this.#places.length - 1);
  }

  #next(place: number): number {
    return (place + 1) & (this.#places.length - 1);
  }

  #equals(position: number, bytes: Buffer, start: number, end: number): boolean {
    const from = this.#starts[position] ?? 0;
    if ((this.#starts[position + 1] ?? 0) - from !== end - start) return false;
    const mine = this.#bytes;
    // Compared here: for so few bytes the way to a native function takes longer.
    for (let at = 0; at < end - start; at += 1) if (mine[from + at] !== bytes[start + at]) return false;
    return true;
  }
}

/** Entries that are compared at once. */
const stretch = 256;

/** The version stands last in an entry; so many bytes of its end tell it from others. */
const hashed = 8;
