import type { Stop } from '../../edges.ts';
import type { Incoming } from '../ads/protocol.ts';
import type { ReceiveBudget } from '../limits/receive-budget.ts';
import type { WriteBudget } from '../limits/send-budget.ts';
import type { RequestMetering } from '../request/request-cost.ts';
import type { Ending, StreamEnd } from '../request/stream-status.ts';
import { type AdsCall, endCall } from './calls.ts';
import { frameOf } from './framing.ts';
import type { LoopTurn } from './loop-turn.ts';
import { Arriving } from './message-reader.ts';
import { type LingerParts, linger, type Transport } from './transport.ts';
import { transportOf } from './transport-of.ts';

/** How many requests of one stream are served in one turn of the event loop, before all others get theirs. */
const requestsAtOnce = 4;

/** What happens on a stream. Nothing is told after `ended`, which is told once. */
export interface OutletListener {
  received(incoming: Incoming): void;
  /** What was written has left; there is room again. */
  drained(): void;
  ended(ending: Ending): void;
}

export interface OutletParts extends LingerParts {
  readonly budget: WriteBudget;
  readonly receiving: ReceiveBudget;
  readonly turn: LoopTurn;
  /** Told of a node that did not read what was written to it until the end. */
  readonly cutOff: () => void;
}

/** One gRPC stream, as far as the protocol above it cares. */
export class Outlet {
  readonly peer: string;
  readonly authority: string;
  /** The values of the request header `x-alt-xds-hostname`. */
  readonly hostNames: readonly string[];
  readonly #call: AdsCall;
  readonly #transport: Transport;
  readonly #parts: OutletParts;
  readonly #listener: OutletListener;
  #open = true;
  #writable = true;
  /** The turn of the event loop in which it was read last, and how many requests were served in it. */
  #turn = -1;
  #served = 0;
  /** Whether there is nothing left to be written. */
  #silent = false;
  /** The large writes that are under way. Most nodes never have one. */
  #writes: Set<Stop> | undefined;
  readonly #arriving: Arriving;
  /** Whether it holds a part of a message. */
  #holding = false;

  constructor(call: AdsCall, metering: RequestMetering, parts: OutletParts, listener: OutletListener) {
    this.#call = call;
    this.#arriving = new Arriving(metering);
    this.#transport = transportOf(call);
    this.#parts = parts;
    this.#listener = listener;
    this.peer = call.getPeer();
    this.authority = call.getHost();
    this.hostNames = call.metadata.get('x-alt-xds-hostname').map(String);
    call.on('data', (incoming: Incoming) => {
      if (!this.#open) return;
      listener.received(incoming);
      this.#countRequest();
    });
    this.#transport.onReceived((piece) => {
      if (this.#open) this.#arrive(piece);
    });
    this.#transport.onDrain(() => {
      this.#writable = true;
      if (this.#open) listener.drained();
    });
    call.on('end', () => {
      if (this.#close('OK')) call.end();
    });
    // Told when the status has left, and when the node gave up: then no write is ever confirmed and nothing drains.
    call.on('cancelled', () => this.#fallSilent());
    call.on('close', () => this.#close('CANCELLED'));
  }

  get open(): boolean {
    return this.#open;
  }

  /** Whether what was written so far found room. When not, `drained` will be told. */
  get writable(): boolean {
    return this.#open && this.#writable;
  }

  /** Sends one response, which is this body and this nonce; on a stream that ended, nothing. */
  send(body: Buffer, nonce: string): void {
    if (!this.#open) return;
    const gone = this.#parts.budget.begin(body.length);
    if (gone === undefined) {
      this.#writable = this.#transport.write(frameOf(body, nonce), nothing);
      return;
    }
    this.#writes ??= new Set();
    this.#writes.add(gone);
    this.#writable = this.#transport.write(frameOf(body, nonce), () => {
      this.#writes?.delete(gone);
      gone();
    });
  }

  /** Ends the stream with this status, after what was written. The first end counts. */
  end(end: StreamEnd): void {
    if (this.#close(end.code)) endCall(this.#call, end);
  }

  /** Tells the node to open its next stream on another connection. */
  retire(): void {
    this.#transport.retire();
  }

  /** A node that never finishes a message keeps what it sent of it in memory. */
  overflow(): void {
    this.end({
      code: 'RESOURCE_EXHAUSTED',
      message: 'too much of unfinished requests is held; this one was the largest',
    });
  }

  #arrive(piece: Buffer): void {
    const excess = this.#arriving.take(piece);
    if (excess !== undefined) this.#listener.received(excess);
    else this.#hold(this.#arriving.held);
  }

  #hold(bytes: number): void {
    if (this.#holding || bytes > 0) this.#parts.receiving.holds(this, bytes);
    this.#holding = bytes > 0;
  }

  #countRequest(): void {
    const turn = this.#parts.turn.current();
    if (turn !== this.#turn) {
      this.#turn = turn;
      this.#served = 0;
    }
    this.#served += 1;
    if (this.#open && this.#served % requestsAtOnce === 0) this.#giveWay();
  }

  /** What a node sends in one go is read in one go: without a pause a flood of it would hold everybody up (rule A10). */
  #giveWay(): void {
    this.#call.pause();
    setImmediate(() => {
      if (this.#open) this.#call.resume();
    });
  }

  #close(ending: Ending): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#hold(0);
    this.#leaveTheRest();
    linger(this.#transport, this.#parts, () => {
      if (!this.#silent) this.#parts.cutOff();
    });
    this.#listener.ended(ending);
    return true;
  }

  /** What is missing of a request that nobody reads any more need not come. */
  #leaveTheRest(): void {
    if (this.#arriving.unfinished) this.#transport.stopReading();
  }

  #fallSilent(): void {
    this.#silent = true;
    this.#close('CANCELLED');
    // grpc-js reads on when the status has left.
    this.#leaveTheRest();
    for (const gone of this.#writes ?? []) gone();
    this.#writes = undefined;
  }
}

const nothing = (): void => {};
