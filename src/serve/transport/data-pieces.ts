import type { ServerHttp2Stream } from 'node:http2';

/** Pieces of any size that a stream may send: a first request, and a few more beside it, in the smallest packets. */
const anyPieces = 64;

/** Bytes that a piece has on average beyond these. An ACK is one piece of 70 bytes, or two where a client frames it alone. */
const averageBytes = 32;

/**
 * Follows the DATA of a stream piece by piece, also while it is paused. A piece is what
 * Node passes on: a frame, or the part of one that was read at once. Each costs 10 µs and 100 bytes however small it is,
 * so that one window of 64 KiB in frames of one byte would stop the event loop for more than half a second, and the 32
 * MiB of a request would take 3 GiB.
 *
 * `push` is the method that Node documents for implementers of streams, and calls for each piece. It is replaced on the
 * stream because an event for data comes late for one that is paused.
 *
 * @param tooSmall called once, when the pieces are too small. No more of them is kept
 */
export function limitPieces(stream: ServerHttp2Stream, tooSmall: () => void): void {
  const push = stream.push.bind(stream);
  let pieces = 0;
  let bytes = 0;
  let exceeded = false;
  stream.push = (chunk: Buffer | null) => {
    if (chunk === null) return push(chunk);
    if (exceeded) return false;
    pieces += 1;
    bytes += chunk.length;
    if (pieces <= anyPieces + bytes / averageBytes) return push(chunk);
    exceeded = true;
    tooSmall();
    return false;
  };
}
