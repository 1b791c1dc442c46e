import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { limitPieces, type PieceLimits } from '../data-pieces.ts';

/**
 * How small the chunks of a body may be. Node spends 2 to 4 µs and 440 bytes on each: 64 KiB hold 10,800 chunks of one
 * byte, of which 131 are looked at, which takes as long as the connection itself. A client that writes a body token by
 * token passes while it has about a hundred of them, and one that writes lines, such as base64 in lines of 76 characters,
 * whatever their number.
 */
const chunkLimits: PieceLimits = { anySize: 128, averageBytes: 64 };

/**
 * Limits the chunks of a request's body, also of one that nobody reads because it was answered before. A body with a
 * length has no chunks (Node refuses a `Transfer-Encoding` beside one): its pieces are as large as what was read from
 * the network at once.
 *
 * @param tooSmall called once
 */
export function limitChunks(request: IncomingMessage, response: ServerResponse, tooSmall: () => void): void {
  if (request.headers['content-length'] !== undefined) return;
  limitPieces(request, chunkLimits, tooSmall);
  // Node takes a body that nobody has begun to read when its answer is written away from the stream, where its pieces
  // are not seen. Reading all that has arrived begins to read it.
  response.prependOnceListener('finish', () => {
    if (request.complete || request.readableFlowing === false) return;
    request.read();
    request.resume();
  });
}

/**
 * Makes Node parse nothing more of a connection that is being closed. It would report every request and every chunk of
 * what was read already, thousands in 64 KiB, at up to 10 µs each: those of a few hundred connections stop the event
 * loop for seconds. Node calls `remove` of the parser itself, once the connection is closed.
 */
export function stopParsing(socket: Socket): void {
  const parser: unknown = Reflect.get(socket, 'parser');
  if (typeof parser === 'object' && parser !== null && 'remove' in parser && typeof parser.remove === 'function') {
    parser.remove();
  }
}
