import type { Logger } from '../../edges.ts';
import { reasonOf } from '../errors.ts';

/** What is known of the targets, so that each change is logged once and not with every request. */
export interface Health {
  /** @param what was asked of the target; one kind of request may fail while others work */
  works(target: string, what: string): void;
  fails(target: string, what: string, error: unknown): void;
  /** The target is no more. */
  forget(target: string): void;
}

/** So many reasons are logged until the target works again; a target could think of ever new ones. */
const maxReasons = 4;

/** Starts with every target unknown: one that works from the beginning is not worth a line. */
export function createHealth(log: Logger): Health {
  /** The reasons that were logged, by target and by what was asked. */
  const failing = new Map<string, Map<string, Set<string>>>();
  return {
    works(target, what) {
      if (failing.get(target)?.delete(what) === true) log.info('target answers again', { target, request: what });
    },
    fails(target, what, error) {
      const ofTarget = failing.get(target) ?? new Map<string, Set<string>>();
      failing.set(target, ofTarget);
      const reasons = ofTarget.get(what) ?? new Set();
      ofTarget.set(what, reasons);
      const reason = reasonOf(error);
      if (reasons.size >= maxReasons || reasons.has(reason)) return;
      reasons.add(reason);
      log.warn('target does not answer', { target, request: what, reason });
    },
    forget(target) {
      failing.delete(target);
    },
  };
}
