import type { Clock, Counters, Stop } from '../../edges.ts';
import type { Delta, Snapshots, View } from '../../snapshot/model.ts';
import type { TypeStatus, UpdateObserver } from '../model.ts';
import { tooManyNames } from '../request/request-cost.ts';
import type { StreamStatus } from '../request/stream-status.ts';
import { type AckState, classifyRequest, nextAckState } from './ack-state.ts';
import {
  type ClientState,
  changeSubscription,
  initialClientState,
  type PendingDelta,
  pendingDelta,
  requeue,
  upToDate,
} from './client-state.ts';
import { ExchangeRecord } from './exchange-record.ts';
import { type ErrorDetail, parseErrorDetail } from './nack.ts';
import type { AdsProtocol, AdsRequest, ResponseChunk } from './protocol.ts';
import type { WatchedTypeState } from './resource-status.ts';
import type { ServedType } from './resource-types.ts';
import { type Subscription, type SubscriptionChange, subscriptionSize } from './subscription.ts';

/** The limits of one type on one stream. */
export interface WatchedTypeLimits {
  /** Milliseconds that a node has to ACK or NACK a response; its stream then ends DEADLINE_EXCEEDED. */
  readonly ackTimeout: number;
  /** The size of one subscription, as `subscriptionSize` estimates it; RESOURCE_EXHAUSTED beyond. Bytes. */
  readonly maxSubscription: number;
}

/** The dependencies that all types of one stream share. */
export interface WatchedTypeParts {
  readonly protocol: AdsProtocol;
  readonly diff: Snapshots['diff'];
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: WatchedTypeLimits;
  readonly updates: UpdateObserver | undefined;
  /**
   * Reserves room for responses of this many bytes that no other stream shares. Returns the function that releases it;
   * undefined when there is none: `sendNext` is called once there is.
   */
  readonly reserve: (bytes: number) => Stop | undefined;
  /** Counts the names of a subscription, over all streams; returns false when they are too many. */
  readonly countNames: (before: number, after: number) => boolean;
  /** Sends one response and returns its nonce. */
  readonly send: (body: Buffer) => string;
  readonly end: (status: StreamStatus) => void;
  /** Called for each NACK, and for each ACK with warnings. */
  readonly onErrorDetail: (typeUrl: string, nonce: string, errorDetail: ErrorDetail) => void;
}

/** The state of one type on one stream. A request of another type never changes it (rule A6). */
export class WatchedType {
  readonly served: ServedType;
  readonly #parts: WatchedTypeParts;
  readonly #record = new ExchangeRecord();
  #ackState: AckState = { kind: 'unsent' };
  /** Stops the ACK timeout of the response in flight. */
  #stopAckTimer: Stop | undefined;
  /** The number of the response in flight among the updates that are observed, if it changed what the node has. */
  #updateSent: number | undefined;
  /** Undefined until the first request of the type. */
  #watch: { readonly subscription: Subscription; readonly client: ClientState } | undefined;
  /** The remaining responses of a delta that was split. */
  #unsent: readonly ResponseChunk[] = noChunks;
  /** True while a response waits to be built, for room. */
  #waitsForRoom = false;
  /** Releases the room for the responses that were built, until the last of them is answered. */
  #release: Stop = nothingReserved;
  /** Bytes that the names of the subscription take, estimated. */
  #namesSize = 0;

  constructor(served: ServedType, parts: WatchedTypeParts) {
    this.served = served;
    this.#parts = parts;
  }

  /** Applies a request. Sends nothing: the caller then calls `sendNext`. */
  receive(request: AdsRequest, current: View): void {
    const { counters, protocol } = this.#parts;
    this.#record.requested();
    counters.count('gatehouse_xds_requests_total', this.served.labels);
    // The nonce of a first request belongs to an earlier stream and is ignored (rule A15).
    const nonce = this.#watch === undefined ? '' : request.nonce;
    const errorDetail = request.errorDetail === undefined ? undefined : parseErrorDetail(request.errorDetail);
    const kind = classifyRequest(this.#ackState, nonce, errorDetail?.rejects ?? false);
    if (kind === 'ack') this.#acknowledge(nonce, errorDetail);
    if (kind === 'nack' && errorDetail !== undefined) this.#reject(nonce, errorDetail);
    if (kind === 'stale') counters.count('gatehouse_xds_stale_nonces_total', this.served.labels);
    const accepted = protocol.acceptsSubscription(kind, this.#ackState);
    this.#ackState = nextAckState(this.#ackState, kind);
    if (kind === 'ack' || kind === 'nack') this.#stopTimer();
    if (accepted) this.#changeSubscription(request, current);
    if (this.#ackState.kind !== 'awaiting-ack' && this.#unsent.length === 0) this.#releaseRoom();
  }

  /** True if a change has to wait: a response is not answered, or waits for room to be built. */
  get waiting(): boolean {
    return this.#ackState.kind === 'awaiting-ack' || this.#unsent.length > 0 || this.#waitsForRoom;
  }

  /** Sends the next response, if there is one and no response is unanswered (rule C26). */
  sendNext(current: View): void {
    if (this.#ackState.kind === 'awaiting-ack') return;
    if (this.#unsent.length === 0) this.#unsent = this.#buildResponses(current);
    const [next] = this.#unsent;
    if (next === undefined) return;
    this.#unsent = this.#unsent.length === 1 ? noChunks : this.#unsent.slice(1);
    const { clock, counters, limits } = this.#parts;
    const nonce = this.#parts.send(next.body);
    const since = clock.now();
    this.#ackState = { kind: 'awaiting-ack', nonce, since };
    const view = this.#watch?.client.view ?? current;
    this.#updateSent = this.#record.isUpdate(view) ? this.#parts.updates?.pushed(since) : undefined;
    this.#record.sent(view, nonce, since, next.delta, this.#unsent.length === 0);
    counters.count('gatehouse_xds_responses_total', this.served.labels);
    counters.count('gatehouse_xds_response_bytes_total', this.served.labels, next.body.length);
    this.#stopAckTimer = clock.after(limits.ackTimeout, () => this.#expire());
  }

  /** Stops the ACK timeout and releases what is counted for the stream. */
  close(): void {
    this.#stopTimer();
    this.#releaseRoom();
    this.#parts.countNames(this.#namesSize, 0);
    this.#namesSize = 0;
  }

  #stopTimer(): void {
    this.#stopAckTimer?.();
    this.#stopAckTimer = undefined;
  }

  #releaseRoom(): void {
    const release = this.#release;
    this.#release = nothingReserved;
    release();
  }

  #expire(): void {
    if (this.#ackState.kind !== 'awaiting-ack') return;
    const { ackTimeout } = this.#parts.limits;
    this.#parts.end({
      code: 'DEADLINE_EXCEEDED',
      message: `the response with nonce ${this.#ackState.nonce} of ${this.served.type.typeUrl} was not answered within ${ackTimeout} ms`,
    });
  }

  status(): TypeStatus {
    const { wildcard, names } = this.#watch?.subscription ?? { wildcard: 'none', names: [] };
    return {
      typeUrl: this.served.type.typeUrl,
      known: this.served.registered,
      subscription: { wildcard: wildcard !== 'none', names: [...names] },
      ...(this.#ackState.kind === 'awaiting-ack' && { inFlightSince: this.#ackState.since }),
      ...this.#record.status(),
    };
  }

  /** Returns undefined for a type that is not registered, and before the first request. */
  state(current: View): WatchedTypeState | undefined {
    if (this.#watch === undefined || !this.served.registered) return undefined;
    return { ...this.#watch, unsent: this.#unsent.map(({ delta }) => delta), current, ...this.#record.state() };
  }

  #changeSubscription(request: AdsRequest, current: View): void {
    const { type, empty, registered } = this.served;
    const before = this.#watch;
    const change = request.changeSubscription(before?.subscription, type);
    const { subscription } = change;
    if (before === undefined) {
      // Of a type that is not registered, no reported name is known to be removed.
      const initialVersions = registered ? request.initialVersions : undefined;
      this.#watch = { subscription, client: initialClientState(change, { current, empty }, initialVersions) };
    } else if (subscription !== before.subscription) {
      const requeued = requeue(before.client, this.#unsent);
      this.#unsent = [];
      const changed = changeSubscription(requeued, before.subscription, change, empty);
      this.#watch = { subscription, client: requeue(changed, this.#inFlightAtResubscribe(change)) };
    }
    if (subscription !== before?.subscription) this.#countNames(subscription);
  }

  #countNames(subscription: Subscription): void {
    const { limits, countNames, end } = this.#parts;
    const size = subscriptionSize(subscription);
    if (size > limits.maxSubscription) end(tooManyNames(limits.maxSubscription));
    else if (countNames(this.#namesSize, size)) this.#namesSize = size;
    else end(tooManyNamesInAll);
  }

  /**
   * Returns the response in flight if the request subscribes to the wildcard (again): the node may read that response
   * after it sent the request, and then applies all of it, names that it had unsubscribed from included.
   */
  #inFlightAtResubscribe({ wildcardChange }: SubscriptionChange): readonly { readonly delta: Delta }[] {
    const { inFlight } = this.#record.state();
    if (wildcardChange !== 'requested' || inFlight === undefined) return [];
    return [{ delta: { changed: inFlight.changed, removed: [] } }];
  }

  #buildResponses(current: View): readonly ResponseChunk[] {
    if (this.#watch === undefined) return [];
    const { subscription, client } = this.#watch;
    if (client.view === current && client.pendingNames.size === 0 && !client.responseRequired) return [];
    const { own } = this.served;
    const pending = pendingDelta(client, subscription, current, own?.diff ?? this.#parts.diff);
    // The delta of a View of this node's own is no key of the response cache: no other node makes that step.
    const delta = own === undefined ? pending : pending && { changed: pending.changed, removed: pending.removed };
    const context = { view: current, subscription, responseRequired: client.responseRequired };
    const chunks = delta === undefined ? noChunks : this.#buildWithin(delta, context);
    if (chunks === undefined) return noChunks;
    this.#watch = { subscription, client: upToDate(current) };
    if (chunks.length === 0) this.#record.rebased(current);
    return chunks;
  }

  /** Returns undefined, and builds nothing, while there is no room for responses that are for this stream alone. */
  #buildWithin(
    delta: PendingDelta,
    context: Parameters<AdsProtocol['buildResponses']>[1],
  ): readonly ResponseChunk[] | undefined {
    const { protocol, reserve } = this.#parts;
    const release = reserve(protocol.ownBytes(delta, context));
    this.#waitsForRoom = release === undefined;
    if (release === undefined) return undefined;
    this.#releaseRoom();
    this.#release = release;
    return protocol.buildResponses(delta, context);
  }

  #acknowledge(nonce: string, warnings: ErrorDetail | undefined): void {
    const now = this.#parts.clock.now();
    this.#record.acked(now, warnings?.diagnostics ?? []);
    this.#answered(now, true);
    this.#parts.counters.count('gatehouse_xds_acks_total', this.served.labels);
    if (warnings !== undefined) this.#parts.onErrorDetail(this.served.type.typeUrl, nonce, warnings);
  }

  #answered(now: number, accepted: boolean): void {
    if (this.#updateSent === undefined) return;
    this.#parts.updates?.answered(this.#updateSent, now, accepted);
    this.#updateSent = undefined;
  }

  #reject(nonce: string, errorDetail: ErrorDetail): void {
    const { message, diagnostics } = errorDetail;
    const now = this.#parts.clock.now();
    this.#record.rejected({ nonce, message, diagnostics, at: now });
    this.#answered(now, false);
    this.#parts.counters.count('gatehouse_xds_nacks_total', this.served.labels);
    this.#parts.onErrorDetail(this.served.type.typeUrl, nonce, errorDetail);
  }
}

const noChunks: readonly ResponseChunk[] = [];
const nothingReserved = (): void => {};
const tooManyNamesInAll = { code: 'RESOURCE_EXHAUSTED', message: 'the nodes subscribe to too many names' } as const;
