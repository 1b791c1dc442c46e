import { lookup } from 'node:dns/promises';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { type ConnectionInjector, type Server, ServerCredentials } from '@grpc/grpc-js';
import type { Counters } from '../../edges.ts';
import type { HostPort } from '../../net/host-port.ts';
import { ListenError } from '../../net/http-listener.ts';
import { Quota } from '../../rate/quota.ts';
import { AcceptQueue, type AcceptQueueParts } from '../limits/accept-queue.ts';
import { settled, shutDown } from './bind.ts';

export interface ListenerParts extends AcceptQueueParts {
  readonly counters: Counters;
  /** Connections that may be open at once, three quarters of them of one address; one beyond is reset. */
  readonly maxConnections: number;
}

/**
 * Accepts connections in plaintext and hands them to the gRPC server one by one: grpc-js alone would begin all that the
 * operating system reports at once (decision 0007).
 */
export class Listener {
  readonly #server: Server;
  readonly #injector: ConnectionInjector;
  readonly #counters: Counters;
  readonly #open: Quota;
  readonly #queue: AcceptQueue;
  /** The bound ones, by address of the host. */
  #servers: readonly NetServer[] = [];

  constructor(server: Server, { counters, maxConnections, ...queue }: ListenerParts) {
    this.#server = server;
    this.#injector = server.createConnectionInjector(ServerCredentials.createInsecure());
    this.#counters = counters;
    this.#open = new Quota(maxConnections);
    this.#queue = new AcceptQueue(queue);
  }

  /**
   * Listens at every address of the host, on one port.
   *
   * @throws ListenError when none of them can be bound
   */
  async start(at: HostPort): Promise<HostPort> {
    const { host } = at;
    let { port } = at;
    const errors: unknown[] = [];
    const addresses = await lookup(host, { all: true }).catch((error: unknown) => {
      throw new ListenError(at, undefined, error);
    });
    for (const { address } of addresses) {
      try {
        port = await this.#listen(address, port);
      } catch (error) {
        errors.push(error);
      }
    }
    if (this.#servers.length === 0) throw new ListenError(at, undefined, errors[0]);
    return { host, port };
  }

  /**
   * Stops listening and closes each connection once no stream is left on it, by force when the grace time is over.
   *
   * @param grace milliseconds
   */
  stop(grace: number): Promise<void> {
    const closed = this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    // Accepts the connections that wait, so that their streams get a status like all others.
    this.#queue.drain();
    this.#injector.drain(grace);
    // The server behind the injector never listened: only these listeners know which connections are left.
    return settled([...closed, shutDown(this.#server)], grace);
  }

  /** Returns the bound port: the given one, or the one that was chosen for 0. */
  #listen(host: string, port: number): Promise<number> {
    // A connection that waits is not read: it costs a file descriptor and no more.
    const server = createServer({ pauseOnConnect: true }, (socket) => this.#accept(socket));
    return new Promise((resolve, reject) => {
      // Errors after the bind, such as a connection that cannot be accepted, concern that connection alone.
      server.on('error', reject);
      server.listen({ host, port }, () => {
        this.#servers = [...this.#servers, server];
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : port);
      });
    });
  }

  #accept(socket: Socket): void {
    // HTTP/2 handles the errors of an accepted connection; one that waits is closed by its error.
    socket.on('error', ignoreError);
    const address = socket.remoteAddress ?? '';
    if (!this.#open.acquire(address)) {
      this.#reject(socket);
      return;
    }
    socket.once('close', () => this.#open.release(address));
    this.#queue.add({
      address,
      accept: () => {
        this.#queueTeardown(socket);
        socket.resume();
        this.#injector.injectConnection(socket);
      },
      reject: () => this.#reject(socket),
    });
  }

  #reject(socket: Socket): void {
    this.#counters.count('gatehouse_xds_connections_refused_total');
    socket.resetAndDestroy();
  }

  /**
   * Makes the teardown of a connection wait in the accept queue. The teardown of its session and streams follows from
   * the end of `_destroy`, the method that Node documents for implementers of streams. It is replaced on the socket and
   * not on a class, since `net.Server` creates the sockets.
   */
  #queueTeardown(socket: Socket): void {
    const destroy = socket._destroy.bind(socket);
    socket._destroy = (error, destroyed) => this.#queue.close(() => destroy(error, destroyed));
  }
}

const ignoreError = (): void => {};
