import type { Socket } from 'node:net';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { FairTurns } from '../../rate/fair-turns.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { startReading, stopReading } from '../socket-reads.ts';
import { every } from '../timers.ts';

/** Milliseconds between two looks at all connections. A look reads two numbers of each. */
const interval = 500;

/** Bytes on the wire for each byte of data: a record adds 22 bytes, and the smallest frame of HTTP/2 has nine. */
const wirePerByte = 4;

/** Bytes on the wire beyond that, at once and in each interval. */
const burst = 64 << 10;
const refill = 128;

/**
 * Secrets of KeyUpdates, of both directions, that a connection may come to between two looks, and all of them together
 * before each is read in turn. A KeyUpdate has 27 bytes and takes 15 µs; OpenSSL sends one after 16 million records.
 */
const maxSecrets = { one: 8, all: 500 };

interface Watched {
  readonly secure: Socket;
  readonly exceeded: () => void;
  wire: number;
  data: number;
  /** Bytes that the connection may send for nothing. */
  left: number;
  /** Secrets of KeyUpdates since the last look. */
  secrets: number;
}

/**
 * Finds connections whose TLS records carry next to nothing after the handshake: floods of KeyUpdate (RFC 8446, section
 * 4.6.3), of empty records and of records of one byte. OpenSSL handles them by itself and tells nobody, so the bytes on
 * the wire are compared with the data that came out of them. KeyUpdates cost most by far, a second for what thirty
 * connections have in their buffers, and it logs the new secrets of each: these are counted while they happen.
 */
export class RecordLimit {
  readonly #clock: Clock;
  readonly #log: LogThrottle;
  readonly #watched = new Map<Socket, Watched>();
  readonly #turns: FairTurns;
  /** Secrets of all connections since the last look, or since they are read in turn. */
  #secrets = 0;
  /** Connections that wait for their turn to be read. */
  readonly #paused = new Set<Socket>();
  #stopTimer: Stop | undefined;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = new LogThrottle(clock, log);
    this.#turns = new FairTurns(clock);
  }

  /**
   * Watches a connection whose handshake is completed, until it is closed.
   *
   * @param exceeded called at most once, when its records carry too little
   */
  watch(socket: Socket, secure: Socket, exceeded: () => void): void {
    if (socket.destroyed) return;
    const { bytesRead: wire } = socket;
    const watched = { secure, exceeded, wire, data: secure.bytesRead, left: burst, secrets: 0 };
    this.#watched.set(socket, watched);
    // After the handshake: only the secrets of KeyUpdates are logged, which honest clients hardly ever send.
    const updated = (): void => {
      watched.secrets += 1;
      this.#secrets += 1;
      if (watched.secrets > maxSecrets.one) {
        secure.off('keylog', updated);
        this.#stopFlood(socket, watched);
      } else if (this.#secrets > maxSecrets.all) {
        this.#readInTurn();
      }
    };
    secure.on('keylog', updated);
    socket.once('close', () => this.#forget(socket));
    this.#stopTimer ??= every(this.#clock, interval, () => this.#look());
  }

  #forget(socket: Socket): void {
    this.#watched.delete(socket);
    if (this.#watched.size > 0) return;
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  /**
   * Called by OpenSSL while it reads: it goes on with the rest of what was read, 64 KiB. So nothing more is read of this
   * connection, and of each other one, which may send the same, in a turn of its own.
   */
  #stopFlood(socket: Socket, watched: Watched): void {
    this.#forget(socket);
    stopReading(socket);
    // Not while OpenSSL uses the connection.
    setImmediate(() => this.#exceed(socket, watched));
    this.#readInTurn();
  }

  /** Reads no connection before its turn. */
  #readInTurn(): void {
    this.#secrets = 0;
    for (const socket of this.#watched.keys()) {
      if (this.#paused.has(socket)) continue;
      this.#paused.add(socket);
      stopReading(socket);
      void this.#turns.next(socket.remoteAddress ?? '').then(() => {
        this.#paused.delete(socket);
        startReading(socket);
      });
    }
  }

  #exceed(socket: Socket, { exceeded }: Watched): void {
    this.#log.failed('records', {
      reason: 'TLS records without data',
      message: 'connections are reset because they send TLS records that carry next to nothing, such as KeyUpdate',
      fields: { address: socket.remoteAddress },
    });
    exceeded();
  }

  #look(): void {
    this.#secrets = 0;
    for (const [socket, watched] of this.#watched) {
      const { bytesRead: wire } = socket;
      const { bytesRead: data } = watched.secure;
      const cost = wire - watched.wire - wirePerByte * (data - watched.data);
      watched.left = Math.min(burst, watched.left + refill - cost);
      watched.wire = wire;
      watched.data = data;
      watched.secrets = 0;
      if (watched.left >= 0) continue;
      this.#forget(socket);
      this.#exceed(socket, watched);
    }
  }
}
