import { lookup } from 'node:dns/promises';
import type { Http2Session } from 'node:http2';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import type { Server } from '@grpc/grpc-js';
import type { Counters, Logger } from '../../edges.ts';
import type { HostPort } from '../../net/host-port.ts';
import { queueTeardown } from '../../net/listener/connection-turns.ts';
import { ListenError } from '../../net/listener/http-listener.ts';
import type { Handshakes } from '../../net/tls/handshakes.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { AcceptQueue, type AcceptQueueParts } from '../limits/accept-queue.ts';
import { settled, shutDown } from './bind.ts';
import { awaitPreface, type Beginning, type PrefaceParts } from './connection-preface.ts';
import type { Http2Server } from './http2-server.ts';

/** Limits of connections, and what happens to those that are accepted. */
export interface ListenerParts extends AcceptQueueParts {
  readonly counters: Counters;
  readonly log: Logger;
  /** Connections that may be open at once, three quarters of them of one address; one beyond is reset. */
  readonly maxConnections: number;
  /** Milliseconds for the first bytes of HTTP/2; the connection is reset then. */
  readonly prefaceTimeout: number;
  /** Returns whether a connection of an address may begin with this many streams. */
  readonly mayOpen: (address: string, streams: number) => boolean;
  /** Called when HTTP/2 has begun on a connection, with what it was asked for. */
  readonly began: (session: Http2Session, streams: number, socket: Socket) => void;
  /** Undefined: connections are plaintext. */
  readonly tls: ListenerTls | undefined;
}

/** TLS on the connections of a listener. */
export interface ListenerTls {
  readonly handshakes: Handshakes;
  /** Whether connections in plaintext are accepted besides, told apart by their first byte. */
  readonly plaintext: boolean;
}

/**
 * What a handshake costs, in connections: 1 ms for a P-256 or RSA-2048 key. So four begin in an iteration of the event
 * loop, and one beside a change.
 */
const handshakeCost = 4;

/** Streams that cost as much as a connection before anything is decided about them: Node takes 60 µs for each. */
const streamsPerConnection = 5;

/**
 * Accepts connections, in plaintext or with TLS, and hands them to the gRPC server one by one: grpc-js alone would begin all that the
 * operating system reports at once (decision 0007).
 */
export class Listener {
  readonly #server: Server;
  readonly #http2: Http2Server;
  readonly #counters: Counters;
  readonly #log: LogThrottle;
  readonly #prefaceParts: PrefaceParts;
  readonly #mayOpen: ListenerParts['mayOpen'];
  readonly #began: ListenerParts['began'];
  readonly #open: Quota;
  readonly #queue: AcceptQueue;
  readonly #tls: ListenerTls | undefined;
  readonly #beginnings: readonly Beginning[];
  /** Connections that wait for their handshake: beside changes at the same rate as connections, in a queue of their own. */
  readonly #handshakeQueue: AcceptQueue;
  /** Connections whose first bytes are awaited. */
  readonly #silent = new Set<Socket>();
  /** The bound ones, by address of the host. */
  #servers: readonly NetServer[] = [];

  constructor(
    server: Server,
    http2: Http2Server,
    { counters, log, maxConnections, prefaceTimeout, mayOpen, began, tls, ...queue }: ListenerParts,
  ) {
    this.#server = server;
    this.#http2 = http2;
    this.#counters = counters;
    this.#log = new LogThrottle(queue.clock, log);
    this.#prefaceParts = { clock: queue.clock, timeout: prefaceTimeout };
    this.#mayOpen = mayOpen;
    this.#began = began;
    this.#open = new Quota(maxConnections);
    this.#queue = new AcceptQueue(queue);
    this.#handshakeQueue = new AcceptQueue(queue);
    this.#tls = tls;
    this.#beginnings = tls === undefined ? ['http2'] : tls.plaintext ? ['http2', 'tls'] : ['tls'];
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
    for (const socket of this.#silent) socket.destroy();
    this.#http2.drain(grace);
    // The server behind the injector never listened: only these listeners know which connections are left.
    return settled([...closed, shutDown(this.#server)], grace);
  }

  /** Returns the bound port: the given one, or the one that was chosen for 0. */
  #listen(host: string, port: number): Promise<number> {
    const server = createServer((socket) => this.#accept(socket));
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

  /**
   * Waits for the first bytes of HTTP/2, then for its turn: until then, a connection costs a socket and no more, and one
   * that the client closes is forgotten.
   */
  #accept(socket: Socket): void {
    // HTTP/2 handles the errors of an accepted connection; one that waits is closed by its error.
    socket.on('error', ignoreError);
    const address = socket.remoteAddress ?? '';
    if (!this.#open.acquire(address)) {
      this.#reject(socket, address, 'too many connections');
      return;
    }
    socket.once('close', () => {
      this.#silent.delete(socket);
      this.#open.release(address);
    });
    this.#silent.add(socket);
    // A thousand connections that were opened at once are late at once.
    this.#endInTurn(socket);
    awaitPreface(socket, this.#beginnings, this.#prefaceParts, {
      arrived: (putBack, beginning) => {
        if (beginning === 'tls' && this.#tls !== undefined) this.#enqueueHandshake(this.#tls, socket, address, putBack);
        else this.#arrived(socket, socket, address, putBack);
      },
      failed: () => this.#reject(socket, address, this.#unexpected()),
    });
  }

  #unexpected(): string {
    if (this.#tls === undefined) return 'no HTTP/2 came in time';
    return this.#tls.plaintext ? 'neither TLS nor HTTP/2 came in time' : 'no TLS came in time';
  }

  /** @param transport what HTTP/2 runs on: the socket itself, or TLS over it */
  #arrived(socket: Socket, transport: Socket, address: string, putBack: () => number): void {
    this.#silent.delete(socket);
    this.#enqueue(this.#queue, transport, address, () => this.#begin(transport, address, putBack()));
  }

  #enqueueHandshake({ handshakes }: ListenerTls, socket: Socket, address: string, putBack: () => number): void {
    this.#enqueue(this.#handshakeQueue, socket, address, () => {
      putBack();
      handshakes.begin(socket, {
        secured: (secure) => {
          this.#counters.count('gatehouse_xds_handshakes_total', { outcome: 'completed' });
          secure.on('error', ignoreError);
          this.#endInTurn(secure);
          awaitPreface(secure, ['http2'], this.#prefaceParts, {
            arrived: (putBackSecure) => this.#arrived(socket, secure, address, putBackSecure),
            failed: () => this.#reject(socket, address, 'no HTTP/2 came in time'),
          });
        },
        failed: (outcome) => {
          this.#counters.count('gatehouse_xds_handshakes_total', { outcome });
          // As usual as a failure is not: a client that is stopped, or a check whether the port is open.
          if (outcome === 'left') return;
          this.#reject(socket, address, outcome === 'refused' ? 'too many handshakes' : 'no TLS handshake succeeded');
        },
        flooded: () => {
          this.#counters.count('gatehouse_xds_connections_closed_total');
          socket.resetAndDestroy();
        },
      });
      return handshakeCost;
    });
  }

  #enqueue(queue: AcceptQueue, socket: Socket, address: string, begin: () => number): void {
    const waiting = {
      address,
      accept: () => {
        socket.off('close', closed);
        return begin();
      },
      reject: () => this.#reject(socket, address, 'too many connections'),
    };
    const closed = (): void => queue.remove(waiting);
    socket.once('close', closed);
    queue.add(waiting);
  }

  #begin(socket: Socket, address: string, streams: number): number {
    if (!this.#mayOpen(address, streams)) {
      this.#reject(socket, address, 'too many streams on new connections');
      return 1;
    }
    const session = this.#http2.begin(socket);
    if (session !== undefined) this.#began(session, streams, socket);
    return 1 + Math.floor(streams / streamsPerConnection);
  }

  /** Makes the teardown of a connection wait; that of its session and streams follows from it. */
  #endInTurn(socket: Socket): void {
    queueTeardown(socket, (tearDown) => this.#queue.close(tearDown));
  }

  #reject(socket: Socket, address: string, reason: string): void {
    this.#counters.count('gatehouse_xds_connections_refused_total');
    this.#log.failed('refused', { reason, message: 'connections are refused', fields: { address } });
    socket.resetAndDestroy();
  }
}

const ignoreError = (): void => {};
