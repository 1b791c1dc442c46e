import type { Clock, Counters, Stop } from '../../edges.ts';
import { Quota } from '../../rate/quota.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { FairQueue } from '../limits/fair-queue.ts';
import type { StreamStatus } from '../request/stream-status.ts';
import { type AdsCall, addressOf, endCall } from './calls.ts';
import { Http2Stream, type LingerParts, linger } from './http2-stream.ts';

export interface StreamAdmissionParts extends LingerParts {
  readonly clock: Clock;
  readonly counters: Counters;
  /** Streams open at once. */
  readonly maxStreams: number;
  /** New streams per second; as many may start at once, and as many may wait. */
  readonly maxStreamsPerSecond: number;
}

/** A stream that waits for a permit. */
interface Pending {
  readonly address: string;
  readonly start: () => void;
  readonly end: (end: StreamStatus) => void;
}

/**
 * Admits new streams at a bounded rate and in bounded number (rule G3). A stream above the rate waits in a fair queue
 * by address. When that is full, it or the oldest of the address with the most is refused, before a response. Nothing of
 * a refused stream is read or kept.
 */
export class StreamAdmission {
  readonly #parts: StreamAdmissionParts;
  readonly #quota: Quota;
  readonly #rate: RateLimiter;
  readonly #waiting: FairQueue<Pending>;
  #stopTimer: Stop | undefined;
  #closed: StreamStatus | undefined;

  constructor(parts: StreamAdmissionParts) {
    this.#parts = parts;
    this.#quota = new Quota(parts.maxStreams);
    this.#rate = new RateLimiter(parts.clock, { rate: parts.maxStreamsPerSecond, burst: parts.maxStreamsPerSecond });
    this.#waiting = new FairQueue(parts.maxStreamsPerSecond);
  }

  /** Calls `start` when the stream is admitted, unless it has ended before. */
  admit(call: AdsCall, start: (stream: Http2Stream) => void): void {
    const stream = new Http2Stream(call);
    const address = addressOf(call);
    if (this.#closed !== undefined) this.#end(call, stream, this.#closed);
    else if (!this.#quota.acquire(address)) {
      this.#countRefused();
      this.#end(call, stream, { code: 'RESOURCE_EXHAUSTED', message: 'too many streams are open; come back later' });
    } else {
      stream.onClose(() => this.#quota.release(address));
      if (this.#waiting.size === 0 && this.#rate.tryTake() === 0) start(stream);
      else this.#enqueue(call, stream, address, start);
    }
  }

  /** Ends the waiting streams and all later ones with this status. */
  close(end: StreamStatus): void {
    this.#closed = end;
    this.#clearTimer();
    for (let next = this.#waiting.next(); next !== undefined; next = this.#waiting.next()) next.end(end);
  }

  #enqueue(call: AdsCall, stream: Http2Stream, address: string, start: (stream: Http2Stream) => void): void {
    const leave = (): void => {
      call.off('cancelled', cancelled);
      this.#waiting.delete(address, pending);
      if (this.#waiting.size === 0) this.#clearTimer();
    };
    // The node cancelled, or the deadline of its call has passed, which it may not notice.
    const cancelled = (): void => {
      leave();
      linger(stream, this.#parts, ignoreReset);
    };
    const pending: Pending = {
      address,
      start: () => {
        leave();
        start(stream);
      },
      end: (end) => {
        leave();
        this.#end(call, stream, end);
      },
    };
    call.on('cancelled', cancelled);
    const rejected = this.#waiting.add(address, pending);
    if (rejected !== undefined) {
      this.#countRefused();
      rejected.end({ code: 'RESOURCE_EXHAUSTED', message: 'too many new streams; come back later' });
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stopTimer !== undefined || this.#waiting.size === 0) return;
    this.#stopTimer = this.#parts.clock.after(this.#rate.delay(), () => {
      this.#stopTimer = undefined;
      while (this.#waiting.size > 0 && this.#rate.tryTake() === 0) this.#waiting.next()?.start();
      this.#schedule();
    });
  }

  #clearTimer(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #countRefused(): void {
    this.#parts.counters.count('gatehouse_xds_streams_refused_total');
  }

  #end(call: AdsCall, stream: Http2Stream, end: StreamStatus): void {
    endCall(call, end);
    linger(stream, this.#parts, ignoreReset);
  }
}

/** The reset of a stream that was not admitted says nothing about a node, so it is not counted. */
const ignoreReset = (): void => {};
