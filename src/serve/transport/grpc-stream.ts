import type { Incoming } from '../ads/protocol.ts';
import type { ReceiveBudget } from '../limits/receive-budget.ts';
import type { RequestMetering } from '../request/request-cost.ts';
import type { StatusCode, StreamStatus } from '../request/stream-status.ts';
import { type AdsCall, endCall } from './calls.ts';
import { frameOf } from './framing.ts';
import { type Http2Stream, type LingerParts, linger } from './http2-stream.ts';
import { MessageReader } from './message-reader.ts';

/** Requests of one stream that are served in one iteration of the event loop, before those of other streams. */
const requestsPerIteration = 4;

/**
 * Requests of all streams that are served in one iteration before each stream has one of them only: 10 ms. Without it a
 * thousand streams that send many at once have four thousand in one iteration.
 */
const requestsOfAll = 256;

/** Counts requests by iteration of the event loop, at the cost of one callback for each iteration in which it is called. */
export class LoopIteration {
  #number = 0;
  #requests = 0;
  #scheduled = false;
  readonly #next = (): void => {
    this.#scheduled = false;
    this.#number += 1;
    this.#requests = 0;
  };

  /** Counts one, and returns a number that is the same until the event loop has served everything else that is ready. */
  count(): number {
    this.#requests += 1;
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#next);
    }
    return this.#number;
  }

  /** How many requests of one stream are served in this iteration. */
  get perStream(): number {
    return this.#requests > requestsOfAll ? 1 : requestsPerIteration;
  }
}

/** The callbacks of a stream. `ended` is called once, and is the last. */
export interface GrpcStreamListener {
  received(incoming: Incoming): void;
  /** There is room for writes again. */
  drained(): void;
  ended(ending: StatusCode): void;
}

/** What streams share. */
export interface GrpcStreamParts extends LingerParts {
  readonly receiveBudget: ReceiveBudget;
  readonly iteration: LoopIteration;
  /** Called when a stream was reset because its node did not read what was written to it. */
  readonly wasReset: () => void;
}

/** One gRPC stream: writes with flow control, limits requests, and ends once. Passes requests on as the protocol decoded them. */
export class GrpcStream {
  readonly peer: string;
  readonly authority: string;
  /** The values of the request header `x-alt-xds-hostname`. */
  readonly hostNames: readonly string[];
  readonly #call: AdsCall;
  readonly #stream: Http2Stream;
  readonly #parts: GrpcStreamParts;
  readonly #listener: GrpcStreamListener;
  readonly #reader: MessageReader;
  #open = true;
  #writable = true;
  /** The iteration of the event loop in which a request was served last, and how many were served in it. */
  #iteration = -1;
  #served = 0;
  /** True if everything that was written has left, the status included. */
  #flushed = false;
  /** True if the receive budget counts an unfinished request of this stream. */
  #counted = false;

  constructor(
    call: AdsCall,
    stream: Http2Stream,
    metering: RequestMetering,
    parts: GrpcStreamParts,
    listener: GrpcStreamListener,
  ) {
    this.#call = call;
    this.#stream = stream;
    this.#reader = new MessageReader(metering);
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
    stream.onData((chunk) => {
      if (this.#open) this.#read(chunk);
    });
    stream.onDrain(() => {
      this.#writable = true;
      if (this.#open) listener.drained();
    });
    call.on('end', () => {
      if (this.#close('OK')) call.end();
    });
    // Emitted when the status has left, and when the node cancelled: no write completes and nothing drains afterwards.
    call.on('cancelled', () => this.#flush());
    call.on('close', () => this.#close('CANCELLED'));
  }

  get open(): boolean {
    return this.#open;
  }

  /** True if there is room for writes. When false, `drained` follows. */
  get writable(): boolean {
    return this.#open && this.#writable;
  }

  /** Sends one response, the body and a nonce; does nothing on a stream that has ended. */
  send(body: Buffer, nonce: string): void {
    if (!this.#open) return;
    this.#writable = this.#stream.write(frameOf(body, nonce));
  }

  /** Sends the response headers, with this one, before the first response. */
  sendHeader(name: string, value: string): void {
    if (this.#open) this.#stream.sendHeader(name, value);
  }

  /** Ends the stream with this status, after what was written. Does nothing on a stream that has ended. */
  end(end: StreamStatus): void {
    if (this.#close(end.code)) endCall(this.#call, end);
  }

  /** Sends GOAWAY on its connection: the node opens its next stream on another one. */
  sendGoaway(): void {
    this.#stream.sendGoaway();
  }

  /** Ends the stream whose unfinished request is the largest when the receive budget is exceeded. */
  overflow(): void {
    this.end({
      code: 'RESOURCE_EXHAUSTED',
      message: 'too much of unfinished requests is held; this one was the largest',
    });
  }

  #read(chunk: Buffer): void {
    const exceeded = this.#reader.read(chunk);
    if (exceeded !== undefined) this.#listener.received(exceeded);
    else this.#count(this.#reader.held);
  }

  #count(bytes: number): void {
    if (this.#counted || bytes > 0) this.#parts.receiveBudget.update(this, bytes);
    this.#counted = bytes > 0;
  }

  #countRequest(): void {
    const iteration = this.#parts.iteration.count();
    if (iteration !== this.#iteration) {
      this.#iteration = iteration;
      this.#served = 0;
    }
    this.#served += 1;
    if (this.#open && this.#served >= this.#parts.iteration.perStream) this.#yieldToEventLoop();
  }

  /** Pauses until the next iteration: many requests that arrive at once would delay all other streams (rule A10). */
  #yieldToEventLoop(): void {
    this.#call.pause();
    setImmediate(() => {
      if (this.#open) this.#call.resume();
    });
  }

  #close(ending: StatusCode): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.#count(0);
    this.#dropUnfinishedRequest();
    linger(this.#stream, this.#parts, () => {
      if (!this.#flushed) this.#parts.wasReset();
    });
    this.#listener.ended(ending);
    return true;
  }

  /** Stops reading in the middle of a request: the flow-control window stays closed for the rest of it. */
  #dropUnfinishedRequest(): void {
    if (this.#reader.unfinished) this.#stream.stopReading();
  }

  #flush(): void {
    this.#flushed = true;
    this.#close('CANCELLED');
    // grpc-js resumes reading once the status has left.
    this.#dropUnfinishedRequest();
  }
}
