import { Server } from '@grpc/grpc-js';
import type { Clock, Counters, Logger, Random } from '../edges.ts';
import type { Snapshots } from '../snapshot/model.ts';
import { createDelta } from './ads/delta.ts';
import type { AdsProtocol } from './ads/protocol.ts';
import { servedTypes } from './ads/resource-types.ts';
import { createStateOfTheWorld } from './ads/sotw.ts';
import { Admission } from './limits/admission.ts';
import { PushQueue } from './limits/push-queue.ts';
import { Places } from './limits/quota.ts';
import { ReceiveBudget } from './limits/receive-budget.ts';
import { defaultWriteLimits, WriteBudget, type WriteLimits } from './limits/send-budget.ts';
import { Deadlines } from './limits/timeouts.ts';
import type { ConnectedClient, NodeStatus, RejectedResponse } from './model.ts';
import { type ConnectionAge, Fleet } from './node/connection-registry.ts';
import { NodeStream, type NodeStreamParts } from './node/node-stream.ts';
import { Health } from './operators/health.ts';
import type { RequestLimits } from './request/request-cost.ts';
import type { Listen } from './transport/bind.ts';
import type { AdsCall } from './transport/calls.ts';
import { Entrance } from './transport/listener.ts';
import { LoopTurn } from './transport/loop-turn.ts';
import { Door } from './transport/stream-admission.ts';

const mebibyte = 1024 * 1024;

/** More than a name and a version take, and what keeping them does. */
const bytesPerResource = 512;

export interface AdsServerOptions {
  /** Milliseconds that a node has to answer a response; its stream ends DEADLINE_EXCEEDED then. Default 30,000. */
  readonly ackTimeout?: number;
  /** The largest request in bytes; a larger one ends its stream RESOURCE_EXHAUSTED. Default 32 MiB. */
  readonly maxRequest?: number;
  /**
   * A delta that would be larger is split into several responses; bytes. Default 4 MiB, what gRPC clients accept. What
   * cannot be split is sent and logged.
   */
  readonly maxResponse?: number;
  /** About how many bytes the names of one subscription may take; RESOURCE_EXHAUSTED beyond. Default 4 MiB. */
  readonly maxSubscription?: number;
  /**
   * About how many bytes may be taken by the names and versions that a node says it holds, beyond 512 for each resource
   * there is; RESOURCE_EXHAUSTED beyond. Default 16 MiB.
   */
  readonly maxReported?: number;
  /** The replica and its version, as every response says in `control_plane`. Default `gatehouse`. */
  readonly identifier?: string;
  /** Milliseconds after which a silent connection is asked whether it is alive; it has a third of that. Default 30,000. */
  readonly keepalive?: number;
  /**
   * New streams a second. As many may come at once; one that comes above that waits up to a second for its turn, else it
   * ends RESOURCE_EXHAUSTED before a response. A quarter as many on top are for addresses that want little. Default 2,000.
   */
  readonly maxStreamsPerSecond?: number;
  /**
   * How many connections may be open at once; one beyond is closed. And how many streams, three quarters of them at most
   * of one address; one beyond ends RESOURCE_EXHAUSTED. Default 20,000.
   */
  readonly maxConnections?: number;
  /** How long a stream may last; then its node is told to connect anew, and the stream ends UNAVAILABLE. Default for ever. */
  readonly connectionAge?: ConnectionAge;
  /** Milliseconds that a node has to read the end of its stream; then the stream is reset. Default 5,000. */
  readonly linger?: number;
  /** Bytes of unfinished requests that may be held, over all streams; RESOURCE_EXHAUSTED beyond. Default 256 MiB. */
  readonly maxReceiving?: number;
  /** How many bytes may be on their way to nodes at once. */
  readonly write?: Partial<WriteLimits>;
}

export interface AdsServerParts {
  readonly snapshots: Snapshots;
  /** Whether the snapshots are the truth already. Until then every stream ends UNAVAILABLE, before a first response. */
  readonly ready: () => boolean;
  readonly clusterDomain: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
  /** Told of every response that a node refuses. */
  readonly refused?: (refusal: RejectedResponse) => void;
}

/** Serves the snapshots over ADS, in both protocol variants. */
export interface AdsServer {
  /** Binds the port. Rejects when it cannot be had, with a message that names it. */
  start(listen: Listen): Promise<Listen>;
  /**
   * Accepts nobody any more and ends the streams UNAVAILABLE, spread over half of the grace time so that not all nodes
   * go to another replica at once; then closes the connections, by force when the grace time is over.
   *
   * @param grace milliseconds
   */
  stop(grace: number): Promise<void>;
  /** Answered on this port, and by whoever else registers it; to be told when readiness may have changed. */
  readonly health: Health;
  /** Every stream whose first message said which Gateway it belongs to. */
  nodes(): readonly NodeStatus[];
  /** The same streams, resource by resource. */
  clients(): readonly ConnectedClient[];
}

export { type AdminParts, type RunningAdmin, startAdmin } from './operators/admin-listener.ts';

export function createAdsServer(options: AdsServerOptions, parts: AdsServerParts): AdsServer {
  return new GrpcAdsServer(options, parts);
}

class GrpcAdsServer implements AdsServer {
  readonly health: Health;
  readonly #parts: AdsServerParts;
  readonly #streamParts: NodeStreamParts;
  readonly #server: Server;
  readonly #entrance: Entrance;
  readonly #door: Door;
  readonly #fleet: Fleet;
  #stopping: Promise<void> | undefined;

  constructor(options: AdsServerOptions, parts: AdsServerParts) {
    const { maxRequest = 32 * mebibyte, keepalive = 30_000, maxResponse: maxBody = 4 * mebibyte } = options;
    const { maxStreamsPerSecond = 2_000, maxConnections = 20_000, connectionAge = { age: 0, grace: 0 } } = options;
    this.#parts = parts;
    const fleet = new Fleet({ age: connectionAge, ...parts });
    this.#fleet = fleet;
    this.#streamParts = streamPartsOf(options, parts, fleet);
    this.health = new Health(parts.ready, { ...this.#streamParts, ...healthCallLimits });
    const admission = new Admission(parts.clock, maxStreamsPerSecond, 1_000);
    this.#door = new Door(admission, new Places(maxConnections), this.#streamParts, parts.counters);
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': keepalive,
      'grpc.keepalive_timeout_ms': keepalive / 3,
      'grpc.max_receive_message_length': maxRequest,
      // A connection without a stream belongs to nobody; a health checker or a node that comes back opens another.
      'grpc.max_connection_idle_ms': 300_000,
    });
    this.#entrance = new Entrance(this.#server, {
      ...parts,
      rate: maxStreamsPerSecond,
      connections: maxConnections,
      pushing: () => this.#streamParts.queue.busy,
      lastPush: () => this.#streamParts.queue.lastPush,
    });
    const bodies = {
      controlPlane: { identifier: options.identifier ?? 'gatehouse' },
      maxBody,
      limits: requestLimitsOf(options, parts),
      cache: 64 * mebibyte,
      assembled: (type: string, bytes: number) => {
        parts.counters.count('gatehouse_xds_assemblies_total');
        if (bytes > maxBody) parts.log.warn('a response is larger than many nodes accept', { type, bytes, maxBody });
      },
    };
    this.health.register(this.#server);
    this.#register(createDelta(bodies));
    this.#register(createStateOfTheWorld(bodies));
  }

  start(listen: Listen): Promise<Listen> {
    return this.#entrance.start(listen);
  }

  stop(grace: number): Promise<void> {
    this.#stopping ??= this.#stop(grace);
    return this.#stopping;
  }

  nodes(): readonly NodeStatus[] {
    return this.#fleet.nodes();
  }

  clients(): readonly ConnectedClient[] {
    return this.#fleet.clients();
  }

  #register(protocol: AdsProtocol): void {
    // Responses are bytes already: whoever put them together encoded them once for everybody.
    const serialize = (response: Buffer): Buffer => response;
    const enter = (call: AdsCall): void => this.#door.enter(call, () => this.#accept(call, protocol));
    this.#server.register(protocol.path, enter, serialize, protocol.decode, 'bidi');
  }

  #accept(call: AdsCall, protocol: AdsProtocol): void {
    const stream = new NodeStream(call, protocol, this.#streamParts);
    this.#fleet.add(stream);
    if (!this.#parts.ready()) {
      stream.end({ code: 'UNAVAILABLE', message: 'the control plane does not know the whole world yet' });
    }
  }

  #stop(grace: number): Promise<void> {
    this.health.stop();
    this.#door.shut(shuttingDown);
    this.#fleet.disperse(grace / 2, shuttingDown);
    // A client may keep its connection, or a stream that it does not read, open for ever (rule G10).
    return this.#entrance.stop(grace);
  }
}

/** Whoever asks for the health asks in few bytes, and a thousand who watch it are many. */
const healthCallLimits = { maxConcurrent: 1_000, maxRequest: 1_024, requestTimeout: 30_000 };

function requestLimitsOf(
  { maxSubscription: maxNames = 4 * mebibyte, maxReported = 16 * mebibyte }: AdsServerOptions,
  { snapshots }: AdsServerParts,
): RequestLimits {
  return { maxNames, maxReported: () => maxReported + bytesPerResource * snapshots.size() };
}

function streamPartsOf(options: AdsServerOptions, parts: AdsServerParts, fleet: Fleet): NodeStreamParts {
  const { ackTimeout = 30_000, maxSubscription = 4 * mebibyte, linger = 5_000, write = {} } = options;
  const { maxReceiving = 256 * mebibyte } = options;
  const { clock, counters } = parts;
  return {
    ...parts,
    served: servedTypes(parts.snapshots),
    deadlines: new Deadlines(clock, ackTimeout),
    limits: { ackTimeout, maxSubscription, maxUnknownTypes: 32 },
    linger,
    budget: new WriteBudget(clock, { ...defaultWriteLimits, ...write }),
    turn: new LoopTurn(),
    receiving: new ReceiveBudget(maxReceiving),
    queue: new PushQueue({
      slice: 32,
      clock,
      waited: (milliseconds) => counters.observe('gatehouse_xds_queue_seconds', milliseconds / 1_000),
    }),
    cutOff: () => counters.count('gatehouse_xds_cut_offs_total'),
    identified: (stream) => fleet.identified(stream),
    ended: (stream, ending) => fleet.ended(stream, ending),
  };
}

const shuttingDown = { code: 'UNAVAILABLE', message: 'the control plane is shutting down' } as const;
