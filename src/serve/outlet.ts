import type { ServerDuplexStream } from '@grpc/grpc-js';
import { type Ending, type StreamEnd, statusOf } from './stream-end.ts';
import type { Incoming } from './variant.ts';

/** How many requests of one stream are served before all others get their turn. */
const requestsAtOnce = 4;

export type AdsCall = ServerDuplexStream<Incoming, Buffer>;

/** What happens on a stream. Nothing is told after `ended`, which is told once. */
export interface OutletListener {
  received(incoming: Incoming): void;
  /** What was written has left; there is room again. */
  drained(): void;
  ended(ending: Ending): void;
}

/** One gRPC stream, as far as the protocol above it cares. */
export class Outlet {
  readonly peer: string;
  readonly authority: string;
  /** The values of the request header `x-alt-xds-hostname`. */
  readonly hostNames: readonly string[];
  readonly #call: AdsCall;
  readonly #listener: OutletListener;
  #open = true;
  #writable = true;
  #served = 0;

  constructor(call: AdsCall, listener: OutletListener) {
    this.#call = call;
    this.#listener = listener;
    this.peer = call.getPeer();
    this.authority = call.getHost();
    this.hostNames = call.metadata.get('x-alt-xds-hostname').map(String);
    call.on('data', (incoming: Incoming) => {
      if (!this.#open) return;
      listener.received(incoming);
      this.#served += 1;
      if (this.#open && this.#served % requestsAtOnce === 0) this.#giveWay();
    });
    call.on('drain', () => {
      this.#writable = true;
      if (this.#open) listener.drained();
    });
    call.on('end', () => {
      if (this.#close('OK')) call.end();
    });
    // After a cancellation no write is ever confirmed and nothing drains: this is the only word of it.
    call.on('cancelled', () => this.#close('CANCELLED'));
    call.on('close', () => this.#close('CANCELLED'));
  }

  get open(): boolean {
    return this.#open;
  }

  /** Whether what was written so far found room. When not, `drained` will be told. */
  get writable(): boolean {
    return this.#open && this.#writable;
  }

  /** Sends one response; on a stream that ended, nothing. */
  send(response: Buffer): void {
    if (this.#open) this.#writable = this.#call.write(response);
  }

  /** Ends the stream with this status, after what was written. The first end counts. */
  end({ code, message }: StreamEnd): void {
    if (!this.#close(code)) return;
    // This is how grpc-js is told a status; it reads no further request.
    this.#call.emit('error', Object.assign(new Error(message), { code: statusOf[code], details: message }));
    this.#call.pause();
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
    this.#listener.ended(ending);
    return true;
  }
}
