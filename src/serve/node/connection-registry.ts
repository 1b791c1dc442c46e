import type { Clock, Counters, Random, Stop } from '../../edges.ts';
import type { ConnectedClient, NodeStatus } from '../model.ts';
import type { Ending, StreamEnd } from '../request/stream-status.ts';
import type { NodeStream } from './node-stream.ts';

/** How long a stream may last, so that the nodes spread anew over the replicas there are (rule G8). */
export interface ConnectionAge {
  /** Milliseconds; each stream gets its own share of 90 to 110 percent. 0: for ever. */
  readonly age: number;
  /** Milliseconds between telling a node to go elsewhere and ending its stream. */
  readonly grace: number;
}

export interface FleetParts {
  readonly age: ConnectionAge;
  readonly clock: Clock;
  readonly random: Random;
  readonly counters: Counters;
}

/** A timer that is further away than this fires at once in Node. */
const longest = 2 ** 31 - 1;

/** The streams that are open. */
export class Fleet {
  readonly #parts: FleetParts;
  /** With each stream, what keeps it from being ended by its age or by a shutdown. */
  readonly #streams = new Map<NodeStream, Stop>();
  readonly #nodes = new Set<NodeStream>();

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  add(stream: NodeStream): void {
    this.#streams.set(stream, nothing);
    this.#parts.counters.gauge('gatehouse_xds_streams', this.#streams.size);
    const { age, grace } = this.#parts.age;
    if (age === 0) return;
    // All nodes of a fleet may have come at once, after a restart for instance: they shall not leave at once.
    this.#after(stream, Math.min(age * (0.9 + this.#parts.random() / 5), longest), () => {
      stream.retire();
      this.#after(stream, grace, () => stream.end(tooOld));
    });
  }

  /** To be told when it is known whose node a stream is. */
  identified(stream: NodeStream): void {
    this.#nodes.add(stream);
    this.#parts.counters.gauge('gatehouse_xds_nodes', this.#nodes.size);
  }

  /** To be told when nothing of a stream is left. */
  ended(stream: NodeStream, code: Ending): void {
    this.#streams.get(stream)?.();
    this.#streams.delete(stream);
    this.#nodes.delete(stream);
    this.#parts.counters.gauge('gatehouse_xds_streams', this.#streams.size);
    this.#parts.counters.gauge('gatehouse_xds_nodes', this.#nodes.size);
    this.#parts.counters.count('gatehouse_xds_streams_ended_total', { code });
  }

  /** Ends all streams, each at a time of its own within so many milliseconds (rule G10). */
  disperse(within: number, end: StreamEnd): void {
    for (const stream of this.#streams.keys()) {
      this.#after(stream, this.#parts.random() * within, () => stream.end(end));
    }
  }

  nodes(): readonly NodeStatus[] {
    return [...this.#nodes].flatMap((stream) => stream.status() ?? []);
  }

  clients(): readonly ConnectedClient[] {
    return [...this.#nodes].flatMap((stream) => stream.client() ?? []);
  }

  /** One stream waits for one thing at a time. */
  #after(stream: NodeStream, milliseconds: number, run: () => void): void {
    this.#streams.get(stream)?.();
    this.#streams.set(stream, this.#parts.clock.after(milliseconds, run));
  }
}

const tooOld = {
  code: 'UNAVAILABLE',
  message: 'the connection is old; connect again, perhaps to another replica',
} as const;

const nothing = (): void => {};
