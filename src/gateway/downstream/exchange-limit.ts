import type { ServerResponse } from 'node:http';
import type { Clock, Logger, Stop } from '../../edges.ts';
import { KeyedRateLimiter } from '../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import { callerKey } from '../callers.ts';
import type { Caller, GatewayCounters } from '../model.ts';
import type { ErrorResponse } from './error-response.ts';

/** Requests that may be answered at once: one event stream and three calls of each of the 1,000 sessions. */
const maxExchanges = 4_096;

/** The part of them that one caller may have: a fleet of agents may share one identity. */
const callerShare = 1 / 2;

/** Two callers leave a quarter, three an eighth. */
const shareOfRest = 1;

/** A request that was admitted, or the error response. */
type Admission =
  | { readonly kind: 'admitted'; readonly hold: Hold }
  | { readonly kind: 'refused'; readonly error: ErrorResponse };

/**
 * Counts a request on, although its response is closed, until the returned function is called: a client that
 * disconnects does not cancel what it has asked for, which takes a connection to a target. Idempotent.
 */
export type Hold = () => Stop;

/** Limits the requests of authenticated callers that are being answered; an event stream is, until it ends. */
export interface ExchangeLimit {
  /** Counts a request until its response is closed, and nobody holds it. */
  admit(response: ServerResponse, caller: Caller): Admission;
}

/** Creates the limit over both transports. */
export function createExchangeLimit(parts: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
  readonly maxRequestRate?: number | undefined;
}): ExchangeLimit {
  const { clock, log, counters, maxRequestRate } = parts;
  const rates =
    maxRequestRate === undefined ? undefined : new KeyedRateLimiter(clock, { rate: maxRequestRate, maxKeys: maxRates });
  const quota = new Quota(maxExchanges, callerShare, shareOfRest);
  const throttle = new LogThrottle(clock, log);
  return {
    admit(response, caller) {
      const key = callerKey(caller);
      const delay = rates?.tryTake(key) ?? 0;
      if (delay > 0) {
        counters.count('gatehouse_gateway_requests_refused_total', { reason: 'rate' });
        throttle.failed('rate', { reason: 'rate', message: 'requests are refused: a caller sends too many a second' });
        return { kind: 'refused', error: tooFast(maxRequestRate, delay) };
      }
      if (quota.acquire(key)) {
        let holders = 0;
        const hold: Hold = () => {
          let held = true;
          holders += 1;
          return () => {
            if (!held) return;
            held = false;
            holders -= 1;
            if (holders === 0) quota.release(key);
          };
        };
        response.once('close', hold());
        return { kind: 'admitted', hold };
      }
      const reason = quota.exceedsShare(key) ? 'caller' : 'gateway';
      counters.count('gatehouse_gateway_requests_refused_total', { reason });
      throttle.failed(reason, { reason, message: 'requests are refused: too many are being answered at once' });
      return { kind: 'refused', error: reason === 'caller' ? tooManyOfCaller : tooMany };
    },
  };
}

/** Callers whose rates are remembered: as many as sessions of both transports, twice. */
const maxRates = 4_096;

/** @param delay milliseconds until the next request may come */
function tooFast(rate: number | undefined, delay: number): ErrorResponse {
  return {
    status: 429,
    message: `You may send ${rate} requests a second (--max-request-rate): wait ${delay} ms`,
    headers: { 'retry-after': String(Math.ceil(delay / 1_000)) },
  };
}

const retry = { 'retry-after': '5' };

const tooManyOfCaller: ErrorResponse = {
  status: 429,
  message: `You have ${maxExchanges * callerShare} requests and event streams open: close some`,
  headers: retry,
};

const openAtMost = `${maxExchanges} requests and event streams open, and of each caller no more than are free`;

const tooMany: ErrorResponse = {
  status: 503,
  message: `The gateway has at most ${openAtMost}: try again later`,
  headers: retry,
};
