import type { ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { GatewayCounters } from '../model.ts';
import { type ErrorResponse, sendError } from './error-response.ts';

/** Why a request was refused before anybody looked at its token: the value of a label. */
type StrangerReason = 'host' | 'origin' | 'path' | 'method';

/** Answers a request that is refused before its caller is known. */
export type RefuseStranger = (reason: StrangerReason, response: ServerResponse, error: ErrorResponse) => void;

/**
 * Such requests that are no reason for a line in the log: a person in a browser, a client with a wrong URL, a scanner.
 */
const usual = { rate: 10, burst: 100 };

/** Counts all of them, and logs once in ten minutes when they are many. */
export function createRefuseStranger(parts: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
}): RefuseStranger {
  const { clock, log, counters } = parts;
  const limiter = new RateLimiter(clock, usual);
  const throttle = new LogThrottle(clock, log);
  return (reason, response, error) => {
    counters.count('gatehouse_gateway_requests_refused_total', { reason });
    if (limiter.tryTake() > 0) {
      const address = response.req.socket.remoteAddress;
      const message = 'many requests are refused before their caller is known';
      throttle.failed('strangers', { reason, message, fields: { address } });
    }
    sendError(response, error);
  };
}
