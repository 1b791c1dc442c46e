import type { ServerResponse } from 'node:http';
import type { Clock, Logger } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { RateLimiter } from '../../rate/rate-limiter.ts';
import type { GatewayCounters } from '../model.ts';
import { type ErrorResponse, sendError } from './error-response.ts';

/** Why a request was refused before anybody looked at its token: the value of a label. */
type StrangerReason = 'host' | 'origin' | 'path' | 'method';

/** What is answered to anybody: the preflight of a page whose origin is allowed, and the metadata for clients. */
type OpenKind = 'preflight' | 'metadata';

/** Requests whose caller nobody looks at. */
export interface Strangers {
  /** Answers a request that is refused before its caller is known. */
  refuse(reason: StrangerReason, response: ServerResponse, error: ErrorResponse): void;
  /** Call it for each request that is answered whoever has sent it. */
  answered(kind: OpenKind, response: ServerResponse): void;
}

/**
 * Such requests that are no reason for a line in the log: a person in a browser, a client with a wrong URL, a scanner.
 */
const usual = { rate: 10, burst: 100 };

/** Counts all of them, and logs once in ten minutes when those of one sort are many. */
export function createStrangers(parts: {
  readonly clock: Clock;
  readonly log: Logger;
  readonly counters: GatewayCounters;
}): Strangers {
  const { clock, log, counters } = parts;
  const throttle = new LogThrottle(clock, log);
  const warnOfMany = (sort: string, message: string): ((reason: string, response: ServerResponse) => void) => {
    const limiter = new RateLimiter(clock, usual);
    return (reason, response) => {
      if (limiter.tryTake() === 0) return;
      throttle.failed(sort, { reason, message, fields: { address: response.req.socket.remoteAddress } });
    };
  };
  const warnOfRefused = warnOfMany('strangers', 'many requests are refused before their caller is known');
  const warnOfAnswered = warnOfMany('open', 'many requests are answered that need no token');
  return {
    refuse(reason, response, error) {
      counters.count('gatehouse_gateway_requests_refused_total', { reason });
      warnOfRefused(reason, response);
      sendError(response, error);
    },
    answered(kind, response) {
      counters.count('gatehouse_gateway_requests_open_total', { kind });
      warnOfAnswered(kind, response);
    },
  };
}
