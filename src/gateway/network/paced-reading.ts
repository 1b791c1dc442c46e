import type { Socket } from 'node:net';
import { FairQueue } from '../../rate/fair-queue.ts';

/** Bytes that are parsed at once. */
const pieceBytes = 4 * 1024;

/** Pieces that are parsed in one iteration of the event loop, and those of one connection: most answers have one. */
const piecesPerIteration = 24;
const piecesPerConnection = 4;

/**
 * Reads the connections to targets in small pieces, a few in each iteration of the event loop, targets in turn. A parser
 * of HTTP spends up to 4 µs on six bytes: header fields, trailers and chunks of a letter, and responses that only announce
 * another one (1xx). Of 64 KiB that is 50 ms, for each connection that is ready in the same iteration.
 *
 * A parser that reads a socket calls `read` until there is nothing more, and again after the event `readable`. So `read`,
 * which Node documents for those who consume a stream, is replaced on the socket.
 */
export class PacedReading {
  readonly #waiting = new FairQueue<Socket>(Number.POSITIVE_INFINITY);
  #iteration = 0;
  #left = piecesPerIteration;
  #scheduled = false;

  /** @param target whose turns the connection takes */
  pace(socket: Socket, target: string): void {
    const read = socket.read.bind(socket);
    let iteration = 0;
    let taken = 0;
    socket.read = (size) => {
      if (size !== undefined || socket.readableLength === 0) return read(size);
      // What comes after an error is for nobody, and would be parsed nevertheless.
      if (socket.destroyed) return null;
      this.#schedule();
      if (iteration !== this.#iteration) taken = 0;
      iteration = this.#iteration;
      if (this.#left === 0 || taken === piecesPerConnection) {
        this.#waiting.add(target, socket);
        return null;
      }
      this.#left -= 1;
      taken += 1;
      return read(Math.min(pieceBytes, socket.readableLength));
    };
    socket.once('close', () => this.#waiting.delete(target, socket));
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#iteration += 1;
      this.#left = piecesPerIteration;
      // One that has more than it may read now waits again.
      for (let turns = this.#waiting.size; turns > 0 && this.#left > 0; turns -= 1)
        this.#waiting.next()?.emit('readable');
    });
  }
}
