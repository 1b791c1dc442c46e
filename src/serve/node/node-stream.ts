import type { Counters, Logger, Stop } from '../../edges.ts';
import type { Snapshot, Snapshots, View } from '../../snapshot/model.ts';
import type { Objection } from '../ads/nack.ts';
import type { AdsRequest, Incoming, Variant } from '../ads/protocol.ts';
import { resourceStates } from '../ads/resource-status.ts';
import { type ServedType, unknownType } from '../ads/resource-types.ts';
import { TypeStream, type TypeStreamLimits, type TypeStreamParts } from '../ads/watched-type.ts';
import type { PushQueue } from '../limits/push-queue.ts';
import type { Deadlines, Expiring } from '../limits/timeouts.ts';
import type { ConnectedClient, IdentifiedBy, NodeStatus, Refusal } from '../model.ts';
import { bounded, quoted } from '../request/bounded-text.ts';
import type { Ending, StreamEnd } from '../request/stream-status.ts';
import type { AdsCall } from '../transport/calls.ts';
import { GrpcStream, type GrpcStreamParts } from '../transport/grpc-stream.ts';
import type { Http2Stream } from '../transport/http2-stream.ts';
import { identify, keptNodeInfo } from './identification.ts';

interface NodeStreamLimits extends TypeStreamLimits {
  /** Types without a registration that one stream may ask for. */
  readonly maxUnknownTypes: number;
}

/** Parts that all streams of a server share. */
export interface NodeStreamParts extends GrpcStreamParts {
  readonly snapshots: Snapshots;
  readonly clusterDomain: string;
  readonly log: Logger;
  readonly counters: Counters;
  readonly limits: NodeStreamLimits;
  readonly queue: PushQueue;
  /** The timeouts of first requests and of ACKs, of all streams. */
  readonly deadlines: Deadlines;
  /** The types that are registered, by URL. */
  readonly served: ReadonlyMap<string, ServedType>;
  /** Called once, when the first request has named the Gateway. */
  readonly identified: (stream: NodeStream) => void;
  readonly refused?: (refusal: Refusal) => void;
  /** Called once, when nothing of the stream is left. */
  readonly ended: (stream: NodeStream, ending: Ending) => void;
}

/** The node behind a stream, as its first request names it; later ones are not looked at (rule A5). */
interface Node {
  readonly id: string;
  readonly gateway: string;
  readonly by: IdentifiedBy;
  readonly info: ConnectedClient['node'];
  readonly log: Logger;
  readonly unsubscribe: Stop;
}

/** One ADS stream of one node: identifies its Gateway and runs the exchange of each type that the node watches. */
export class NodeStream {
  readonly #variant: Variant;
  readonly #parts: NodeStreamParts;
  readonly #typeParts: TypeStreamParts;
  readonly #stream: GrpcStream;
  readonly #since: number;
  #node: Node | undefined;
  #snapshot: Snapshot | undefined;
  /** The timeout of the first request; absent once there was one. */
  #firstRequest: Expiring | undefined;
  /** Whether the snapshot is newer than what the types were given to send. */
  #pushPending = false;
  /** In the order of pushes. */
  #types: readonly TypeStream[] = [];
  /** One counter for all types, so that a nonce echoed under the wrong type never matches (rule A14). */
  #nonces = 0;

  constructor(call: AdsCall, stream: Http2Stream, variant: Variant, parts: NodeStreamParts) {
    this.#variant = variant;
    this.#parts = parts;
    this.#since = parts.clock.now();
    this.#typeParts = {
      variant,
      difference: (from, to) => parts.snapshots.diff(from, to),
      clock: parts.clock,
      counters: parts.counters,
      limits: parts.limits,
      deadlines: parts.deadlines,
      room: (bytes) => parts.sendBudget.hasRoom(this, bytes),
      send: (body) => this.#send(body),
      end: (end) => this.end(end),
      objected: (typeUrl, nonce, objection) => this.#tellObjection(typeUrl, nonce, objection),
    };
    this.#stream = new GrpcStream(call, stream, variant.weighing, parts, {
      received: (incoming) => this.#receive(incoming),
      drained: () => this.push(),
      ended: (ending) => this.#release(ending),
    });
    const { ackTimeout } = parts.limits;
    this.#firstRequest = {
      expire: () => this.end({ code: 'DEADLINE_EXCEEDED', message: `no request came within ${ackTimeout} ms` }),
    };
    parts.deadlines.begin(this.#firstRequest);
  }

  /** Sends what changed of each type, in the order of pushes. */
  push(): void {
    this.#pushPending = false;
    try {
      for (const type of this.#types) this.#advance(type);
    } catch (error) {
      this.#fail(error);
    }
  }

  end(end: StreamEnd): void {
    const log = this.#node?.log ?? this.#parts.log.child({ peer: this.#stream.peer });
    // UNAVAILABLE is no fault of a node, and every node of a fleet gets it at once.
    const level = end.code === 'UNAVAILABLE' ? 'info' : 'warn';
    if (this.#stream.open) log[level]('a stream is ended', { code: end.code, reason: end.message });
    this.#stream.end(end);
  }

  /** Sends GOAWAY: the node opens its next stream on another connection, while this one goes on. */
  sendGoaway(): void {
    this.#stream.sendGoaway();
  }

  /** Absent until the first request has named the Gateway. */
  status(): NodeStatus | undefined {
    if (this.#node === undefined || this.#snapshot === undefined) return undefined;
    return {
      id: this.#node.id,
      gateway: this.#node.gateway,
      gatewayExists: this.#snapshot.exists,
      identifiedBy: this.#node.by,
      variety: this.#variant.variety,
      peer: this.#stream.peer,
      connectedSince: this.#since,
      types: this.#types.map((type) => type.status()),
    };
  }

  /** Absent until the first request has named the Gateway. */
  client(): ConnectedClient | undefined {
    if (this.#node === undefined || this.#snapshot === undefined) return undefined;
    const { gateway, info } = this.#node;
    const snapshot = this.#snapshot;
    return {
      node: info,
      gateway,
      resources: () => {
        const types = this.#types.flatMap((type) => type.state(this.#viewOf(type, snapshot)) ?? []);
        return resourceStates(types);
      },
    };
  }

  #receive(incoming: Incoming): void {
    this.#firstRequestReceived();
    if (incoming.kind === 'undecodable') {
      this.#refuse(`the request cannot be decoded: ${incoming.problem}`);
      return;
    }
    if (incoming.kind === 'excessive') {
      this.end(incoming);
      return;
    }
    const { request, bytes } = incoming;
    if (request.typeUrl === '') {
      this.#refuse('the request has no type_url');
      return;
    }
    try {
      this.#answer(request, bytes);
    } catch (error) {
      this.#fail(error);
    }
  }

  #answer(request: AdsRequest, bytes: number): void {
    const snapshot = this.#snapshot ?? this.#open(request, bytes);
    const type = snapshot && this.#typeOf(request.typeUrl);
    if (snapshot === undefined || type === undefined) return;
    type.receive(request, this.#viewOf(type, snapshot));
    // A change that was committed before this request arrived is sent in the order of types, not after its answer (rule E4).
    if (this.#pushPending) this.push();
    else this.#advance(type);
  }

  #firstRequestReceived(): void {
    if (this.#firstRequest === undefined) return;
    this.#parts.deadlines.end(this.#firstRequest);
    this.#firstRequest = undefined;
  }

  /** Identifies the Gateway of the node and subscribes to its snapshots. */
  #open({ node }: AdsRequest, bytes: number): Snapshot | undefined {
    const { snapshots, clusterDomain, log } = this.#parts;
    const { hostNames, authority, peer } = this.#stream;
    const exists = (gateway: string): boolean => snapshots.of(gateway).exists;
    const found = identify({ metadata: node?.metadata, header: hostNames, authority }, { clusterDomain, exists });
    if (found.kind === 'refused') {
      this.end(found);
      return undefined;
    }
    const { gateway, by } = found;
    const id = bounded(node?.id ?? '', 256);
    // Subscribe before reading: a change in between would be lost in the other order (rule I3).
    const unsubscribe = snapshots.subscribe(gateway, (snapshot) => {
      this.#snapshot = snapshot;
      this.#pushPending = true;
      // A stream that can send nothing now does so with the node's next ACK, or when there is room again.
      if (this.#stream.writable && !this.#types.every(({ waiting }) => waiting)) this.#parts.queue.add(this);
    });
    this.#node = {
      id,
      gateway,
      by,
      info: keptNodeInfo(node, bytes),
      unsubscribe,
      log: log.child({ node: id, gateway, peer }),
    };
    this.#snapshot = snapshots.of(gateway);
    this.#parts.identified(this);
    this.#node.log.info('a node is connected', { by, variety: this.#variant.variety, exists: this.#snapshot.exists });
    return this.#snapshot;
  }

  #typeOf(typeUrl: string): TypeStream | undefined {
    const open = this.#types.find(({ served }) => served.type.typeUrl === typeUrl);
    if (open !== undefined) return open;
    const { counters, limits } = this.#parts;
    const registered = this.#parts.served.get(typeUrl);
    if (registered === undefined) {
      counters.count('gatehouse_xds_unknown_types_total');
      if (typeUrl.length > 1024) {
        this.#refuse(`no such type: ${quoted(typeUrl)}`);
        return undefined;
      }
      if (this.#types.filter(({ served }) => !served.registered).length >= limits.maxUnknownTypes) {
        this.end({ code: 'RESOURCE_EXHAUSTED', message: `more than ${limits.maxUnknownTypes} unknown types` });
        return undefined;
      }
    }
    const stream = new TypeStream(registered ?? unknownType(typeUrl), this.#typeParts);
    this.#types = [...this.#types, stream].sort((a, b) => a.served.type.pushOrder - b.served.type.pushOrder);
    return stream;
  }

  #advance(type: TypeStream): void {
    if (this.#stream.writable && this.#snapshot !== undefined) type.advance(this.#viewOf(type, this.#snapshot));
  }

  #viewOf({ served }: TypeStream, snapshot: Snapshot): View {
    return snapshot.views.get(served.type.typeUrl) ?? served.empty;
  }

  #send(body: Buffer): string {
    this.#nonces += 1;
    const nonce = String(this.#nonces);
    this.#stream.send(body, nonce);
    return nonce;
  }

  #refuse(message: string): void {
    this.end({ code: 'INVALID_ARGUMENT', message });
  }

  #tellObjection(typeUrl: string, nonce: string, { refuses, message }: Objection): void {
    if (this.#node === undefined) return;
    const { id, gateway, log } = this.#node;
    if (refuses) {
      log.warn('the node refuses a response', { type: typeUrl, nonce, message });
      this.#parts.refused?.({ gateway, node: id, typeUrl, message });
    } else {
      log.info('the node applied a response, with remarks', { type: typeUrl, nonce, message });
    }
  }

  #release(ending: Ending): void {
    this.#firstRequestReceived();
    this.#node?.unsubscribe();
    this.#parts.queue.delete(this);
    this.#parts.sendBudget.delete(this);
    for (const type of this.#types) type.close();
    this.#node?.log.info('a node is gone', { ending });
    this.#parts.ended(this, ending);
  }

  /** An exception is a bug of ours: it ends this stream and no other. */
  #fail(error: unknown): void {
    this.#parts.log.error('a stream failed', { error, gateway: this.#node?.gateway });
    this.end({ code: 'INTERNAL', message: 'the control plane failed; see its log' });
  }
}
