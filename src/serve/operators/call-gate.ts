import type { Clock, Logger } from '../../edges.ts';
import { authorize, keepAuthorized, type RequestGuard } from '../../net/guard/request-guard.ts';
import { stopReading } from '../../net/socket-reads.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { refuseStream } from '../transport/calls.ts';
import { type StreamGate, valuesOf } from '../transport/http2-server.ts';

type Session = Parameters<StreamGate['failed']>[0];
type GatedStream = Parameters<StreamGate['admit']>[0];

/** CANCEL (RFC 9113, section 7). */
const cancel = 8;

/**
 * Calls of one address, of any method, after the first of a connection: a person's or a probe's. Each but those of health
 * may ask the API server. The first ones have the rate of new connections, so that a probe, which opens one, is answered
 * beside a flood of its own address.
 */
const callRate = { rate: 20, burst: 200, maxKeys: 4_096 } as const;

/**
 * Calls open at once, but those of health, which have a limit of their own; three quarters of them of one address. A tool
 * has one, or keeps a stream open; each takes up to 30 KiB beside its answer, also one of a method that is unknown.
 */
const maxOpen = 1_000;

/** Milliseconds until an answer begins: a request that is never complete is not waited for. */
const answerTimeout = 60_000;

/** Milliseconds that the client of a call that has its status has to end it, too; then it is reset. */
const linger = 5_000;

/** Who decides about calls, and dependencies. */
export interface CallGateParts {
  /** Asked before each call but those of health. Undefined: the listener is for whoever reaches it. */
  readonly guard: RequestGuard | undefined;
  readonly clock: Clock;
  readonly log: Logger;
  readonly failed: StreamGate['failed'];
  /** Called once with each connection that is closed because of its many calls. */
  readonly flooded: () => void;
}

/** Decides about the calls of operators. */
export interface CallGate extends StreamGate {
  /**
   * Takes permits for the calls that a connection begins with, before HTTP/2 spends time on them: all that have arrived
   * are made before the first one can be refused. Returns false when its address has made too many.
   */
  mayBegin(address: string | undefined, calls: number): boolean;
  /** Call it for each connection, with the number of calls that {@link mayBegin} has allowed. */
  began(session: Session, calls: number): void;
}

/** Limits the calls of operators, and lets the guard decide about each. */
export function createCallGate({ guard, clock, log, failed, flooded }: CallGateParts): CallGate {
  const open = new Quota(maxOpen);
  const rates = new KeyedRateLimiter(clock, callRate);
  const throttle = new LogThrottle(clock, log);
  /** Calls that need no permit any more. */
  const paid = new WeakMap<Session, number>();
  const closing = new WeakSet<Session>();
  const tell = (address: string | undefined): void => {
    flooded();
    throttle.failed('calls', {
      reason: 'too many calls',
      message: 'connections are closed because of their many calls',
      fields: { listener: 'admin', maxPerSecond: callRate.rate, address },
    });
  };
  /**
   * Not at once: a session that ends within one read of its connection can end the process (Http2Server). Until then
   * nothing more is read: a megabyte of what has arrived opens 6,000 streams, of which Node takes 60 µs for each.
   */
  const close = (session: Session): void => {
    if (closing.has(session)) return;
    closing.add(session);
    tell(session.socket.remoteAddress);
    stopReading(session.socket);
    setImmediate(() => session.destroy());
  };
  const isTooMuch = (session: Session): boolean => {
    if (closing.has(session)) return true;
    const left = paid.get(session) ?? 0;
    if (left === 0) return rates.tryTake(session.socket.remoteAddress ?? '') > 0;
    paid.set(session, left - 1);
    return false;
  };
  return {
    mayBegin(address, calls) {
      for (let left = calls - 1; left > 0; left -= 1) {
        if (rates.tryTake(address ?? '') === 0) continue;
        tell(address);
        return false;
      }
      return true;
    },
    began: (session, calls) => void paid.set(session, Math.max(1, calls)),
    admit(stream, headers, start, rawHeaders) {
      const { session } = stream;
      if (session === undefined) return;
      if (isTooMuch(session)) return close(session);
      const path = headers[':path'] ?? '';
      if (path.startsWith('/grpc.health.v1.Health/')) {
        start();
        return;
      }
      const address = session.socket.remoteAddress ?? '';
      if (!open.acquire(address)) {
        throttle.failed('open', { reason: 'too many open calls', message: 'calls are refused', fields: { address } });
        refuseStream(stream, tooManyOpen);
        return;
      }
      stream.once('close', () => open.release(address));
      limitTime(stream, clock);
      if (guard === undefined) {
        start();
        return;
      }
      const asked = { method: 'GET', path, authorization: valuesOf('authorization', rawHeaders), address };
      startAuthorized({ guard, asked, clock }, stream, start);
    },
    cutOff: (stream) => stream.destroy(),
    failed,
  };
}

interface Asking {
  readonly guard: RequestGuard;
  readonly asked: Parameters<typeof authorize>[1];
  readonly clock: Clock;
}

/** Asks the guard, and again while the call is open. */
function startAuthorized({ guard, asked, clock }: Asking, stream: GatedStream, start: () => void): void {
  void authorize(guard, asked).then((refusal) => {
    if (refusal !== undefined) {
      refuseStream(stream, { code: codes[refusal.status], message: encodeURI(refusal.message) });
      return;
    }
    if (stream.destroyed) return;
    stream.once(
      'close',
      // gRPC has the stream, and alone could send a status.
      keepAuthorized(guard, asked, clock, () => stream.close(cancel)),
    );
    start();
  });
}

/** Ends a call that its client does not: with half of a request, or after its status. */
function limitTime(stream: GatedStream, clock: Clock): void {
  let stopTimer = clock.after(answerTimeout, () => {
    if (!stream.headersSent) stream.destroy();
  });
  stream.once('finish', () => {
    stopTimer();
    stopTimer = clock.after(linger, () => stream.destroy());
  });
  stream.once('close', () => stopTimer());
}

const tooManyOpen = { code: 'RESOURCE_EXHAUSTED', message: 'too many calls are open; end some' } as const;
const codes = { 401: 'UNAUTHENTICATED', 403: 'PERMISSION_DENIED', 503: 'UNAVAILABLE' } as const;
