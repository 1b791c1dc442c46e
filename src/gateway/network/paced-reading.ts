import type { Socket } from 'node:net';
import type { Clock } from '../../edges.ts';
import { FairQueue } from '../../rate/fair-queue.ts';

/** Bytes that are parsed at once. */
const pieceBytes = 2 * 1024;

/** Pieces of one connection that are parsed in one iteration of the event loop: most answers have one. */
const piecesPerConnection = 8;

/**
 * Milliseconds of one iteration in which pieces are parsed, of those that waited; and as many of those that did not. A
 * piece of 2 KiB takes 5 µs, or up to 2 ms.
 */
const turn = 5;

/**
 * Bytes of a head, of trailers, and of what stands between the chunks of a body. undici bounds those of names and values,
 * and keeps up to 16,000 empty fields, of which each takes 300 bytes.
 */
const maxBetween = 20 * 1024;

/** The reading of one connection. */
interface Reading {
  iteration: number;
  /** Pieces in that iteration. */
  taken: number;
  /** Bytes since the last piece with a part of a body, or the end of a head or of a response. */
  between: number;
}

/**
 * Reads the connections to targets in small pieces, for a few milliseconds of each iteration of the event loop, targets in
 * turn. A parser of HTTP spends up to 4 µs on six bytes: header fields, trailers and chunks of a letter, and responses
 * that only announce another one (1xx). Of 64 KiB that is 50 ms, for each connection that is ready in the same iteration.
 *
 * A parser that reads a socket calls `read` until there is nothing more, and again after the event `readable`. So `read`,
 * which Node documents for those who consume a stream, is replaced on the socket.
 */
export class PacedReading {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #waiting = new FairQueue<Socket>(Number.POSITIVE_INFINITY);
  #iteration = 0;
  /** The end of the time for pieces; undefined before the first one. */
  #until: number | undefined;
  #scheduled = false;
  /** The one whose piece was read last, and is being parsed. */
  #parsed: Reading | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  /** Call it when the parser has found the end of a head or of a response, or a part of a body. */
  found(): void {
    if (this.#parsed !== undefined) this.#parsed.between = 0;
  }

  /** @param target whose turns the connection takes */
  pace(socket: Socket, target: string): void {
    const read = socket.read.bind(socket);
    const reading: Reading = { iteration: 0, taken: 0, between: 0 };
    socket.read = (size) => {
      if (size !== undefined || socket.readableLength === 0) return read(size);
      // What comes after an error is for nobody, and would be parsed nevertheless.
      if (socket.destroyed) return null;
      if (reading.between > maxBetween) {
        socket.destroy(new Error(tooMuchBetween));
        return null;
      }
      if (!this.#takes(reading)) {
        this.#waiting.add(target, socket);
        return null;
      }
      const bytes = Math.min(pieceBytes, socket.readableLength);
      reading.between += bytes;
      this.#parsed = reading;
      return read(bytes);
    };
    socket.once('close', () => this.#waiting.delete(target, socket));
  }

  /** Takes a piece of a connection, or returns false when it has to wait. */
  #takes(reading: Reading): boolean {
    this.#schedule();
    if (reading.iteration !== this.#iteration) reading.taken = 0;
    reading.iteration = this.#iteration;
    if (reading.taken === piecesPerConnection || this.#isOver()) return false;
    reading.taken += 1;
    return true;
  }

  #isOver(): boolean {
    const now = this.#clock.monotonic();
    this.#until ??= now + turn;
    return now >= this.#until;
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#iteration += 1;
      this.#until = undefined;
      // One that has more than it may read now waits again.
      for (let turns = this.#waiting.size; turns > 0; turns -= 1) {
        if (this.#isOver()) break;
        this.#waiting.next()?.emit('readable');
      }
      this.#until = undefined;
      if (this.#waiting.size > 0) this.#schedule();
    });
  }
}

const tooMuchBetween = `the head of its answer, or what comes between or after the parts of its body, has more than ${maxBetween / 1_024} KiB`;
