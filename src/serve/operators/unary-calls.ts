import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import type { Stop } from '../../edges.ts';
import { Quota } from '../limits/quota.ts';
import type { StreamEnd } from '../request/stream-status.ts';
import { addressOf, endCall } from '../transport/calls.ts';
import { Http2Stream, type LingerParts, linger } from '../transport/http2-stream.ts';

/** A method that takes one request, as generated code describes it. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (response: Response) => Buffer;
}

/** A call whose request is there. Nothing comes of a call that is over. */
export interface SideCall<Response> {
  write(response: Response): void;
  end(): void;
  /** Ends it with a status that is not OK. */
  refuse(end: StreamEnd): void;
  /** Calls `then` when the call is over, whoever ended it. */
  onEnd(then: () => void): void;
}

export interface SideCallParts extends LingerParts {
  /** How many may be open at once, three quarters of them of one address; one beyond ends RESOURCE_EXHAUSTED. */
  readonly atOnce: number;
  /** How many bytes may come of one; RESOURCE_EXHAUSTED beyond. */
  readonly maxRequest: number;
  /** Milliseconds that the request may take to come; DEADLINE_EXCEEDED then. */
  readonly requestTimeout: number;
}

/**
 * Calls of other services than ADS, on whatever port. grpc-js tells of a call with one request only when its request is
 * complete, and would keep one that never is, and all that came of it. So these are registered as streams, which is the
 * same on the wire.
 */
export class SideCalls {
  readonly #parts: SideCallParts;
  readonly #quota: Quota;

  constructor(parts: SideCallParts) {
    this.#parts = parts;
    this.#quota = new Quota(parts.atOnce);
  }

  register<Request, Response>(
    server: Server,
    { path, requestDeserialize, responseSerialize }: Method<Request, Response>,
    answer: (request: Request, call: SideCall<Response>) => void,
  ): void {
    const begin = (call: ServerDuplexStream<Request, Buffer>): void => {
      const asked = this.#begin(call);
      call.once('data', (request: Request) => {
        if (!asked()) return;
        answer(request, {
          write: (response) => void call.write(responseSerialize(response)),
          end: () => call.end(),
          refuse: (end) => endCall(call, end),
          onEnd: (then) => void call.on('cancelled', then),
        });
      });
    };
    server.register(path, begin, identity, requestDeserialize, 'bidi');
  }

  /** Answers what is to be told when the request is there, which says whether it is to be answered. */
  #begin<Request>(call: ServerDuplexStream<Request, Buffer>): () => boolean {
    const { clock, maxRequest, requestTimeout } = this.#parts;
    const stream = new Http2Stream(call);
    let stopTimer: Stop = nothing;
    let state: 'awaited' | 'asked' | 'refused' = 'awaited';
    const refuse = (end: StreamEnd): void => {
      if (state === 'refused') return;
      state = 'refused';
      endCall(call, end);
    };
    const withoutRequest = (end: StreamEnd): void => {
      if (state === 'awaited') refuse(end);
    };
    // Told when the status has left, and when the other side gave up.
    call.on('cancelled', () => {
      stopTimer();
      if (state === 'refused') stream.stopReading();
      linger(stream, this.#parts, nothing);
    });
    const address = addressOf(call);
    if (!this.#quota.acquire(address)) {
      refuse({ code: 'RESOURCE_EXHAUSTED', message: 'too many calls at once; come back later' });
      return () => false;
    }
    stream.onClose(() => {
      this.#quota.release(address);
      stopTimer();
    });
    const late = { code: 'DEADLINE_EXCEEDED', message: 'no request came in time' } as const;
    stopTimer = clock.after(requestTimeout, () => withoutRequest(late));
    let bytes = 0;
    stream.onData((piece) => {
      bytes += piece.length;
      if (bytes > maxRequest) refuse({ code: 'RESOURCE_EXHAUSTED', message: `a request may have ${maxRequest} bytes` });
    });
    call.on('end', () => withoutRequest({ code: 'INVALID_ARGUMENT', message: 'there is no request' }));
    return () => {
      if (state !== 'awaited') return false;
      state = 'asked';
      stopTimer();
      return true;
    };
  }
}

const identity = (bytes: Buffer): Buffer => bytes;
const nothing = (): void => {};
