import { WeakCache } from '../request/weak-cache.ts';
import type { ResponseChunk } from './protocol.ts';

/**
 * Encoded responses shared between streams. Streams that have not sent a response yet keep it alive beyond the limit.
 */
export class ResponseCache extends WeakCache<readonly ResponseChunk[]> {
  /** @param limit bytes, counted by `cachedSize` */
  constructor(limit: number) {
    super(limit, cachedSize);
  }
}

/**
 * Charged per response in addition to its body, because its delta may be the last reference to resources. Without it
 * the cache would keep hundreds of thousands of small responses. Bytes.
 */
const deltaOverhead = 4096;

/** Estimates the memory that the cache keeps alive for these responses; bytes. */
export function cachedSize(chunks: readonly ResponseChunk[]): number {
  return chunks.reduce((sum, { body }) => sum + body.buffer.byteLength + deltaOverhead, 0);
}

/** Adds up a size over all items. */
export function sum<T>(items: Iterable<T>, size: (item: T) => number): number {
  let total = 0;
  for (const item of items) total += size(item);
  return total;
}

/**
 * Concatenates encoded fields into a body with an ArrayBuffer of its own. `Buffer.concat` would place a small body in a
 * pool of 64 KiB, which one cached body then keeps alive.
 */
export function concatBody(fields: readonly Uint8Array[]): Buffer {
  const body = Buffer.allocUnsafeSlow(fields.reduce((sum, { length }) => sum + length, 0));
  let offset = 0;
  for (const field of fields) {
    body.set(field, offset);
    offset += field.length;
  }
  return body;
}
