import type { Clock, Counters, Random, Stop } from '../../edges.ts';
import { at } from '../../net/timers.ts';
import type { ConnectedClient, NodeStatus, ProtocolVariant } from '../model.ts';
import type { StatusCode, StreamStatus } from '../request/stream-status.ts';
import type { NodeStream } from './node-stream.ts';

/** The maximum age of a stream, so that nodes are spread over the replicas again (rule G8). */
export interface ConnectionAge {
  /** Milliseconds, with a jitter of 10 percent for each stream. 0: unlimited. */
  readonly age: number;
  /** Milliseconds from the GOAWAY to the end of the stream. */
  readonly grace: number;
}

/** The age of streams, and dependencies. */
export interface ConnectionRegistryParts {
  readonly age: ConnectionAge;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
}

/** Registers the open streams, and ends them by age and at shutdown. */
export class ConnectionRegistry {
  readonly #parts: ConnectionRegistryParts;
  /** Each stream with the timer that ends it, by age or by shutdown. */
  readonly #streams = new Map<NodeStream, Stop>();
  readonly #nodes = new Set<NodeStream>();
  readonly #byGateway = new Map<string, Set<NodeStream>>();
  readonly #byVariant: Record<ProtocolVariant, number> = { delta: 0, 'state-of-the-world': 0 };

  constructor(parts: ConnectionRegistryParts) {
    this.#parts = parts;
  }

  add(stream: NodeStream): void {
    this.#streams.set(stream, noTimer);
    this.#parts.counters.gauge('gatehouse_xds_streams', this.#streams.size);
    const { age, grace } = this.#parts.age;
    if (age === 0) return;
    // All nodes may have connected at once, for instance after a restart: with jitter they do not reconnect at once.
    this.#setTimer(stream, age * (0.9 + this.#parts.random() / 5), () => {
      stream.sendGoaway();
      this.#setTimer(stream, grace, () => stream.end(tooOld));
    });
  }

  /** Call it when the first request has named the Gateway of the stream. */
  identified(stream: NodeStream): void {
    if (this.#nodes.has(stream)) return;
    this.#nodes.add(stream);
    const { gateway = '' } = stream;
    const own = this.#byGateway.get(gateway) ?? new Set();
    this.#byGateway.set(gateway, own.add(stream));
    this.#countNode(stream.variant, 1);
  }

  /** Call it when the stream has ended. */
  ended(stream: NodeStream, code: StatusCode): void {
    this.#streams.get(stream)?.();
    this.#streams.delete(stream);
    if (this.#nodes.delete(stream)) this.#forgetNode(stream);
    this.#parts.counters.gauge('gatehouse_xds_streams', this.#streams.size);
    this.#parts.counters.count('gatehouse_xds_streams_ended_total', { code });
  }

  /**
   * Ends every stream, each at a random time (rule G10).
   *
   * @param within milliseconds until the last one ends
   */
  endAll(within: number, end: StreamStatus): void {
    for (const stream of this.#streams.keys()) {
      this.#setTimer(stream, this.#parts.random() * within, () => stream.end(end));
    }
  }

  /** Returns the streams of one Gateway, which may end while they are looked at. */
  of(gateway: string): readonly NodeStream[] {
    return [...(this.#byGateway.get(gateway) ?? [])];
  }

  /** Ends the streams whose identity may not be what it was any more. */
  recheck(revoked: (stream: NodeStream) => StreamStatus | undefined): void {
    for (const stream of [...this.#streams.keys()]) {
      const end = revoked(stream);
      if (end === undefined) stream.recheck();
      else stream.end(end);
    }
  }

  /** @param gateway returns the streams of this Gateway only */
  nodes(gateway?: string): readonly NodeStatus[] {
    const streams = gateway === undefined ? [...this.#nodes] : this.of(gateway);
    return streams.flatMap((stream) => stream.status() ?? []);
  }

  clients(): readonly ConnectedClient[] {
    return [...this.#nodes].flatMap((stream) => stream.client() ?? []);
  }

  #forgetNode(stream: NodeStream): void {
    const { gateway = '' } = stream;
    const own = this.#byGateway.get(gateway);
    own?.delete(stream);
    if (own?.size === 0) this.#byGateway.delete(gateway);
    this.#countNode(stream.variant, -1);
  }

  #countNode(variant: ProtocolVariant, by: 1 | -1): void {
    const { counters } = this.#parts;
    this.#byVariant[variant] += by;
    counters.gauge('gatehouse_xds_nodes', this.#nodes.size);
    counters.gauge('gatehouse_xds_nodes_by_variant', this.#byVariant[variant], { variant });
  }

  /** Replaces the timer of a stream. */
  #setTimer(stream: NodeStream, milliseconds: number, run: () => void): void {
    const { clock } = this.#parts;
    this.#streams.get(stream)?.();
    this.#streams.set(stream, at(clock, clock.now() + milliseconds, run));
  }
}

const tooOld = {
  code: 'UNAVAILABLE',
  message: 'the connection is old; connect again, perhaps to another replica',
} as const;

const noTimer = (): void => {};
