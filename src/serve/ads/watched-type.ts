import type { Clock, Counters } from '../../edges.ts';
import type { Delta, Snapshots, View } from '../../snapshot/model.ts';
import type { Deadlines, Expiring } from '../limits/timeouts.ts';
import type { TypeStatus } from '../model.ts';
import { tooManyNames } from '../request/request-cost.ts';
import type { StreamEnd } from '../request/stream-status.ts';
import { afterReply, type Flow, replyOf } from './ack-state.ts';
import { ask, beginHolding, type Holding, owed, takeBack, told } from './client-state.ts';
import { Ledger } from './exchange-record.ts';
import { type Objection, readObjection } from './nack.ts';
import type { AdsRequest, Part, Variant } from './protocol.ts';
import type { TypeState } from './resource-status.ts';
import type { ServedType } from './resource-types.ts';
import { type Subscription, type SubscriptionStep, weightOf } from './subscription.ts';

export interface TypeStreamLimits {
  /** Milliseconds that a node has to answer a response. */
  readonly ackTimeout: number;
  /** About how many bytes the names of one subscription may take. */
  readonly maxSubscription: number;
}

/** What the types of one stream share. */
export interface TypeStreamParts {
  readonly variant: Variant;
  readonly difference: Snapshots['diff'];
  readonly clock: Clock;
  readonly counters: Counters;
  readonly limits: TypeStreamLimits;
  /** The waits for answers, of all streams. */
  readonly deadlines: Deadlines;
  /** Whether a response of so many bytes may leave now. When not, the stream advances again once it may. */
  readonly room: (bytes: number) => boolean;
  /** Sends one response and answers which nonce it got. */
  readonly send: (body: Buffer) => string;
  readonly end: (end: StreamEnd) => void;
  /** Told of what a node refuses of a response, or only remarks. */
  readonly objected: (typeUrl: string, nonce: string, objection: Objection) => void;
}

/** The exchange about one type on one stream. Nothing that a node says of another type changes anything in here (rule A6). */
export class TypeStream implements Expiring {
  readonly served: ServedType;
  readonly #parts: TypeStreamParts;
  readonly #ledger = new Ledger();
  #flow: Flow = { kind: 'silent' };
  #tracked: { readonly subscription: Subscription; readonly holding: Holding } | undefined;
  /** What is left of an update that needs several responses. */
  #unsent: readonly Part[] = nothing;

  constructor(served: ServedType, parts: TypeStreamParts) {
    this.served = served;
    this.#parts = parts;
  }

  /** Takes over what a request says; `advance` then sends what follows from it. */
  receive(request: AdsRequest, current: View): void {
    const { counters, variant } = this.#parts;
    this.#ledger.requested();
    counters.count('gatehouse_xds_requests_total', this.served.labels);
    // On a new stream a nonce is one of an earlier stream and means nothing (rule A15).
    const nonce = this.#tracked === undefined ? '' : request.nonce;
    const objection = request.refusal === undefined ? undefined : readObjection(request.refusal);
    const reply = replyOf(this.#flow, nonce, objection?.refuses ?? false);
    if (reply === 'ack') this.#acknowledge(nonce, objection);
    if (reply === 'nack' && objection !== undefined) this.#reject(nonce, objection);
    if (reply === 'stale') counters.count('gatehouse_xds_stale_nonces_total', this.served.labels);
    const heeded = variant.heeds(reply, this.#flow);
    this.#flow = afterReply(this.#flow, reply);
    if (reply === 'ack' || reply === 'nack') this.#parts.deadlines.end(this);
    if (heeded) this.#subscribe(request, current);
  }

  /** Whether it can be told nothing now: it has not answered a response, or waits for room to be sent one. */
  get waiting(): boolean {
    return this.#flow.kind === 'waiting' || this.#unsent.length > 0;
  }

  /** Sends what the node is to be told next, unless a response is out that it has not answered. */
  advance(current: View): void {
    if (this.#flow.kind === 'waiting') return;
    if (this.#unsent.length === 0) this.#unsent = this.#compose(current);
    const [next] = this.#unsent;
    if (next === undefined || !this.#parts.room(next.body.length)) return;
    this.#unsent = this.#unsent.length === 1 ? nothing : this.#unsent.slice(1);
    const { clock, counters, deadlines } = this.#parts;
    const nonce = this.#parts.send(next.body);
    const since = clock.now();
    this.#flow = { kind: 'waiting', nonce, since };
    this.#ledger.sent(this.#tracked?.holding.view ?? current, nonce, since, next.says, this.#unsent.length === 0);
    counters.count('gatehouse_xds_responses_total', this.served.labels);
    deadlines.begin(this);
  }

  close(): void {
    this.#parts.deadlines.end(this);
  }

  /** The node has not answered in time. */
  expire(): void {
    if (this.#flow.kind !== 'waiting') return;
    const { ackTimeout } = this.#parts.limits;
    this.#parts.end({
      code: 'DEADLINE_EXCEEDED',
      message: `the response with nonce ${this.#flow.nonce} of ${this.served.type.typeUrl} was not answered within ${ackTimeout} ms`,
    });
  }

  status(): TypeStatus {
    const { wildcard, names } = this.#tracked?.subscription ?? { wildcard: 'none', names: [] };
    return {
      typeUrl: this.served.type.typeUrl,
      known: this.served.registered,
      subscription: { wildcard: wildcard !== 'none', names: [...names] },
      ...(this.#flow.kind === 'waiting' && { inFlightSince: this.#flow.since }),
      ...this.#ledger.status(),
    };
  }

  /** Absent for a type that nobody knows, and before the first request was taken over. */
  state(current: View): TypeState | undefined {
    if (this.#tracked === undefined || !this.served.registered) return undefined;
    return { ...this.#tracked, unsent: this.#unsent.map(({ says }) => says), current, ...this.#ledger.record() };
  }

  #subscribe(request: AdsRequest, current: View): void {
    const { type, empty, registered } = this.served;
    const before = this.#tracked;
    const step = request.subscribe(before?.subscription, type);
    const { subscription } = step;
    if (before === undefined) {
      // Of a type that is not known here, nothing is known to be gone either.
      const holding = beginHolding(step, { current, empty }, registered ? request.reported : undefined);
      this.#tracked = { subscription, holding };
    } else if (subscription !== before.subscription) {
      const asking = ask(takeBack(before.holding, this.#unsent), before.subscription, step, empty);
      this.#unsent = [];
      this.#tracked = { subscription, holding: takeBack(asking, this.#crossing(step)) };
    }
    const { maxSubscription } = this.#parts.limits;
    if (subscription !== before?.subscription && weightOf(subscription) > maxSubscription) {
      this.#parts.end(tooManyNames(maxSubscription));
    }
  }

  /**
   * A response that is not answered may be read only after the node asked for everything again, and then all of it is
   * taken in, also names that the node did not want in between.
   */
  #crossing({ everything }: SubscriptionStep): readonly { readonly says: Delta }[] {
    const { inFlight } = this.#ledger.record();
    if (everything !== 'asked' || inFlight === undefined) return [];
    return [{ says: { changed: inFlight.changed, removed: [] } }];
  }

  #compose(current: View): readonly Part[] {
    if (this.#tracked === undefined) return [];
    const { subscription, holding } = this.#tracked;
    if (holding.view === current && holding.asked.size === 0 && !holding.answer) return [];
    const update = owed(holding, subscription, current, this.#parts.difference);
    this.#tracked = { subscription, holding: told(current) };
    const about = { view: current, subscription, awaited: holding.answer };
    const parts = update === undefined ? [] : this.#parts.variant.compose(update, about);
    if (parts.length === 0) this.#ledger.movedOn(current);
    return parts;
  }

  #acknowledge(nonce: string, remarks: Objection | undefined): void {
    this.#ledger.acked(this.#parts.clock.now(), remarks?.diagnostics ?? []);
    this.#parts.counters.count('gatehouse_xds_acks_total', this.served.labels);
    if (remarks !== undefined) this.#parts.objected(this.served.type.typeUrl, nonce, remarks);
  }

  #reject(nonce: string, objection: Objection): void {
    const { message, diagnostics } = objection;
    this.#ledger.refused({ nonce, message, diagnostics, at: this.#parts.clock.now() });
    this.#parts.counters.count('gatehouse_xds_nacks_total', this.served.labels);
    this.#parts.objected(this.served.type.typeUrl, nonce, objection);
  }
}

const nothing: readonly Part[] = [];
