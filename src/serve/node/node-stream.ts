import type { Counters, Logger, Stop } from '../../edges.ts';
import type { Snapshot, Snapshots, View } from '../../snapshot/model.ts';
import type { ErrorDetail } from '../ads/nack.ts';
import type { AdsProtocol, AdsRequest, Incoming } from '../ads/protocol.ts';
import { resourceStatuses } from '../ads/resource-status.ts';
import { type ServedType, unknownType } from '../ads/resource-types.ts';
import { WatchedType, type WatchedTypeLimits, type WatchedTypeParts } from '../ads/watched-type.ts';
import type { PushQueue } from '../limits/push-queue.ts';
import type { Deadlines, Expiring } from '../limits/timeouts.ts';
import type { ConnectedClient, IdentifiedBy, NodeStatus, RejectedResponse } from '../model.ts';
import { bounded, quoted } from '../request/bounded-text.ts';
import type { Ending, StreamEnd } from '../request/stream-status.ts';
import type { AdsCall } from '../transport/calls.ts';
import { Outlet, type OutletParts } from '../transport/grpc-stream.ts';
import { identify } from './identification.ts';
import { keptIntroduction } from './introduction.ts';

interface NodeStreamLimits extends WatchedTypeLimits {
  /** How many types that nobody registered one stream may ask for. */
  readonly maxUnknownTypes: number;
}

/** What all streams of a server share. */
export interface NodeStreamParts extends OutletParts {
  readonly snapshots: Snapshots;
  readonly clusterDomain: string;
  readonly log: Logger;
  readonly counters: Counters;
  readonly limits: NodeStreamLimits;
  readonly queue: PushQueue;
  /** The waits for requests and for answers, of all streams. */
  readonly deadlines: Deadlines;
  /** The types that are registered, by URL. */
  readonly served: ReadonlyMap<string, ServedType>;
  /** Called once, when it is known whose node it is. */
  readonly identified: (stream: NodeStream) => void;
  readonly refused?: (refusal: RejectedResponse) => void;
  /** Called once, when nothing of the stream is left. */
  readonly ended: (stream: NodeStream, ending: Ending) => void;
}

/** Who is behind a stream, known from its first message on and never looked at again (rule A5). */
interface Node {
  readonly id: string;
  readonly gateway: string;
  readonly by: IdentifiedBy;
  readonly introduction: ConnectedClient['node'];
  readonly log: Logger;
  readonly unsubscribe: Stop;
}

/** One stream of one node: finds its Gateway, and keeps the exchanges about its types going. */
export class NodeStream {
  readonly #protocol: AdsProtocol;
  readonly #parts: NodeStreamParts;
  readonly #typeParts: WatchedTypeParts;
  readonly #outlet: Outlet;
  readonly #since: number;
  #node: Node | undefined;
  #snapshot: Snapshot | undefined;
  /** A stream on which nothing is ever asked is not kept. Absent once something was. */
  #silence: Expiring | undefined;
  /** Whether the snapshot is newer than what the types were given to send. */
  #pushPending = false;
  /** In the order of pushes. */
  #types: readonly WatchedType[] = [];
  /** One counter for all types, so that a nonce echoed under the wrong type never matches (rule A14). */
  #nonces = 0;

  constructor(call: AdsCall, protocol: AdsProtocol, parts: NodeStreamParts) {
    this.#protocol = protocol;
    this.#parts = parts;
    this.#since = parts.clock.now();
    this.#typeParts = {
      protocol,
      difference: (from, to) => parts.snapshots.difference(from, to),
      clock: parts.clock,
      counters: parts.counters,
      limits: parts.limits,
      ackTimers: parts.deadlines,
      mayWrite: (bytes) => parts.budget.room(this, bytes),
      send: (body) => this.#send(body),
      end: (end) => this.end(end),
      onErrorDetail: (typeUrl, nonce, errorDetail) => this.#logErrorDetail(typeUrl, nonce, errorDetail),
    };
    this.#outlet = new Outlet(call, protocol.metering, parts, {
      received: (incoming) => this.#receive(incoming),
      drained: () => this.push(),
      ended: (ending) => this.#release(ending),
    });
    const { ackTimeout } = parts.limits;
    this.#silence = {
      expire: () => this.end({ code: 'DEADLINE_EXCEEDED', message: `no request came within ${ackTimeout} ms` }),
    };
    parts.deadlines.begin(this.#silence);
  }

  /** Sends each type what is new, in the order of pushes. */
  push(): void {
    this.#pushPending = false;
    try {
      for (const type of this.#types) this.#advance(type);
    } catch (error) {
      this.#fail(error);
    }
  }

  end(end: StreamEnd): void {
    const log = this.#node?.log ?? this.#parts.log.child({ peer: this.#outlet.peer });
    // Being unavailable is nobody's fault, and every node of the fleet hears of it.
    const level = end.code === 'UNAVAILABLE' ? 'info' : 'warn';
    if (this.#outlet.open) log[level]('a stream is ended', { code: end.code, reason: end.message });
    this.#outlet.end(end);
  }

  /** Tells the node to open its next stream elsewhere, while this one goes on. */
  retire(): void {
    this.#outlet.retire();
  }

  /** Absent until the first message said who it is. */
  status(): NodeStatus | undefined {
    if (this.#node === undefined || this.#snapshot === undefined) return undefined;
    return {
      id: this.#node.id,
      gateway: this.#node.gateway,
      gatewayExists: this.#snapshot.exists,
      identifiedBy: this.#node.by,
      variety: this.#protocol.variant,
      peer: this.#outlet.peer,
      connectedSince: this.#since,
      types: this.#types.map((type) => type.status()),
    };
  }

  /** Absent until the first message said who it is. */
  client(): ConnectedClient | undefined {
    if (this.#node === undefined || this.#snapshot === undefined) return undefined;
    const { gateway, introduction } = this.#node;
    const snapshot = this.#snapshot;
    return {
      node: introduction,
      gateway,
      resources: () => {
        const types = this.#types.flatMap((type) => type.state(this.#viewOf(type, snapshot)) ?? []);
        return resourceStatuses(types);
      },
    };
  }

  #receive(incoming: Incoming): void {
    this.#endSilence();
    if (incoming.kind === 'undecodable') {
      this.#refuse(`the request cannot be decoded: ${incoming.problem}`);
      return;
    }
    if (incoming.kind === 'limit-exceeded') {
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
    // What was pushed before this request arrived does not overtake it the other way round (rule E4).
    if (this.#pushPending) this.push();
    else this.#advance(type);
  }

  #endSilence(): void {
    if (this.#silence === undefined) return;
    this.#parts.deadlines.end(this.#silence);
    this.#silence = undefined;
  }

  /** Finds the Gateway of the node and begins to follow it. */
  #open({ node }: AdsRequest, bytes: number): Snapshot | undefined {
    const { snapshots, clusterDomain, log } = this.#parts;
    const { hostNames, authority, peer } = this.#outlet;
    const exists = (gateway: string): boolean => snapshots.of(gateway).exists;
    const found = identify({ metadata: node?.metadata, header: hostNames, authority }, { clusterDomain, exists });
    if (found.kind === 'refused') {
      this.end(found);
      return undefined;
    }
    const { gateway, by } = found;
    const id = bounded(node?.id ?? '', 256);
    // Following comes before reading: a change in between would be lost the other way round (rule I3).
    const unsubscribe = snapshots.subscribe(gateway, (snapshot) => {
      this.#snapshot = snapshot;
      this.#pushPending = true;
      // One that can be told nothing now hears of it with its next answer, or when there is room again.
      if (this.#outlet.writable && !this.#types.every(({ waiting }) => waiting)) this.#parts.queue.add(this);
    });
    const introduction = keptIntroduction(node, bytes);
    this.#node = { id, gateway, by, introduction, unsubscribe, log: log.child({ node: id, gateway, peer }) };
    this.#snapshot = snapshots.of(gateway);
    this.#parts.identified(this);
    this.#node.log.info('a node is connected', { by, variety: this.#protocol.variant, exists: this.#snapshot.exists });
    return this.#snapshot;
  }

  #typeOf(typeUrl: string): WatchedType | undefined {
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
    const stream = new WatchedType(registered ?? unknownType(typeUrl), this.#typeParts);
    this.#types = [...this.#types, stream].sort((a, b) => a.served.type.order - b.served.type.order);
    return stream;
  }

  #advance(type: WatchedType): void {
    if (this.#outlet.writable && this.#snapshot !== undefined) type.sendNext(this.#viewOf(type, this.#snapshot));
  }

  #viewOf({ served }: WatchedType, snapshot: Snapshot): View {
    return snapshot.views.get(served.type.typeUrl) ?? served.empty;
  }

  #send(body: Buffer): string {
    this.#nonces += 1;
    const nonce = String(this.#nonces);
    this.#outlet.send(body, nonce);
    return nonce;
  }

  #refuse(message: string): void {
    this.end({ code: 'INVALID_ARGUMENT', message });
  }

  #logErrorDetail(typeUrl: string, nonce: string, { rejects, message }: ErrorDetail): void {
    if (this.#node === undefined) return;
    const { id, gateway, log } = this.#node;
    if (rejects) {
      log.warn('the node refuses a response', { type: typeUrl, nonce, message });
      this.#parts.refused?.({ gateway, node: id, typeUrl, message });
    } else {
      log.info('the node applied a response, with remarks', { type: typeUrl, nonce, message });
    }
  }

  #release(ending: Ending): void {
    this.#endSilence();
    this.#node?.unsubscribe();
    this.#parts.queue.delete(this);
    this.#parts.budget.delete(this);
    for (const type of this.#types) type.close();
    this.#node?.log.info('a node is gone', { ending });
    this.#parts.ended(this, ending);
  }

  /** A bug of ours ends the stream that met it and no other. */
  #fail(error: unknown): void {
    this.#parts.log.error('a stream failed', { error, gateway: this.#node?.gateway });
    this.end({ code: 'INTERNAL', message: 'the control plane failed; see its log' });
  }
}
