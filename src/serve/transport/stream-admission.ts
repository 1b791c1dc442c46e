import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Clock, Counters, Logger, Stop } from '../../edges.ts';
import { reasonOf } from '../../net/errors.ts';
import { FairQueue } from '../../rate/fair-queue.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { StreamStatus } from '../request/stream-status.ts';
import { refuseStream } from './calls.ts';
import type { Http2Failure, StreamGate } from './http2-server.ts';

/**
 * Streams that are passed on to gRPC in one iteration of the event loop. Each costs 0.1 to 0.2 ms: as connections, those
 * that begin while nothing changes delay everything else by a few milliseconds, and beside a change by less than one.
 */
const starts = { idle: 16, busy: 2 };

/** Addresses whose rate of further streams is remembered. */
const maxAddresses = 10_000;

/** Bytes of the headers of one stream: the hard limit of other gRPC servers. A node sends a few hundred. */
export const maxHeaders: number = 16 << 10;

/** Limits of streams, and dependencies. */
export interface StreamAdmissionParts {
  readonly clock: Clock;
  readonly counters: Counters;
  readonly log: Logger;
  /** Returns whether a change is being sent to nodes, or was a moment ago. */
  readonly busy: () => boolean;
  /** Streams open at once. */
  readonly maxStreams: number;
  /** Streams per second and at once that one address may open on connections that have had one. */
  readonly furtherStreamRate: number;
  readonly furtherStreamBurst: number;
  /** New streams per second; as many may start at once, and as many may wait. */
  readonly maxStreamsPerSecond: number;
}

/** A stream that waits for its turn. */
interface Pending {
  readonly address: string;
  readonly start: () => void;
  readonly refuse: (status: StreamStatus) => void;
}

/** A connection on which HTTP/2 has begun. */
interface Connection {
  readonly address: string;
  /** Streams that may still begin without a permit of the address: the first one, and those it began with. */
  paid: number;
}

/**
 * Admits the streams of all connections, of whatever method, before gRPC sees them: at a bounded rate, in bounded
 * number (rule G3), and a few in each iteration of the event loop. A stream above the rate waits in a fair queue by
 * address. When that is full, it or the oldest of the address with the most is refused. Nothing of a refused stream is
 * read or kept.
 *
 * A node needs one stream on a connection. Further ones have a rate by address; beyond it the connection gets GOAWAY with
 * ENHANCE_YOUR_CALM, takes no stream any more and is closed when those it has are ended.
 */
export class StreamAdmission implements StreamGate {
  readonly #parts: StreamAdmissionParts;
  readonly #quota: Quota;
  readonly #rate: RateLimiter;
  /** Streams above the rate. */
  readonly #waiting: FairQueue<Pending>;
  /** Streams with a permit of the rate, which start in one of the next iterations of the event loop. */
  readonly #admitted = new FairQueue<Pending>(Number.POSITIVE_INFINITY);
  readonly #connections = new WeakMap<Http2Session, Connection>();
  readonly #furtherStreams: KeyedRateLimiter;
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
    const { furtherStreamRate: rate, furtherStreamBurst: burst } = parts;
    this.#furtherStreams = new KeyedRateLimiter(parts.clock, { rate, burst, maxKeys: maxAddresses });
    this.#log = new LogThrottle(parts.clock, parts.log);
  }

  /**
   * Takes permits for the streams that a connection begins with, before HTTP/2 spends time on them.
   *
   * @returns false when its address has opened too many
   */
  mayOpen(address: string, streams: number): boolean {
    for (let left = streams - 1; left > 0; left -= 1) if (this.#furtherStreams.tryTake(address) > 0) return false;
    return true;
  }

  /** Call it for each connection, with the number of streams that `mayOpen` has allowed. */
  began(session: Http2Session, streams: number): void {
    const address = session.socket.remoteAddress ?? '';
    this.#connections.set(session, { address, paid: Math.max(1, streams) });
  }

  /** Calls `start` when the stream is admitted, unless it has ended before. */
  admit(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, start: () => void): void {
    const { session } = stream;
    const connection = session && this.#connections.get(session);
    if (session === undefined || connection === undefined || stream.destroyed) return;
    const { address } = connection;
    if (connection.paid > 0) connection.paid -= 1;
    else if (this.#furtherStreams.tryTake(address) > 0) {
      refuseStream(stream, tooManyNew);
      this.#close(session, address);
      return;
    }
    const problem = this.#closed ?? unacceptable(headers);
    if (problem === undefined) this.#enqueue(stream, address, start);
    else refuseStream(stream, problem);
  }

  /** Counts and logs a connection that ended because of an error of HTTP/2: its node gets no reason, only a code. */
  failed(session: Http2Session, reason: Http2Failure, error: Error): void {
    this.#parts.counters.count('gatehouse_xds_connections_failed_total', { reason });
    this.#log.failed('http2', {
      reason: reasonOf(error),
      message: `connections end because of errors of HTTP/2; headers of far more than ${maxHeaders} bytes are one, such as a large token`,
      fields: { address: this.#connections.get(session)?.address },
    });
  }

  /** Resets a stream whose data come in pieces that are too small, at once: each piece that follows costs as much. */
  cutOff(stream: ServerHttp2Stream): void {
    this.#parts.counters.count('gatehouse_xds_streams_refused_total');
    this.#log.failed('cut off', {
      reason: 'requests in pieces of a few bytes',
      message: 'streams are reset because they send their requests in pieces of a few bytes',
      fields: { address: stream.session?.socket.remoteAddress },
    });
    stream.close(enhanceYourCalm);
    stream.destroy();
  }

  /** Refuses the waiting streams and all later ones with this status. */
  close(status: StreamStatus): void {
    this.#closed = status;
    this.#clearTimer();
    for (const queue of [this.#admitted, this.#waiting]) {
      for (let next = queue.next(); next !== undefined; next = queue.next()) next.refuse(status);
    }
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

  #close(session: Http2Session, address: string): void {
    this.#parts.counters.count('gatehouse_xds_connections_closed_total');
    this.#log.failed('closed', {
      reason: 'too many new streams',
      message: 'connections are closed because they open streams without end',
      fields: { address },
    });
    session.goaway(enhanceYourCalm);
    session.close();
  }
}

/** Returns why this server does not accept a stream with these headers. */
function unacceptable(headers: IncomingHttpHeaders): StreamStatus | undefined {
  const { 'grpc-encoding': encoding = 'identity' } = headers;
  // A small message could decompress to the maximum of a request, for each of thousands of streams.
  if (encoding !== 'identity') return compressed;
  // HTTP/2 enforces its setting only when the client has acknowledged it, and a compressed header repeats for a byte.
  let size = 0;
  for (const name in headers) size += name.length + (headers[name]?.length ?? 0);
  return size > maxHeaders ? largeHeaders : undefined;
}

const largeHeaders = {
  code: 'RESOURCE_EXHAUSTED',
  message: `the headers of a stream may have ${maxHeaders} bytes`,
} as const;
const compressed = {
  code: 'UNIMPLEMENTED',
  message: 'compressed requests are not supported; send them without compression (grpc-encoding: identity)',
} as const;
const tooManyOpen = { code: 'RESOURCE_EXHAUSTED', message: 'too many streams are open; come back later' } as const;
const tooManyNew = { code: 'RESOURCE_EXHAUSTED', message: 'too many new streams; come back later' } as const;

/** The error code ENHANCE_YOUR_CALM of HTTP/2 (RFC 9113, section 7). */
const enhanceYourCalm = 11;
