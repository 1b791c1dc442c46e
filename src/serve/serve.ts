import { Server } from '@grpc/grpc-js';
import type { Clock, Counters, Logger, Random } from '../edges.ts';
import type { Snapshots } from '../snapshot/model.ts';
import { bind, type Listen, unbind } from './bind.ts';
import { createDelta } from './delta.ts';
import { Health } from './health.ts';
import type { ConnectedClient, NodeStatus } from './model.ts';
import { NodeStream, type NodeStreamParts } from './node-stream.ts';
import { PushQueue } from './push-queue.ts';
import { createStateOfTheWorld } from './state-of-the-world.ts';
import type { Ending } from './stream-end.ts';
import type { Variant } from './variant.ts';

const mebibyte = 1024 * 1024;

export interface AdsServerOptions {
  /** Milliseconds that a node has to answer a response; its stream ends DEADLINE_EXCEEDED then. Default 30,000. */
  readonly ackTimeout?: number;
  /** The largest request in bytes; a larger one ends its stream RESOURCE_EXHAUSTED. Default 32 MiB. */
  readonly maxRequest?: number;
  /** A delta that would be larger is split into several responses; bytes. Default 4 MiB, what gRPC clients accept. */
  readonly maxResponse?: number;
  /** About how many bytes the names of one subscription may take; RESOURCE_EXHAUSTED beyond. Default 4 MiB. */
  readonly maxSubscription?: number;
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

export { type AdminParts, type RunningAdmin, startAdmin } from './admin.ts';

export function createAdsServer(options: AdsServerOptions, parts: AdsServerParts): AdsServer {
  return new GrpcAdsServer(options, parts);
}

class GrpcAdsServer implements AdsServer {
  readonly health: Health;
  readonly #parts: AdsServerParts;
  readonly #streamParts: NodeStreamParts;
  readonly #server: Server;
  readonly #streams = new Set<NodeStream>();
  #bound: Listen | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: AdsServerOptions, parts: AdsServerParts) {
    const { ackTimeout = 30_000, maxSubscription = 4 * mebibyte, maxRequest = 32 * mebibyte } = options;
    this.#parts = parts;
    this.health = new Health(parts.ready);
    this.#streamParts = {
      ...parts,
      limits: { ackTimeout, maxSubscription, maxUnknownTypes: 32 },
      queue: new PushQueue(64),
      ended: (stream, ending) => this.#ended(stream, ending),
    };
    this.#server = new Server({
      'grpc.enable_channelz': 0,
      'grpc.keepalive_time_ms': 30_000,
      'grpc.keepalive_timeout_ms': 10_000,
      'grpc.max_receive_message_length': maxRequest,
    });
    const bodies = {
      maxBody: options.maxResponse ?? 4 * mebibyte,
      cache: 64 * mebibyte,
      assembled: () => parts.counters.count('gatehouse_xds_assemblies_total'),
    };
    this.health.register(this.#server);
    this.#register(createDelta(bodies));
    this.#register(createStateOfTheWorld(bodies));
  }

  async start(listen: Listen): Promise<Listen> {
    this.#bound = await bind(this.#server, listen, 'nodes');
    return this.#bound;
  }

  stop(grace: number): Promise<void> {
    this.#stopping ??= this.#stop(grace);
    return this.#stopping;
  }

  nodes(): readonly NodeStatus[] {
    return [...this.#streams].flatMap((stream) => stream.status() ?? []);
  }

  clients(): readonly ConnectedClient[] {
    return [...this.#streams].flatMap((stream) => stream.client() ?? []);
  }

  #register(variant: Variant): void {
    // Responses are bytes already: whoever put them together encoded them once for everybody.
    const serialize = (response: Buffer): Buffer => response;
    const accept = (call: ConstructorParameters<typeof NodeStream>[0]): void => this.#accept(call, variant);
    this.#server.register(variant.path, accept, serialize, variant.decode, 'bidi');
  }

  #accept(call: ConstructorParameters<typeof NodeStream>[0], variant: Variant): void {
    const stream = new NodeStream(call, variant, this.#streamParts);
    this.#streams.add(stream);
    this.#parts.counters.gauge('gatehouse_xds_streams', this.#streams.size);
    if (this.#stopping !== undefined) stream.end(shuttingDown);
    else if (!this.#parts.ready()) {
      stream.end({ code: 'UNAVAILABLE', message: 'the control plane does not know the whole world yet' });
    }
  }

  #ended(stream: NodeStream, code: Ending): void {
    this.#streams.delete(stream);
    this.#parts.counters.gauge('gatehouse_xds_streams', this.#streams.size);
    this.#parts.counters.count('gatehouse_xds_streams_ended_total', { code });
  }

  #stop(grace: number): Promise<void> {
    const { clock, random } = this.#parts;
    this.health.stop();
    for (const stream of this.#streams) clock.after((random() * grace) / 2, () => stream.end(shuttingDown));
    // A client may keep its connection, or a stream that it does not read, open for ever (rule G10).
    return unbind(this.#server, this.#bound, grace);
  }
}

const shuttingDown = { code: 'UNAVAILABLE', message: 'the control plane is shutting down' } as const;
