import type { Clock, Logger } from '../../edges.ts';
import { LogThrottle } from '../../rate/log-throttle.ts';
import { reasonOf } from '../errors.ts';

/** Logs failures of targets: a reason once per target and method, until the target responds to that method again. */
export interface TargetFailures {
  succeeded(target: string, method: string): void;
  failed(target: string, method: string, error: unknown): void;
  /** Call when a target was changed or removed. */
  forget(target: string): void;
}

/**
 * Reasons that are logged per target and method until it responds again: a target could invent new ones without end.
 */
const maxReasons = 4;

/** Starts with no known failure: nothing is logged for a target that responds from the start. */
export function createTargetFailures(clock: Clock, log: Logger): TargetFailures {
  const throttles = new Map<string, LogThrottle>();
  return {
    succeeded(target, method) {
      throttles.get(target)?.recovered(method, 'target answers again', { target, request: method });
    },
    failed(target, method, error) {
      const throttle = throttles.get(target) ?? new LogThrottle(clock, log, { maxReasons });
      throttles.set(target, throttle);
      const reason = reasonOf(error);
      if (throttle.admit(method, reason)) log.warn('target does not answer', { target, request: method, reason });
    },
    forget: (target) => void throttles.delete(target),
  };
}
