import type { Stop } from '../../edges.ts';
import type { Incoming } from '../ads/protocol.ts';
import type { ReceiveBudget } from '../limits/receive-budget.ts';
import type { SendBudget } from '../limits/send-budget.ts';
import type { Weighing } from '../request/request-gauge.ts';
import type { Ending, StreamEnd } from '../request/stream-status.ts';
import { type AdsCall, endCall } from './calls.ts';
import { frameOf } from './framing.ts';
import { type Http2Stream, type LingerParts, linger } from './http2-stream.ts';
import { MessageReader } from './message-reader.ts';

/** Requests of one stream that are served in one iteration of the event loop, before all other streams get theirs. */
const requestsPerIteration = 4;

/** Numbers the iterations of the event loop, at the cost of one callback for each in which somebody asks. */
export class LoopIteration {
  #number = 0;
  #scheduled = false;
  readonly #next = (): void => {
    this.#scheduled = false;
    this.#number += 1;
  };

  /** Returns the same number until the event loop has served everything else that is ready. */
  current(): number {
    if (!this.#scheduled) {
      this.#scheduled = true;
      setImmediate(this.#next);
    }
    return this.#number;
  }
}

/** Called by a stream. Nothing is called after `ended`, which is called once. */
export interface GrpcStreamListener {
  received(incoming: Incoming): void;
  /** What was written has left, and there is room again. */
  drained(): void;
  ended(ending: Ending): void;
}

export interface GrpcStreamParts extends LingerParts {
  readonly sendBudget: SendBudget;
  readonly receiveBudget: ReceiveBudget;
  readonly iteration: LoopIteration;
  /** Called when a stream was reset because its node did not read what was written to it. */
  readonly wasReset: () => void;
}

/** One gRPC stream: bytes out with flow control, requests in with their limits, and one end. Knows nothing of xDS. */
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
  /** Whether everything that was written has left, the status included. */
  #flushed = false;
  /** The large writes in flight; most streams never have one. */
  #writes: Set<Stop> | undefined;
  /** Whether the receive budget counts an unfinished request of this stream. */
  #counted = false;

  constructor(
    call: AdsCall,
    stream: Http2Stream,
    weighing: Weighing,
    parts: GrpcStreamParts,
    listener: GrpcStreamListener,
  ) {
    this.#call = call;
    this.#stream = stream;
    this.#reader = new MessageReader(weighing);
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
    stream.onData((piece) => {
      if (this.#open) this.#read(piece);
    });
    stream.onDrain(() => {
      this.#writable = true;
      if (this.#open) listener.drained();
    });
    call.on('end', () => {
      if (this.#close('OK')) call.end();
    });
    // Emitted when the status has left, and when the node cancelled: from then on no write is confirmed and nothing drains.
    call.on('cancelled', () => this.#flush());
    call.on('close', () => this.#close('CANCELLED'));
  }

  get open(): boolean {
    return this.#open;
  }

  /** Whether everything that was written found room. When not, `drained` follows. */
  get writable(): boolean {
    return this.#open && this.#writable;
  }

  /** Sends one response, which is this body and this nonce; does nothing on a stream that has ended. */
  send(body: Buffer, nonce: string): void {
    if (!this.#open) return;
    const release = this.#parts.sendBudget.begin(body.length);
    if (release === undefined) {
      this.#writable = this.#stream.write(frameOf(body, nonce), left);
      return;
    }
    this.#writes ??= new Set();
    this.#writes.add(release);
    this.#writable = this.#stream.write(frameOf(body, nonce), () => {
      this.#writes?.delete(release);
      release();
    });
  }

  /** Ends the stream with this status, after what was written. The first end counts. */
  end(end: StreamEnd): void {
    if (this.#close(end.code)) endCall(this.#call, end);
  }

  /** Sends GOAWAY on its connection: the node opens its next stream on another one. */
  sendGoaway(): void {
    this.#stream.sendGoaway();
  }

  /** Ends the stream because its unfinished request is the largest of too many. */
  overflow(): void {
    this.end({
      code: 'RESOURCE_EXHAUSTED',
      message: 'too much of unfinished requests is held; this one was the largest',
    });
  }

  #read(piece: Buffer): void {
    const excess = this.#reader.take(piece);
    if (excess !== undefined) this.#listener.received(excess);
    else this.#count(this.#reader.held);
  }

  #count(bytes: number): void {
    if (this.#counted || bytes > 0) this.#parts.receiveBudget.update(this, bytes);
    this.#counted = bytes > 0;
  }

  #countRequest(): void {
    const iteration = this.#parts.iteration.current();
    if (iteration !== this.#iteration) {
      this.#iteration = iteration;
      this.#served = 0;
    }
    this.#served += 1;
    if (this.#open && this.#served % requestsPerIteration === 0) this.#yieldToEventLoop();
  }

  /** Pauses until the next iteration: what a node sent in one go would be read in one go, and delay all others (rule A10). */
  #yieldToEventLoop(): void {
    this.#call.pause();
    setImmediate(() => {
      if (this.#open) this.#call.resume();
    });
  }

  #close(ending: Ending): boolean {
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

  /** Closes the window for the rest of a request that is not read any more. */
  #dropUnfinishedRequest(): void {
    if (this.#reader.unfinished) this.#stream.stopReading();
  }

  #flush(): void {
    this.#flushed = true;
    this.#close('CANCELLED');
    // grpc-js resumes reading once the status has left.
    this.#dropUnfinishedRequest();
    for (const release of this.#writes ?? []) release();
    this.#writes = undefined;
  }
}

const left = (): void => {};
