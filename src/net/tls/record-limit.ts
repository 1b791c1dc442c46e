import type { Socket } from 'node:net';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { every } from '../timers.ts';

/** Milliseconds between two looks at all connections. A look reads two numbers of each. */
const interval = 500;

/** Bytes on the wire for each byte of data: a record adds 22 bytes, and the smallest frame of HTTP/2 has nine. */
const wirePerByte = 4;

/**
 * Bytes on the wire beyond that, at once and in each interval. A KeyUpdate has 27 bytes and takes 10 µs; OpenSSL sends one
 * after 16 million records.
 */
const burst = 64 << 10;
const refill = 128;

interface Watched {
  readonly secure: Socket;
  readonly exceeded: () => void;
  wire: number;
  data: number;
  /** Bytes that the connection may send for nothing. */
  left: number;
}

/**
 * Finds connections whose TLS records carry next to nothing after the handshake: floods of KeyUpdate (RFC 8446, section
 * 4.6.3), of empty records and of records of one byte. OpenSSL handles them by itself and tells nobody, so the bytes on
 * the wire are compared with the data that came out of them.
 */
export class RecordLimit {
  readonly #clock: Clock;
  readonly #log: LogThrottle;
  readonly #watched = new Map<Socket, Watched>();
  #stopTimer: Stop | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = new LogThrottle(clock, log);
  }

  /**
   * Watches a connection whose handshake is completed, until it is closed.
   *
   * @param exceeded called at most once, when its records carry too little
   */
  watch(socket: Socket, secure: Socket, exceeded: () => void): void {
    if (socket.destroyed) return;
    const { bytesRead: wire } = socket;
    this.#watched.set(socket, { secure, exceeded, wire, data: secure.bytesRead, left: burst });
    socket.once('close', () => this.#forget(socket));
    this.#stopTimer ??= every(this.#clock, interval, () => this.#look());
  }

  #forget(socket: Socket): void {
    this.#watched.delete(socket);
    if (this.#watched.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #look(): void {
    for (const [socket, watched] of this.#watched) {
      const { bytesRead: wire } = socket;
      const { bytesRead: data } = watched.secure;
      const cost = wire - watched.wire - wirePerByte * (data - watched.data);
      watched.left = Math.min(burst, watched.left + refill - cost);
      watched.wire = wire;
      watched.data = data;
      if (watched.left >= 0) continue;
      this.#forget(socket);
      this.#log.failed('records', {
        reason: 'TLS records without data',
        message: 'connections are reset because they send TLS records that carry next to nothing, such as KeyUpdate',
        fields: { address: socket.remoteAddress },
      });
      watched.exceeded();
    }
  }
}
