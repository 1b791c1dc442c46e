import type { IncomingHttpHeaders, Http2Session, ServerHttp2Stream } from 'node:http2';
import type { Clock, Counters, Logger, Stop } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import { FairQueue } from '../limits/fair-queue.ts';
import type { StreamStatus } from '../request/stream-status.ts';
import { refuseStream } from './calls.ts';

/**
 * Streams that are passed on to gRPC in one iteration of the event loop. Each costs 0.1 to 0.2 ms: as connections, those
 * that begin while nothing changes delay everything else by a few milliseconds, and beside a change by less than one.
 */
const starts = { idle: 16, busy: 2 };

/**
 * Streams that a connection may open at once, as a multiple of those that may be open, and per second as a multiple of
 * the same: a proxy whose streams were all refused opens them again after a second (rule G9).
 */
const burstPerConnection = 2;

export interface StreamAdmissionParts {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Logger;
  /** Returns whether a change is being sent to nodes, or was a moment ago. */
  readonly busy: () => boolean;
  /** Streams open at once. */
  readonly maxStreams: number;
  /** Streams open at once on one connection. */
  readonly maxStreamsPerConnection: number;
  /** New streams per second; as many may start at once, and as many may wait. */
  readonly maxStreamsPerSecond: number;
}

/** A stream that waits for its turn. */
interface Pending {
  readonly address: string;
  readonly start: () => void;
  readonly refuse: (status: StreamStatus) => void;
}

/** What is known of a connection with a stream. */
interface Connection {
  readonly address: string;
  readonly rate: RateLimiter;
}

/**
 * Admits the streams of all connections, of whatever method, before gRPC sees them: at a bounded rate, in bounded
 * number (rule G3), and a few in each iteration of the event loop. A stream above the rate waits in a fair queue by
 * address. When that is full, it or the oldest of the address with the most is refused. Nothing of a refused stream is
 * read or kept; a connection that opens streams without end is closed.
 */
export class StreamAdmission {
  readonly #parts: StreamAdmissionParts;
  readonly #quota: Quota;
  readonly #rate: RateLimiter;
  /** Streams above the rate. */
  readonly #waiting: FairQueue<Pending>;
  /** Streams with a permit of the rate, which start in one of the next iterations of the event loop. */
  readonly #admitted = new FairQueue<Pending>(Number.POSITIVE_INFINITY);
  readonly #connections = new WeakMap<Http2Session, Connection>();
  readonly #log: LogThrottle;
  /** Streams that were started in this iteration of the event loop. */
  #started = 0;
  #stopTimer: Stop | undefined;
  #closed: StreamStatus | undefined;

  constructor(parts: StreamAdmissionParts) {
    this.#parts = parts;
    this.#quota = new Quota(parts.maxStreams);
    this.#rate = new RateLimiter(parts.clock, { rate: parts.maxStreamsPerSecond, burst: parts.maxStreamsPerSecond });
    this.#waiting = new FairQueue(parts.maxStreamsPerSecond);
    this.#log = new LogThrottle(parts.clock, parts.log);
  }

  /** Calls `start` when the stream is admitted, unless it has ended before. */
  admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, start: () => void): void {
    const { session } = stream;
    if (session === undefined || stream.destroyed) return;
    const connection = this.#connectionOf(session);
    if (connection.rate.tryTake() > 0) {
      this.#close(session, connection);
      return;
    }
    const problem = this.#closed ?? unsupported(headers);
    if (problem === undefined) this.#enqueue(stream, connection.address, start);
    else refuseStream(stream, problem);
  }

  /** Refuses the waiting streams and all later ones with this status. */
  close(status: StreamStatus): void {
    this.#closed = status;
    this.#clearTimer();
    for (const queue of [this.#admitted, this.#waiting]) {
      for (let next = queue.next(); next !== undefined; next = queue.next()) next.refuse(status);
    }
  }

  #connectionOf(session: Http2Session): Connection {
    const known = this.#connections.get(session);
    if (known !== undefined) return known;
    const { clock, maxStreamsPerConnection: rate } = this.#parts;
    const address = session.socket.remoteAddress ?? '';
    const connection = { address, rate: new RateLimiter(clock, { rate, burst: rate * burstPerConnection }) };
    this.#connections.set(session, connection);
    return connection;
  }

  #enqueue(stream: ServerHttp2Stream, address: string, start: () => void): void {
    if (!this.#quota.acquire(address)) {
      this.#countRefused(address);
      refuseStream(stream, tooManyOpen);
      return;
    }
    const pending: Pending = { address, start, refuse: (status) => refuseStream(stream, status) };
    stream.once('close', () => {
      this.#quota.release(address);
      this.#admitted.delete(address, pending);
      this.#waiting.delete(address, pending);
      if (this.#waiting.size === 0) this.#clearTimer();
    });
    if (this.#waiting.size === 0 && this.#rate.tryTake() === 0) this.#admitted.add(address, pending);
    else this.#wait(pending);
    this.#startSome();
  }

  #wait(pending: Pending): void {
    const rejected = this.#waiting.add(pending.address, pending);
    if (rejected !== undefined) {
      this.#countRefused(rejected.address);
      rejected.refuse(tooManyNew);
    }
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stopTimer !== undefined || this.#waiting.size === 0) return;
    this.#stopTimer = this.#parts.clock.after(this.#rate.delay(), () => {
      this.#stopTimer = undefined;
      while (this.#waiting.size > 0 && this.#rate.tryTake() === 0) {
        const next = this.#waiting.next();
        if (next !== undefined) this.#admitted.add(next.address, next);
      }
      this.#startSome();
      this.#schedule();
    });
  }

  #startSome(): void {
    const limit = this.#parts.busy() ? starts.busy : starts.idle;
    for (; this.#started < limit && this.#admitted.size > 0; this.#started += 1) {
      if (this.#started === 0) setImmediate(this.#nextIteration);
      this.#admitted.next()?.start();
    }
  }

  readonly #nextIteration = (): void => {
    this.#started = 0;
    this.#startSome();
  };

  #clearTimer(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
  }

  #countRefused(address: string): void {
    this.#parts.counters.count('gatehouse_xds_streams_refused_total');
    this.#log.failed('refused', {
      reason: 'too many streams',
      message: 'streams are refused; if their nodes are honest, raise --max-streams-per-second or --max-connections',
      fields: { address },
    });
  }

  #close(session: Http2Session, { address }: Connection): void {
    this.#parts.counters.count('gatehouse_xds_connections_closed_total');
    this.#log.failed('closed', {
      reason: 'too many new streams on one connection',
      message: 'connections are closed; if a proxy opens them, raise --max-streams-per-connection',
      fields: { address },
    });
    session.goaway(enhanceYourCalm);
    session.destroy();
  }
}

/** Returns why this server does not accept a stream with these headers. */
function unsupported(headers: IncomingHttpHeaders): StreamStatus | undefined {
  const { 'grpc-encoding': encoding = 'identity' } = headers;
  // A small message could decompress to the maximum of a request, for each of thousands of streams.
  return encoding === 'identity' ? undefined : compressed;
}

const compressed = {
  code: 'UNIMPLEMENTED',
  message: 'compressed requests are not supported; send them without compression (grpc-encoding: identity)',
} as const;
const tooManyOpen = { code: 'RESOURCE_EXHAUSTED', message: 'too many streams are open; come back later' } as const;
const tooManyNew = { code: 'RESOURCE_EXHAUSTED', message: 'too many new streams; come back later' } as const;

/** The error code ENHANCE_YOUR_CALM of HTTP/2 (RFC 9113, section 7). */
const enhanceYourCalm = 11;
