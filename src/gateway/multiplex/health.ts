import type { Logger } from '../../edges.ts';
import { reasonOf } from '../gateway-error.ts';

/** What is known of the targets, so that each change is logged once and not with every request. */
export interface Health {
  /** @param what was asked of the target; one kind of request may fail while others work */
  works(target: string, what: string): void;
  fails(target: string, what: string, error: unknown): void;
  /** The target is no more. */
  forget(target: string): void;
}

/** Starts with every target unknown: one that works from the beginning is not worth a line. */
export function createHealth(log: Logger): Health {
  const failing = new Map<string, Set<string>>();
  return {
    works(target, what) {
      if (failing.get(target)?.delete(what) === true) log.info('target answers again', { target, request: what });
    },
    fails(target, what, error) {
      const known = failing.get(target) ?? new Set();
      failing.set(target, known);
      if (known.has(what)) return;
      known.add(what);
      log.warn('target does not answer', { target, request: what, reason: reasonOf(error) });
    },
    forget(target) {
      failing.delete(target);
    },
  };
}
