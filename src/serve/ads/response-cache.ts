import { SharedCache } from '../request/weak-cache.ts';
import type { Part } from './protocol.ts';

/** Response bodies that several streams send. Those that have yet to send one hold it as long. */
export class BodyCache extends SharedCache<readonly Part[]> {
  /** @param limit bytes to keep, of bodies and of what they say */
  constructor(limit: number) {
    super(limit, weightOf);
  }
}

/**
 * Bytes that a body takes beside its own: what it says, in resources that may be gone everywhere else. Without it the
 * bodies of small changes would weigh next to nothing, and be kept by the hundred thousand.
 */
const around = 4096;

/** The bytes that are kept alive by keeping these. */
export function weightOf(parts: readonly Part[]): number {
  return parts.reduce((sum, { body }) => sum + body.buffer.byteLength + around, 0);
}

/**
 * One body of several pieces, in memory of its own. Node puts small buffers side by side into a slab of 64 KiB, all of
 * which one kept body would keep.
 */
export function bodyOfPieces(pieces: readonly Uint8Array[]): Buffer {
  const body = Buffer.allocUnsafeSlow(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}
