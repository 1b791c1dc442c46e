import type { Clock, Logger } from '../../../edges.ts';
import { causeOf, reasonOf } from '../../../net/errors.ts';
import { KeyedRateLimiter } from '../../../rate/keyed-rate-limiter.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import { RateLimiter } from '../../../rate/rate-limiter.ts';
import { RpcError } from '../../rpc/rpc-error.ts';
import { AnswerBudgetError } from '../answer-limits.ts';
import { HttpStatusError, MediaTypeError } from '../transport/http-exchange.ts';
import { connectionRequest, type TargetStates } from './target-states.ts';

/**
 * Logs and counts failures of targets: a reason once per target and method, until the target responds to that method
 * again.
 */
export interface TargetFailures {
  succeeded(target: string, method: string): void;
  /** The target has responded, with an error. */
  refused(target: string): void;
  /** A request, or a connection, has failed; see {@link isRefusal} for what is a failure of that request alone. */
  failed(target: string, method: string, error: unknown): void;
  /**
   * Returns whether a failure is an answer that says nothing of how others are answered, whatever its status: only that
   * the target can be reached. So it is where requests of clients may have headers, such as a token, that those of other
   * clients and the gateway's own have not.
   */
  isRefusal(error: unknown): boolean;
  /** No connection can be made. Logs nothing, as the request does that has found it out. */
  unreachable(target: string, error: unknown): void;
  /** A connection can be made again. */
  connected(target: string): void;
  /** A request was not sent, because no connection can be made. Logs it if nothing of this failure was logged. */
  skipped(target: string, method: string, error: unknown): void;
  /**
   * Targets were left out of one list for the same reason: one line for all of them. No failure of theirs: which lists
   * are made together depends on what the caller may use.
   */
  leftOut(targets: readonly string[], method: string, reason: string): void;
  /** Notifications of a target are read more slowly than it sends them: no failure, but its callers may notice it. */
  floods(target: string): void;
  /** Call when a target was changed or removed. */
  forget(target: string): void;
}

/**
 * Reasons that are logged per target and method until it responds again: a target could invent new ones without end.
 */
const maxReasons = 4;

/** Lines per target: it may answer some sessions and fail others without end, and each change would be a line. */
const lineRate = { rate: 1 / 30, burst: 16 } as const;

/** Lines about all targets: dozens that fail at once, and in turns, are lines for each. */
const allLinesRate = { rate: 1 / 10, burst: 24 } as const;

const tooFast = 'it sends more progress, log messages or updates of resources than are read in a second';

/**
 * Starts with no known failure: nothing is logged for a target that responds from the start.
 *
 * @param passesHeaders whether targets get headers of clients; see {@link TargetFailures.isRefusal}
 */
export function createTargetFailures(
  clock: Clock,
  log: Logger,
  states: TargetStates,
  passesHeaders: boolean = false,
): TargetFailures {
  const throttles = new Map<string, LogThrottle>();
  const lines = new KeyedRateLimiter(clock, lineRate);
  const allLines = new RateLimiter(clock, allLinesRate);
  /** What is the fault of no target alone, and may concern all of them at once. */
  const ofAll = new LogThrottle(clock, log);
  const floods = new LogThrottle(clock, log);
  const throttleOf = (target: string): LogThrottle => {
    const throttle = throttles.get(target) ?? new LogThrottle(clock, log, { maxReasons });
    throttles.set(target, throttle);
    return throttle;
  };
  const warn = (target: string, method: string, error: unknown, message = 'target does not answer'): void => {
    const reason = reasonOf(error);
    if (!throttleOf(target).admit(method, reason) || lines.tryTake(target) > 0) return;
    if (allLines.tryTake() === 0) {
      log.warn(message, { target, request: method, reason });
      return;
    }
    const tooMany = {
      reason: 'too many targets fail',
      message: 'failures of targets are not all logged: see /targets',
    };
    ofAll.failed('lines', { ...tooMany, fields: { target } });
  };
  const isRefusal = (error: unknown): boolean => passesHeaders && isAnswer(error);
  return {
    refused: (target) => states.answered(target, 'error'),
    isRefusal,
    succeeded(target, method) {
      states.answered(target, 'result');
      const throttle = throttles.get(target);
      if (lines.delay(target) > 0 || allLines.delay() > 0) return;
      if (throttle?.recovered(method, 'target answers again', { target, request: method }) === true) {
        lines.tryTake(target);
        allLines.reserve();
      }
    },
    unreachable: (target, error) => states.failed(target, connectionRequest, error),
    connected: states.connected,
    skipped(target, method, error) {
      states.skipped(target);
      if (throttleOf(target).isQuiet) warn(target, method, error);
    },
    failed(target, method, error) {
      if (isRefusal(error)) {
        states.refused(target, method, error);
        warn(target, method, error, 'target refuses a request, perhaps for the headers of its client');
        return;
      }
      states.failed(target, method, error);
      if (error instanceof AnswerBudgetError) {
        const message = 'answers of targets are given up';
        ofAll.failed('budget', { reason: error.message, message, fields: { target, request: method } });
        return;
      }
      warn(target, method, error);
    },
    leftOut(targets, method, reason) {
      for (const target of targets) states.limited(target);
      const fields = { request: method, targets: targets.join(', ') };
      ofAll.failed(method, { reason, message: 'a list is made without some targets', fields });
    },
    floods(target) {
      if (floods.admit(target, tooFast) && allLines.tryTake() === 0) {
        log.warn('notifications of a target are read slowly', { target, because: tooFast });
      }
    },
    forget(target) {
      floods.forget(target);
      throttles.delete(target);
      states.forget(target);
    },
  };
}

/** Returns whether a failure is an answer of the target, whatever it says. */
function isAnswer(error: unknown): boolean {
  if (causeOf(error, RpcError)?.received !== undefined) return true;
  return statusOf(error) !== undefined || causeOf(error, MediaTypeError) !== undefined;
}

/** Returns the HTTP status by which a target has refused a request. */
export function statusOf(error: unknown): number | undefined {
  return causeOf(error, HttpStatusError)?.status;
}
