import { Server } from '@grpc/grpc-js';
import type { Clock, Counters, Logger, Random, Stop } from '../edges.ts';
import { AggregatedDiscoveryServiceService as ads } from '../gen/envoy/service/discovery/v3/ads.ts';
import type { HostPort } from '../net/host-port.ts';
import { every } from '../net/timers.ts';
import { Quota } from '../rate/quota.ts';
import type { NodeType, Snapshots } from '../snapshot/model.ts';
import { createDelta } from './ads/delta.ts';
import type { AdsProtocol } from './ads/protocol.ts';
import { servedTypes } from './ads/resource-types.ts';
import { createStateOfTheWorld } from './ads/sotw.ts';
import { defaultLimits, type Limits, unaryCallLimits } from './limits/limits.ts';
import { PushQueue } from './limits/push-queue.ts';
import { ReceiveBudget } from './limits/receive-budget.ts';
import { defaultSendLimits, SendBudget } from './limits/send-budget.ts';
import type { ConnectedClient, NodeStatus, RejectedResponse, UpdateObserver } from './model.ts';
import { type ConnectionAge, ConnectionRegistry } from './node/connection-registry.ts';
import { grantedSnapshots } from './node/granted-snapshots.ts';
import { NodeLog } from './node/node-log.ts';
import { NodeStream, type NodeStreamParts } from './node/node-stream.ts';
import { Health } from './operators/health.ts';
import type { RequestLimits } from './request/request-cost.ts';
import { type AdsAuth, type AdsTls, Security } from './security.ts';
import type { AdsCall } from './transport/calls.ts';
import { LoopIteration } from './transport/grpc-stream.ts';
import { Http2Server } from './transport/http2-server.ts';
import { Http2Stream } from './transport/http2-stream.ts';
import { Listener } from './transport/listener.ts';
import { maxHeaders, StreamAdmission } from './transport/stream-admission.ts';

/** Bytes that a node may report per existing resource, in addition: more than a name and a version take. */
const initialVersionsPerResource = 512;

/** Streams that are pushed in one iteration of the event loop: about a millisecond. */
const pushesPerIteration = 32;

/** Milliseconds after a push for which its ACKs have precedence over new connections. */
const busyAfterPush = 1_000;

/** Milliseconds after which a connection without a stream is closed: the most that a node waits between two streams. */
const maxConnectionIdle = 30_000;

/** Milliseconds between two looks at the ends of all identities. Timers measure time, and do not notice that a clock was set. */
const expiryCheckInterval = 30_000;

/** Bytes of encoded responses that are cached for later streams. */
const responseCacheSize = 64 << 20;

/** Limits and times of the server. Absent ones have their defaults, see `limits/limits.ts`. */
export interface AdsServerOptions extends Partial<Omit<Limits, 'send'>> {
  readonly send?: Partial<Limits['send']>;
  /** The replica and its version, sent in `control_plane` of every response. Default `gatehouse`. */
  readonly identifier?: string;
  /** Interval of HTTP/2 PINGs on an idle connection, in milliseconds; the timeout of one is a third. Default 30,000. */
  readonly keepalive?: number;
  /** The maximum age of a stream; beyond, it gets GOAWAY and then ends UNAVAILABLE. Default: unlimited. */
  readonly connectionAge?: ConnectionAge;
}

/** What the server serves, to whom, and its dependencies. */
export interface AdsServerParts {
  readonly snapshots: Snapshots;
  /** Types that no snapshot has: each node has a View of its own. */
  readonly nodeTypes?: readonly NodeType[];
  /** Returns whether the initial state was read. Until then every stream ends UNAVAILABLE, before a response. */
  readonly ready: () => boolean;
  readonly clusterDomain: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly counters: Counters;
  /** Undefined: port 9977 is plaintext. */
  readonly tls: AdsTls | undefined;
  /** Undefined: nobody is asked who he is. */
  readonly auth: AdsAuth | undefined;
  /** Called for every NACK. */
  readonly rejected?: (response: RejectedResponse) => void;
  readonly updates: UpdateObserver | undefined;
}

/** Serves the snapshots over ADS, in both protocol variants. */
export interface AdsServer {
  /**
   * Binds the address. Returns it with the port that was chosen for 0.
   *
   * @throws ListenError
   */
  start(listen: HostPort): Promise<HostPort>;
  /**
   * Stops listening and ends the streams UNAVAILABLE, spread over half of the grace time so that not all nodes connect
   * to another replica at once; then closes the connections, by force when the grace time is over.
   *
   * @param grace milliseconds
   */
  stop(grace: number): Promise<void>;
  /**
   * The gRPC health service of this server; other servers may register it as well. Call `changed` after readiness may
   * have changed.
   */
  readonly health: Health;
  /** Ends the streams of these Gateways whose identity may not be their node any more. Call it when bindings have changed. */
  recheck(gateways: readonly string[]): void;
  /** Returns the status of every stream that has identified its Gateway, or of those of one Gateway. */
  nodes(gateway?: string): readonly NodeStatus[];
  /** Returns the same streams for CSDS, resource by resource. */
  clients(): readonly ConnectedClient[];
}

export { accountOfUser } from './auth/identity.ts';
export type { KeySet } from './auth/key-set-verifier.ts';
export type { VerifyToken } from './auth/token-cache.ts';
export { type AdminParts, type RunningAdmin, startAdmin } from './operators/admin-listener.ts';
export type { AdsAuth, AdsTls } from './security.ts';

/** Loads what verifies tokens with known keys: most servers do not, and its package costs start-up time. */
export const loadKeySetVerifier = (): Promise<typeof import('./auth/key-set-verifier.ts')> =>
  import('./auth/key-set-verifier.ts');

/** Creates an ADS server that does not listen yet. */
export function createAdsServer(options: AdsServerOptions, parts: AdsServerParts): AdsServer {
  return new GrpcAdsServer(options, parts);
}

class GrpcAdsServer implements AdsServer {
  readonly health: Health;
  readonly #parts: AdsServerParts;
  readonly #streamParts: NodeStreamParts;
  readonly #server: Server;
  readonly #listener: Listener;
  readonly #admission: StreamAdmission;
  readonly #registry: ConnectionRegistry;
  readonly #security: Security;
  #stopExpiryCheck: Stop = () => {};
  #stopping: Promise<void> | undefined;

  constructor(options: AdsServerOptions, parts: AdsServerParts) {
    const limits = limitsOf(options);
    const { keepalive = 30_000, connectionAge = { age: 0, grace: 0 } } = options;
    const { clock } = parts;
    this.#parts = parts;
    this.#registry = new ConnectionRegistry({ age: connectionAge, ...parts });
    const shared = streamPartsOf(limits, parts, this.#registry);
    this.#security = new Security({
      ...parts,
      nodeLog: shared.nodeLog,
      handshakeTimeout: limits.prefaceTimeout,
      guarded: new Set([ads.deltaAggregatedResources.path, ads.streamAggregatedResources.path]),
    });
    const rules = { clusterDomain: parts.clusterDomain, bindings: this.#security.bindings };
    this.#streamParts = { ...shared, rules, denied: (claim) => this.#security.denied(claim) };
    this.health = new Health(parts.ready, { clock, linger: limits.linger, ...unaryCallLimits });
    const busy = (): boolean => this.#streamParts.queue.busy(busyAfterPush);
    this.#admission = new StreamAdmission({ ...limits, ...parts, busy });
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': keepalive,
      'grpc.keepalive_timeout_ms': keepalive / 3,
      'grpc.max_receive_message_length': limits.maxRequest,
      // A connection without a stream belongs to no node: a health checker or a returning node opens another.
      'grpc.max_connection_idle_ms': maxConnectionIdle,
    });
    const http2Limits = { maxStreams: limits.maxStreamsPerConnection, maxHeaders };
    const http2 = new Http2Server(this.#server, http2Limits, this.#security.gate(this.#admission));
    this.#listener = new Listener(this.#server, http2, {
      ...limits,
      ...parts,
      capacity: limits.maxStreamsPerSecond,
      busyRate: { rate: limits.busyAcceptRate, burst: limits.busyAcceptBurst },
      busy,
      mayOpen: (address, streams) => this.#admission.mayOpen(address, streams),
      began: (session, streams, socket) => {
        this.#admission.began(session, streams);
        this.#security.began(session, socket);
      },
      tls: this.#security.tls,
    });
    this.health.register(this.#server);
    const responses = responseOptionsOf(options, limits, parts);
    this.#register(createDelta(responses));
    this.#register(createStateOfTheWorld(responses));
    this.#security.onAuthoritiesReplaced(() => this.#recheckAll());
  }

  recheck(gateways: readonly string[]): void {
    for (const gateway of gateways) for (const stream of this.#registry.of(gateway)) stream.recheck();
  }

  start(listen: HostPort): Promise<HostPort> {
    const { auth, clock } = this.#parts;
    if (auth !== undefined) this.#stopExpiryCheck = every(clock, expiryCheckInterval, () => this.#recheckAll());
    return this.#listener.start(listen);
  }

  stop(grace: number): Promise<void> {
    this.#stopping ??= this.#stop(grace);
    return this.#stopping;
  }

  nodes(gateway?: string): readonly NodeStatus[] {
    return this.#registry.nodes(gateway);
  }

  clients(): readonly ConnectedClient[] {
    return this.#registry.clients();
  }

  #recheckAll(): void {
    this.#registry.recheck((stream) => this.#security.revoked(stream.identity));
  }

  #register(protocol: AdsProtocol): void {
    // Responses are bytes already, encoded once for all streams.
    const serialize = (response: Buffer): Buffer => response;
    const start = (call: AdsCall): void => this.#start(call, protocol);
    this.#server.register(protocol.path, start, serialize, protocol.decode, 'bidi');
  }

  #start(call: AdsCall, protocol: AdsProtocol): void {
    const http2Stream = new Http2Stream(call);
    const identity = this.#security.identityOf(http2Stream.key);
    const stream = new NodeStream(call, http2Stream, identity, protocol, this.#streamParts);
    this.#registry.add(stream);
    if (!this.#parts.ready()) {
      stream.end({ code: 'UNAVAILABLE', message: 'the control plane does not know the whole world yet' });
    }
  }

  #stop(grace: number): Promise<void> {
    this.health.stop();
    this.#stopExpiryCheck();
    this.#admission.close(shuttingDown);
    this.#registry.endAll(grace / 2, shuttingDown);
    // A client may keep its connection, or a stream that it does not read, open without end (rule G10).
    return this.#listener.stop(grace);
  }
}

function limitsOf({ send, ...options }: AdsServerOptions): Limits {
  const { maxConnections = defaultLimits.maxConnections } = options;
  return { ...defaultLimits, maxStreams: maxConnections, ...options, send: { ...defaultSendLimits, ...send } };
}

function responseOptionsOf(
  { identifier = 'gatehouse' }: AdsServerOptions,
  { maxResponse: maxBody, maxSubscription: maxNames, maxInitialVersions }: Limits,
  { snapshots, counters, log }: AdsServerParts,
): Parameters<typeof createDelta>[0] {
  const limits: RequestLimits = {
    maxNames,
    maxInitialVersions: () => maxInitialVersions + initialVersionsPerResource * snapshots.size(),
  };
  return {
    controlPlane: { identifier },
    maxBody,
    limits,
    cache: responseCacheSize,
    assembled: ({ typeUrl: type, updateOrder }, bytes) => {
      counters.count('gatehouse_xds_assemblies_total');
      const accepted = updateOrder?.maxResponse ?? maxBody;
      if (bytes > accepted) log.warn('a response is larger than many nodes accept', { type, bytes, maxBody: accepted });
    },
  };
}

function streamPartsOf(
  limits: Limits,
  parts: AdsServerParts,
  registry: ConnectionRegistry,
): Omit<NodeStreamParts, 'rules' | 'denied'> {
  const { clock, counters } = parts;
  return {
    clock,
    counters,
    log: parts.log,
    ...(parts.rejected && { rejected: parts.rejected }),
    updates: parts.updates,
    snapshots: grantedSnapshots(parts.snapshots),
    served: servedTypes(parts.snapshots, parts.nodeTypes ?? []),
    limits,
    linger: limits.linger,
    sendBudget: new SendBudget(clock, limits.send),
    names: new Quota(limits.maxSubscriptions),
    nodeLog: new NodeLog(clock, parts.log),
    iteration: new LoopIteration(),
    receiveBudget: new ReceiveBudget(limits.maxUnfinishedRequests),
    queue: new PushQueue({
      slice: pushesPerIteration,
      clock,
      waited: (milliseconds) => counters.observe('gatehouse_xds_queue_seconds', milliseconds / 1_000),
    }),
    wasReset: () => counters.count('gatehouse_xds_cut_offs_total'),
    identified: (stream) => registry.identified(stream),
    ended: (stream, ending) => registry.ended(stream, ending),
  };
}

const shuttingDown = { code: 'UNAVAILABLE', message: 'the control plane is shutting down' } as const;
