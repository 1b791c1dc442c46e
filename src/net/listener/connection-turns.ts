import type { Server, Socket } from 'node:net';
import type { Clock } from '../../edges.ts';
import { PacedQueue } from '../../rate/paced-queue.ts';
import { stopReading } from '../socket-reads.ts';

/**
 * Connections that begin in one iteration of the event loop, and that end in one. The operating system reports up to a
 * thousand at once, and each takes 50 to 100 µs: all in one iteration, nobody would be answered meanwhile.
 */
const beginsPerIteration = 16;
const endsPerIteration = 32;

/** The part of all new connections that may be of one address. */
const addressShare = 3 / 4;

/** How many connections may begin. */
export interface ConnectionRate {
  /** Per second, of all addresses. */
  readonly rate: number;
  /** At once, after an idle time. */
  readonly burst: number;
}

interface ConnectionTurnsParts extends ConnectionRate {
  readonly clock: Clock;
  /** Called with the address of a connection that waits because of the rate. */
  readonly delayed: (address: string) => void;
}

interface Waiting {
  readonly socket: Socket;
  readonly begin: () => void;
}

/**
 * Begins and ends the connections of a server a few in each iteration of the event loop. Those that begin wait in
 * a fair queue by address, so that a flood of new ones waits for itself; nothing of them is read before. Those of an
 * address have a rate, and all have one, so that a flood takes a part of the processor's time only.
 */
export class ConnectionTurns {
  /** Without a capacity of its own: the listener limits the connections, and one that is closed waits no longer. */
  readonly #beginning: PacedQueue<Waiting>;
  readonly #ending = new Set<() => void>();
  readonly #closedAtOnce = new WeakSet<Socket>();
  #scheduled = false;
  #closed = false;

  /** Takes the connections of a server from its own listener, and passes them on in turn. */
  constructor(server: Server, { rate, burst, clock, delayed }: ConnectionTurnsParts) {
    this.#beginning = new PacedQueue({
      capacity: Number.POSITIVE_INFINITY,
      keyRate: { rate: rate * addressShare, burst: Math.max(1, burst * addressShare) },
      rate: { rate, burst },
      clock,
      ready: () => this.#schedule(),
      delayed,
    });
    // An option of `net.createServer` that `http.createServer` does not pass on.
    Reflect.set(server, 'pauseOnConnect', true);
    const handlers = server.listeners('connection');
    server.removeAllListeners('connection');
    server.on('connection', (socket) => {
      if (socket.destroyed) return;
      if (this.#closed) {
        socket.destroy();
        return;
      }
      this.#wait(socket, () => {
        queueTeardown(socket, (tearDown) => this.#end(socket, tearDown));
        for (const handle of handlers) Reflect.apply(handle, server, [socket]);
        this.#queueEnd(socket);
        socket.resume();
      });
    });
  }

  /** Closes the connections that wait, and those that come: the server knows only those that have begun. */
  close(): void {
    this.#closed = true;
    for (const { socket } of this.#beginning.drain()) socket.destroy();
  }

  /** Resets a connection without a turn: a new one takes its place, which it must not hold any longer. */
  resetNow(socket: Socket): void {
    this.#closedAtOnce.add(socket);
    socket.resetAndDestroy();
  }

  #wait(socket: Socket, begin: () => void): void {
    const address = socket.remoteAddress ?? '';
    const waiting: Waiting = {
      socket,
      begin() {
        socket.off('close', closed);
        begin();
      },
    };
    const closed = (): void => this.#beginning.delete(address, waiting);
    socket.once('close', closed);
    this.#beginning.add(address, waiting);
    this.#schedule();
  }

  /** What HTTP does when the client closes its side, such as the error of a request that is not complete, waits, too. */
  #queueEnd(socket: Socket): void {
    const handlers = socket.listeners('end');
    socket.removeAllListeners('end');
    socket.on('end', () => {
      this.#end(socket, () => {
        if (!socket.destroyed) for (const handle of handlers) Reflect.apply(handle, socket, []);
      });
    });
  }

  #end(socket: Socket, tearDown: () => void): void {
    if (this.#closedAtOnce.has(socket)) {
      tearDown();
    } else {
      this.#ending.add(tearDown);
      this.#schedule();
    }
  }

  #schedule(): void {
    if (this.#scheduled || (!this.#beginning.isReady && this.#ending.size === 0)) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      for (let left = beginsPerIteration; left > 0; left -= 1) this.#beginning.next()?.begin();
      let left = endsPerIteration;
      for (const tearDown of this.#ending) {
        if (left === 0) break;
        left -= 1;
        this.#ending.delete(tearDown);
        tearDown();
      }
      this.#schedule();
    });
  }
}

/**
 * Makes the teardown of a connection wait. What is on it is torn down after the end of `_destroy`, the method that Node
 * documents for implementers of streams. It is replaced on the socket and not on a class, since `net.Server` creates
 * the sockets.
 *
 * @param enqueue called when the connection is closed, with the function that tears it down
 */
export function queueTeardown(socket: Socket, enqueue: (tearDown: () => void) => void): void {
  const destroy = socket._destroy.bind(socket);
  socket._destroy = (error, destroyed) => {
    // Node takes bytes that arrive on a destroyed socket for an error number, and throws where nobody can catch it; it
    // never sees any, since it closes the handle before it returns from `destroy`.
    stopReading(socket);
    enqueue(() => destroy(error, destroyed));
  };
}
