import type { ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { Quota } from '../../rate/quota.ts';
import type { Caller, GatewayCounters } from '../model.ts';
import { callerKey } from '../session/authorization.ts';
import type { ErrorResponse } from './error-response.ts';

/** Requests that may be answered at once: one event stream and three calls of each of the 1,000 sessions. */
const maxExchanges = 4_096;

/** The part of them that one caller may have: a fleet of agents may share one identity. */
const callerShare = 1 / 2;

/** Limits the requests of authenticated callers that are being answered; an event stream is, until it ends. */
export interface ExchangeLimit {
  /** Counts a request until its response is closed, or returns the error response. */
  admit(response: ServerResponse, caller: Caller): ErrorResponse | undefined;
}

/** Creates the limit over both transports. */
export function createExchangeLimit(parts: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
}): ExchangeLimit {
  const { clock, log, counters } = parts;
  const quota = new Quota(maxExchanges, callerShare);
  const throttle = new LogThrottle(clock, log);
  return {
    admit(response, caller) {
      const key = callerKey(caller);
      if (quota.acquire(key)) {
        response.once('close', () => quota.release(key));
        return undefined;
      }
      const reason = quota.exceedsShare(key) ? 'caller' : 'gateway';
      counters.count('gatehouse_gateway_requests_refused_total', { reason });
      throttle.failed(reason, { reason, message: 'requests are refused: too many are being answered at once' });
      return reason === 'caller' ? tooManyOfCaller : tooMany;
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
