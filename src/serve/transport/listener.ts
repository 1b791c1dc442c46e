import { lookup } from 'node:dns/promises';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Clock, Counters } from '../../edges.ts';
import { Turnstile } from '../limits/accept-queue.ts';
import { ModestPeers, reserved } from '../limits/modest-peers.ts';
import { Pace } from '../limits/pace.ts';
import { type Listen, settled, shutDown } from './bind.ts';

export interface EntranceParts {
  readonly clock: Clock;
  readonly counters: Counters;
  /** About how many connections may come in a second: as many may wait, and a quarter as many that want little. */
  readonly rate: number;
  /** How many may be open at once, at each address; one beyond is closed. */
  readonly connections: number;
  /** Whether changes wait to be sent. */
  readonly pushing: () => boolean;
  /** When a change was sent last, in milliseconds since the epoch. */
  readonly lastPush: () => number;
}

/**
 * Where connections come in, in plaintext. They are accepted here and handed to the gRPC server one by one: grpc-js
 * would begin each as it comes, however many come (docs/decisions/0011).
 */
export class Entrance {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #counters: Counters;
  readonly #connections: number;
  readonly #peers: ModestPeers;
  readonly #turnstile: Turnstile;
  /** One for each address that the host has. */
  #listeners: readonly NetServer[] = [];

  constructor(server: Server, { clock, counters, rate, connections, pushing, lastPush }: EntranceParts) {
    this.#server = server;
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#counters = counters;
    this.#connections = connections;
    this.#peers = new ModestPeers(clock, rate);
    const pace = new Pace(clock, rate, lastPush);
    this.#turnstile = new Turnstile({ places: rate, reserved: Math.ceil(rate * reserved), pushing, pace, clock });
  }

  /** Listens at every address of the host. Rejects when none can be had, with the error of the first. */
  async start({ host, port }: Listen): Promise<Listen> {
    let chosen = port;
    const problems: unknown[] = [];
    for (const { address } of await lookup(host, { all: true })) {
      try {
        chosen = await this.#listen(address, chosen);
      } catch (error) {
        problems.push(error);
      }
    }
    if (this.#listeners.length === 0) throw problems[0];
    return { host, port: chosen };
  }

  /**
   * Accepts nobody any more, and closes each connection once no stream is left on it, by force when the grace time is
   * over.
   *
   * @param grace milliseconds
   */
  stop(grace: number): Promise<void> {
    const closed = this.#listeners.map((listener) => new Promise<void>((resolve) => listener.close(() => resolve())));
    // Those that wait come in, to be told of the end like the others.
    this.#turnstile.open();
    this.#injector.drain(grace);
    // The server behind the injector never listened: only the listeners know which connections are left.
    return settled([...closed, shutDown(this.#server)], grace);
  }

  /** Answers the port, which is another one than 0. */
  #listen(host: string, port: number): Promise<number> {
    // Nothing is read of a connection that waits: it costs a descriptor and no more.
    const listener = createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
    listener.maxConnections = this.#connections;
    listener.on('drop', () => this.#countRefused());
    return new Promise((resolve, reject) => {
      // Of an error after that, such as of one connection that could not be accepted, nobody has to hear.
      listener.on('error', reject);
      listener.listen({ host, port }, () => {
        this.#listeners = [...this.#listeners, listener];
        const bound = listener.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  #accept(socket: Socket): void {
    socket.on('error', nothing);
    const enter = (): void => {
      this.#leaveInTurn(socket);
      socket.resume();
      this.#injector.injectConnection(socket);
    };
    if (this.#turnstile.come(this.#peers.comes(socket.remoteAddress ?? ''), enter)) return;
    this.#countRefused();
    socket.resetAndDestroy();
  }

  #countRefused(): void {
    this.#counters.count('gatehouse_xds_connections_refused_total');
  }

  /** Everything that the end of a connection brings about comes after this. */
  #leaveInTurn(socket: Socket): void {
    const destroy = socket._destroy.bind(socket);
    socket._destroy = (error, destroyed) => this.#turnstile.go(() => destroy(error, destroyed));
  }
}

/** HTTP/2 hears of errors by itself; one of a connection that still waits is of no interest. */
const nothing = (): void => {};
