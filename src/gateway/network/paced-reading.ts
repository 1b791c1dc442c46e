import type { Socket } from 'node:net';
import type { Clock } from '../../edges.ts';
import { queueTeardown } from '../../net/listener/connection-turns.ts';
import { TimedQueue } from '../../rate/timed-queue.ts';

/** Bytes that are parsed at once. */
const pieceBytes = 2 * 1024;

/** Pieces of one connection that are parsed in one iteration of the event loop: most answers have one. */
const piecesPerConnection = 8;

/**
 * Bytes of a head, of trailers, and of what stands between the chunks of a body. undici bounds those of names and values,
 * and keeps up to 16,000 empty fields, of which each takes 300 bytes.
 */
const maxBetween = 20 * 1024;

/** A step of the end of a connection that waits for its turn. */
interface Ending {
  readonly step: () => void;
}

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
 * which Node documents for those who consume a stream, is replaced on the socket; and `push`, which it documents for those
 * who implement one, for the end of what is received: with that the parser makes an error, and ends the request.
 */
export class PacedReading {
  /** A piece of 2 KiB takes 5 µs, or up to 2 ms. */
  readonly #turns: TimedQueue<Socket>;
  /** A target with a thousand streams may close them at once, each of which takes 0.1 ms. */
  readonly #ends: TimedQueue<Ending>;
  /** The one whose piece was read last, and is being parsed. */
  #parsed: Reading | undefined;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#turns = new TimedQueue<Socket>(clock, (socket) => void socket.emit('readable'));
    this.#ends = new TimedQueue<Ending>(clock, ({ step }) => step());
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
        this.#turns.add(target, socket);
        return null;
      }
      const bytes = Math.min(pieceBytes, socket.readableLength);
      reading.between += bytes;
      this.#parsed = reading;
      return read(bytes);
    };
    socket.once('close', () => this.#turns.delete(target, socket));
    const push = socket.push.bind(socket);
    socket.push = (chunk, encoding) => {
      if (chunk !== null) return push(chunk, encoding);
      this.#end(target, () => void push(null));
      return false;
    };
    queueTeardown(socket, (tearDown) => this.#end(target, tearDown));
  }

  /** Takes a step of the end of a connection, now or in its turn. */
  #end(target: string, step: () => void): void {
    if (!this.#ends.isWaiting && this.#ends.hasTime()) step();
    else this.#ends.add(target, { step });
  }

  /** Takes a piece of a connection, or returns false when it has to wait. */
  #takes(reading: Reading): boolean {
    const hasTime = this.#turns.hasTime();
    if (reading.iteration !== this.#turns.iteration) reading.taken = 0;
    reading.iteration = this.#turns.iteration;
    if (reading.taken === piecesPerConnection || !hasTime) return false;
    reading.taken += 1;
    return true;
  }
}

const tooMuchBetween = `the head of its answer, or what comes between or after the parts of its body, has more than ${maxBetween / 1_024} KiB`;
