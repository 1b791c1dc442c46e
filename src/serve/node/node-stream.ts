import type { Counters, Fields, Logger, Stop } from '../../edges.ts';
import { quoted, shortened } from '../../json/quoted.ts';
import { at } from '../../net/timers.ts';
import type { Quota } from '../../rate/quota.ts';
import type { Snapshot, View } from '../../snapshot/model.ts';
import type { ErrorDetail } from '../ads/nack.ts';
import type { AdsProtocol, AdsRequest, Incoming } from '../ads/protocol.ts';
import { resourceStatuses } from '../ads/resource-status.ts';
import { type ServedType, unknownType } from '../ads/resource-types.ts';
import { WatchedType, type WatchedTypeLimits, type WatchedTypeParts } from '../ads/watched-type.ts';
import { accountName, type Identity } from '../auth/identity.ts';
import type { PushQueue } from '../limits/push-queue.ts';
import type { SendBudget } from '../limits/send-budget.ts';
import type { ConnectedClient, NodeStatus, ProtocolVariant, RejectedResponse, UpdateObserver } from '../model.ts';
import { bounded } from '../request/bounded-text.ts';
import type { StatusCode, StreamStatus } from '../request/stream-status.ts';
import { type AdsCall, addressOf } from '../transport/calls.ts';
import { GrpcStream, type GrpcStreamParts } from '../transport/grpc-stream.ts';
import type { Http2Stream } from '../transport/http2-stream.ts';
import { type Denied, Grant, type GrantRules } from './grant.ts';
import type { GrantedSnapshots } from './granted-snapshots.ts';
import { keptNodeInfo } from './identification.ts';
import type { NodeLog } from './node-log.ts';

interface NodeStreamLimits extends WatchedTypeLimits {
  /** Unregistered types that one stream may request. */
  readonly maxUnknownTypes: number;
}

/** Parts that all streams of a server share. */
export interface NodeStreamParts extends GrpcStreamParts {
  readonly snapshots: GrantedSnapshots;
  readonly rules: Omit<GrantRules, 'exists'>;
  readonly log: Logger;
  readonly nodeLog: NodeLog;
  readonly counters: Counters;
  readonly limits: NodeStreamLimits;
  readonly queue: PushQueue;
  readonly sendBudget: SendBudget;
  /** Bytes that the names of all subscriptions take, by address. */
  readonly names: Quota;
  /** The types that are registered, by URL. */
  readonly served: ReadonlyMap<string, ServedType>;
  /** Called once, when the first request has named the Gateway. */
  readonly identified: (stream: NodeStream) => void;
  readonly rejected?: (response: RejectedResponse) => void;
  /** Called with each claim of a node that its identity does not allow. */
  readonly denied: (claim: Denied) => void;
  readonly updates: UpdateObserver | undefined;
  /** Called once, when the stream has ended. */
  readonly ended: (stream: NodeStream, ending: StatusCode) => void;
}

/** The node of a stream, from its first request; the `node` of later ones is ignored (rule A5). */
interface Node {
  readonly id: string;
  readonly grant: Grant;
  readonly info: ConnectedClient['node'];
  readonly log: Logger;
  readonly unsubscribe: Stop;
}

/** One ADS stream of one node: identifies its Gateway and runs the exchange of each type that the node watches. */
export class NodeStream {
  readonly #protocol: AdsProtocol;
  readonly #parts: NodeStreamParts;
  readonly #typeParts: WatchedTypeParts;
  readonly #stream: GrpcStream;
  readonly #since: number;
  readonly #address: string;
  readonly #identity: Identity;
  readonly #stopExpiry: Stop;
  #node: Node | undefined;
  #snapshot: Snapshot | undefined;
  /** Stops the timeout of the first request; undefined after that request. */
  #stopFirstRequestTimer: Stop | undefined;
  /** True if the snapshot has changed since the last push. */
  #pushPending = false;
  /** In push order. */
  #types: readonly WatchedType[] = [];
  /** One counter for all types, so that a nonce echoed under the wrong type never matches (rule A14). */
  #nonces = 0;

  constructor(call: AdsCall, stream: Http2Stream, identity: Identity, protocol: AdsProtocol, parts: NodeStreamParts) {
    this.#identity = identity;
    this.#protocol = protocol;
    this.#parts = parts;
    this.#since = parts.clock.now();
    this.#address = addressOf(call);
    this.#typeParts = {
      protocol,
      diff: (from, to) => parts.snapshots.diff(from, to),
      clock: parts.clock,
      counters: parts.counters,
      limits: parts.limits,
      updates: parts.updates,
      reserve: (bytes) => parts.sendBudget.reserve(this, bytes),
      countNames: (before, after) => this.#countNames(before, after),
      send: (body) => this.#send(body),
      end: (end) => this.end(end),
      onErrorDetail: (typeUrl, nonce, errorDetail) => this.#logErrorDetail(typeUrl, nonce, errorDetail),
    };
    this.#stream = new GrpcStream(call, stream, protocol.metering, parts, {
      received: (incoming) => this.#receive(incoming),
      drained: () => this.push(),
      ended: (ending) => this.#release(ending),
    });
    this.#stopExpiry =
      identity.kind === 'unauthenticated' ? noTimer : at(parts.clock, identity.expires, () => this.end(expired));
    const { ackTimeout } = parts.limits;
    this.#stopFirstRequestTimer = parts.clock.after(ackTimeout, () =>
      this.end({ code: 'DEADLINE_EXCEEDED', message: `no request came within ${ackTimeout} ms` }),
    );
  }

  /** Sends the changes of each type, in push order. */
  push(): void {
    this.#pushPending = false;
    try {
      for (const type of this.#types) this.#sendNext(type);
    } catch (error) {
      this.#fail(error);
    }
  }

  end(end: StreamStatus): void {
    const log = this.#node?.log ?? this.#parts.log.child({ peer: this.#stream.peer });
    // UNAVAILABLE is not the fault of a node, and all nodes may get it at once.
    const level = end.code === 'UNAVAILABLE' ? 'info' : 'warn';
    if (this.#stream.open) this.#log(log, level, 'a stream is ended', { code: end.code, reason: end.message });
    this.#stream.end(end);
  }

  /**
   * Ends the stream if its identity may not be a node of its Gateway any more. Call it after a change of the rules, and
   * now and then: the timer of its expiry knows nothing of a clock that was set forward.
   */
  recheck(): void {
    try {
      const end = this.#lapsed();
      if (end !== undefined) this.end(end);
    } catch (error) {
      // Other streams are asked after it, and must not keep what they have lost.
      this.#fail(error);
    }
  }

  /** Who the stream belongs to. */
  get identity(): Identity {
    return this.#identity;
  }

  /** Sends GOAWAY: the node opens its next stream on another connection, while this one continues. */
  sendGoaway(): void {
    this.#stream.sendGoaway();
  }

  /** The Gateway; undefined until the first request has named it. */
  get gateway(): string | undefined {
    return this.#node?.grant.gateway;
  }

  get variant(): ProtocolVariant {
    return this.#protocol.variant;
  }

  /** Returns undefined until the first request has named the Gateway. */
  status(): NodeStatus | undefined {
    if (this.#node === undefined || this.#snapshot === undefined) return undefined;
    return {
      id: this.#node.id,
      gateway: this.#node.grant.gateway,
      gatewayExists: this.#snapshot.exists,
      identifiedBy: this.#node.grant.by,
      ...(this.#identity.kind === 'service-account' && { serviceAccount: accountName(this.#identity.account) }),
      variety: this.#protocol.variant,
      peer: this.#stream.peer,
      connectedSince: this.#since,
      types: this.#types.map((type) => type.status()),
    };
  }

  /** Returns undefined until the first request has named the Gateway. */
  client(): ConnectedClient | undefined {
    if (this.#node === undefined || this.#snapshot === undefined) return undefined;
    const { grant, info } = this.#node;
    const snapshot = this.#snapshot;
    return {
      node: info,
      gateway: grant.gateway,
      resources: () => {
        const types = this.#types.flatMap((type) => type.state(this.#viewOf(type, snapshot)) ?? []);
        return resourceStatuses(types);
      },
    };
  }

  #receive(incoming: Incoming): void {
    this.#firstRequestReceived();
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
    const node = this.#node ?? this.#open(request, bytes);
    const type = node && this.#typeOf(request.typeUrl, node);
    if (this.#snapshot === undefined || type === undefined) return;
    type.receive(request, this.#viewOf(type, this.#snapshot));
    // A change committed before this request arrived is sent in the order of types, not after its answer (rule E4).
    if (this.#pushPending) this.push();
    else this.#sendNext(type);
  }

  #firstRequestReceived(): void {
    this.#stopFirstRequestTimer?.();
    this.#stopFirstRequestTimer = undefined;
  }

  /** Identifies the Gateway of the node and subscribes to its snapshots. */
  #open({ node }: AdsRequest, bytes: number): Node | undefined {
    const { snapshots, rules, log } = this.#parts;
    const { hostNames, authority, peer } = this.#stream;
    const claims = { metadata: node?.metadata, header: hostNames, authority };
    const decision = Grant.decide(this.#identity, claims, { ...rules, exists: snapshots.exists });
    if (decision.kind === 'refused') {
      if (decision.code === 'PERMISSION_DENIED') this.#parts.denied(decision);
      this.end({ code: decision.code, message: decision.message });
      return undefined;
    }
    const { grant } = decision;
    const { gateway } = grant;
    const id = bounded(node?.id ?? '', 256);
    // Subscribe before reading: a change in between would be lost in the other order (rule I3).
    const unsubscribe = snapshots.subscribe(grant, (snapshot) => {
      this.#snapshot = snapshot;
      this.#pushPending = true;
      // A stream that can send nothing now does so with the node's next ACK, or when there is room again.
      if (this.#stream.writable && !this.#types.every(({ waiting }) => waiting)) this.#parts.queue.add(this);
    });
    this.#node = {
      id,
      grant,
      info: keptNodeInfo(node, bytes),
      unsubscribe,
      log: log.child({ node: id, gateway, peer }),
    };
    this.#snapshot = snapshots.of(grant);
    this.#parts.identified(this);
    this.#logConnected(this.#node, this.#snapshot);
    return this.#node;
  }

  /** A node of a Gateway that does not exist is told, because it gets empty answers until it does. */
  #logConnected({ log, grant }: Node, { exists }: Snapshot): void {
    const { gateway, by } = grant;
    this.#log(log, 'info', 'a node is connected', { by, variety: this.#protocol.variant, exists });
    if (exists) return;
    this.#stream.sendHeader('gatehouse-unknown-gateway', gateway);
    this.#log(log, 'warn', 'a node names a Gateway that does not exist: it is served nothing until it does', { by });
  }

  #typeOf(typeUrl: string, node: Node): WatchedType | undefined {
    const open = this.#types.find(({ served }) => served.type.typeUrl === typeUrl);
    if (open !== undefined) return open;
    const { counters, limits, snapshots } = this.#parts;
    const registered = this.#parts.served.get(typeUrl);
    // A type may be computed from now on, and then the snapshot has another View.
    if (!snapshots.request(typeUrl)) {
      this.end({ code: 'UNAVAILABLE', message: 'a large change is being applied: ask again in a moment' });
      return undefined;
    }
    this.#snapshot = snapshots.of(node.grant);
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
    const served = registered?.forNode?.(node.info) ?? registered ?? unknownType(typeUrl);
    const stream = new WatchedType(served, this.#typeParts);
    this.#types = [...this.#types, stream].sort((a, b) => a.served.type.pushOrder - b.served.type.pushOrder);
    return stream;
  }

  #sendNext(type: WatchedType): void {
    if (this.#stream.writable && this.#snapshot !== undefined) type.sendNext(this.#viewOf(type, this.#snapshot));
  }

  #viewOf({ served }: WatchedType, snapshot: Snapshot): View {
    return served.own?.view ?? snapshot.views.get(served.type.typeUrl) ?? served.empty;
  }

  #send(body: Buffer): string {
    this.#nonces += 1;
    const nonce = String(this.#nonces);
    this.#stream.send(body, nonce);
    return nonce;
  }

  #countNames(before: number, after: number): boolean {
    const { names } = this.#parts;
    if (after > before) return names.acquire(this.#address, after - before);
    names.release(this.#address, before - after);
    return true;
  }

  #log(log: Logger, level: 'info' | 'warn', message: string, fields: Fields): void {
    this.#parts.nodeLog.write(this.#address, log, level, message, fields);
  }

  #refuse(message: string): void {
    this.end({ code: 'INVALID_ARGUMENT', message });
  }

  #logErrorDetail(typeUrl: string, nonce: string, { rejects, message }: ErrorDetail): void {
    if (this.#node === undefined) return;
    const { id, grant, log } = this.#node;
    const { gateway } = grant;
    if (rejects) {
      this.#log(log, 'warn', 'the node refuses a response', { type: typeUrl, nonce, message: shortened(message) });
      this.#parts.rejected?.({ gateway, node: id, typeUrl, message });
    } else {
      this.#log(log, 'info', 'the node applied a response, with remarks', {
        type: typeUrl,
        nonce,
        message: shortened(message),
      });
    }
  }

  #release(ending: StatusCode): void {
    this.#firstRequestReceived();
    this.#stopExpiry();
    this.#node?.unsubscribe();
    this.#parts.queue.delete(this);
    this.#parts.sendBudget.delete(this);
    for (const type of this.#types) type.close();
    if (this.#node !== undefined) this.#log(this.#node.log, 'info', 'a node is gone', { ending });
    this.#parts.ended(this, ending);
  }

  /** Ends this stream after an exception, which is a bug of ours; other streams continue. */
  /** The status with which the stream ends if its identity may not be a node of its Gateway any more. */
  #lapsed(): StreamStatus | undefined {
    if (this.#identity.kind !== 'unauthenticated' && this.#identity.expires <= this.#parts.clock.now()) return expired;
    const message = this.#node?.grant.lapsed(this.#parts.rules.bindings);
    return message === undefined ? undefined : { code: 'PERMISSION_DENIED', message };
  }

  #fail(error: unknown): void {
    this.#parts.log.error('a stream failed', { error, gateway: this.#node?.grant.gateway });
    this.end({ code: 'INTERNAL', message: 'the control plane failed; see its log' });
  }
}

const expired = {
  code: 'UNAUTHENTICATED',
  message: 'the token or certificate of this stream has expired; connect again with a new one',
} as const;

const noTimer = (): void => {};
