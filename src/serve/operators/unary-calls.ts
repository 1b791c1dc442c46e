import type { Server, ServerDuplexStream } from '@grpc/grpc-js';
import type { Stop } from '../../edges.ts';
import { Quota } from '../../rate/quota.ts';
import type { StreamStatus } from '../request/stream-status.ts';
import { addressOf, endCall } from '../transport/calls.ts';
import { Http2Stream, type LingerParts, linger } from '../transport/http2-stream.ts';

/** A method with one request, as generated code describes it. */
interface Method<Request, Response> {
  readonly path: string;
  readonly requestDeserialize: (bytes: Buffer) => Request;
  readonly responseSerialize: (response: Response) => Buffer;
}

/** A call whose request was received. After its end every method does nothing. */
export interface UnaryRequestCall<Response> {
  write(response: Response): void;
  end(): void;
  /** Ends the call with a status other than OK. */
  fail(status: StreamStatus): void;
  /** Calls `listener` when either side ended the call. */
  onEnd(listener: () => void): void;
}

/** The limits of the calls at one server, and what enforcing them needs. */
export interface UnaryRequestCallsParts extends LingerParts {
  /** Open calls, three quarters of them at most from one address; RESOURCE_EXHAUSTED beyond. */
  readonly maxConcurrent: number;
  /** Received bytes of one call; RESOURCE_EXHAUSTED beyond. */
  readonly maxRequest: number;
  /** Milliseconds until the request must be received; DEADLINE_EXCEEDED then. */
  readonly requestTimeout: number;
}

/**
 * Calls with one request, unary or server-streaming, of services other than ADS. grpc-js reports a unary call when its
 * request is complete, and keeps a call whose request never is, with all bytes it received. So the methods are
 * registered as bidirectional streams, which are the same on the wire.
 */
export class UnaryRequestCalls {
  readonly #parts: UnaryRequestCallsParts;
  readonly #quota: Quota;

  constructor(parts: UnaryRequestCallsParts) {
    this.#parts = parts;
    this.#quota = new Quota(parts.maxConcurrent);
  }

  register<Request, Response>(
    server: Server,
    { path, requestDeserialize, responseSerialize }: Method<Request, Response>,
    handler: (request: Request, call: UnaryRequestCall<Response>) => void,
  ): void {
    const begin = (call: ServerDuplexStream<Request, Buffer>): void => {
      const acceptRequest = this.#begin(call);
      call.once('data', (request: Request) => {
        if (!acceptRequest()) return;
        handler(request, {
          write: (response) => void call.write(responseSerialize(response)),
          end: () => call.end(),
          fail: (status) => endCall(call, status),
          onEnd: (listener) => void call.on('cancelled', listener),
        });
      });
    };
    server.register(path, begin, identity, requestDeserialize, 'bidi');
  }

  /**
   * Applies the limits to a new call. Returns a function to call with the arrival of the request, which returns whether
   * the request is to be handled.
   */
  #begin<Request>(call: ServerDuplexStream<Request, Buffer>): () => boolean {
    const { clock, maxRequest, requestTimeout } = this.#parts;
    const stream = new Http2Stream(call);
    let stopTimer: Stop = noTimer;
    let state: 'awaiting-request' | 'request-received' | 'failed' = 'awaiting-request';
    const fail = (status: StreamStatus): void => {
      if (state === 'failed') return;
      state = 'failed';
      endCall(call, status);
    };
    const failWithoutRequest = (status: StreamStatus): void => {
      if (state === 'awaiting-request') fail(status);
    };
    const address = addressOf(call);
    if (!this.#quota.acquire(address)) {
      // A call that is refused is not waited for: it keeps nothing.
      call.on('cancelled', () => stream.close());
      fail({ code: 'RESOURCE_EXHAUSTED', message: 'too many calls at once; come back later' });
      return () => false;
    }
    // Emitted when the status was sent, and when the client cancelled.
    call.on('cancelled', () => {
      stopTimer();
      if (state === 'failed') stream.stopReading();
      linger(stream, this.#parts, ignoreReset);
    });
    stream.onClose(() => {
      this.#quota.release(address);
      stopTimer();
    });
    const timedOut = { code: 'DEADLINE_EXCEEDED', message: 'no request came in time' } as const;
    stopTimer = clock.after(requestTimeout, () => failWithoutRequest(timedOut));
    let bytes = 0;
    stream.onData((chunk) => {
      bytes += chunk.length;
      if (bytes > maxRequest) fail({ code: 'RESOURCE_EXHAUSTED', message: `a request may have ${maxRequest} bytes` });
    });
    call.on('end', () => failWithoutRequest({ code: 'INVALID_ARGUMENT', message: 'there is no request' }));
    return () => {
      if (state !== 'awaiting-request') return false;
      state = 'request-received';
      stopTimer();
      return true;
    };
  }
}

const identity = (bytes: Buffer): Buffer => bytes;
const noTimer = (): void => {};
/** Only resets of ADS streams are counted. */
const ignoreReset = (): void => {};
