import type { ServerResponse } from 'node:http';
import type { Clock, Logger, Stop } from '../../edges.ts';
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
 * Counts a request on, although its response is closed, until the returned function is called: a client that disconnects
 * does not cancel what it has asked for, which takes a connection to a target. Idempotent.
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
}): ExchangeLimit {
  const { clock, log, counters } = parts;
  const quota = new Quota(maxExchanges, callerShare, shareOfRest);
  const throttle = new LogThrottle(clock, log);
  return {
    admit(response, caller) {
      const key = callerKey(caller);
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

const retry = { 'retry-after': '5' };

const tooManyOfCaller: ErrorResponse = {
  status: 429,
  message: `You have ${maxExchanges * callerShare} requests and event streams open: close some`,
  headers: retry,
};

const tooMany: ErrorResponse = {
  status: 503,
  message: 'The gateway is answering too many requests: try again later',
  headers: retry,
};
