import type { Readable } from 'node:stream';

/** How small the pieces of a stream may be. */
export interface PieceLimits {
  /** Pieces of any size. */
  readonly anySize: number;
  /** Bytes that a piece has on average beyond these. */
  readonly averageBytes: number;
}

/**
 * Follows what a stream of Node's HTTP receives piece by piece, also while it is paused. A piece is what Node passes
 * on: a DATA frame of HTTP/2, a chunk of HTTP/1.1, or the part of one that was read at once. Each costs time and memory
 * however small it is: of HTTP/2 10 µs and 100 bytes, so that one window of 64 KiB in frames of one byte would stop the
 * event loop for more than half a second, and the 32 MiB of a request would take 3 GiB.
 *
 * `push` is the method that Node documents for implementers of streams, and calls for each piece. It is replaced on the
 * stream because an event for data comes late for one that is paused.
 *
 * @param tooSmall called once, when the pieces are too small. No more of them is kept
 */
export function limitPieces(stream: Readable, { anySize, averageBytes }: PieceLimits, tooSmall: () => void): void {
  const push = stream.push.bind(stream);
  let pieces = 0;
  let bytes = 0;
  let exceeded = false;
  stream.push = (chunk: Buffer | null) => {
    if (chunk === null) return push(chunk);
    if (exceeded) return false;
    pieces += 1;
    bytes += chunk.length;
    if (pieces <= anySize + bytes / averageBytes) return push(chunk);
    exceeded = true;
    tooSmall();
    return false;
  };
}
