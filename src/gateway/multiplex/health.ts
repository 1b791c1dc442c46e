import type { Logger } from '../../edges.ts';
import { reasonOf } from '../gateway-error.ts';

/** What is known of the targets, so that each change is logged once and not with every request. */
export interface Health {
  works(target: string): void;
  fails(target: string, error: unknown): void;
  /** The target is no more. */
  forget(target: string): void;
}

/** Starts with every target unknown: one that works from the beginning is not worth a line. */
export function createHealth(log: Logger): Health {
  const failing = new Set<string>();
  return {
    works(target) {
      if (failing.delete(target)) log.info('target answers again', { target });
    },
    fails(target, error) {
      if (failing.has(target)) return;
      failing.add(target);
      log.warn('target does not answer: what it offers is missing from lists', { target, reason: reasonOf(error) });
    },
    forget(target) {
      failing.delete(target);
    },
  };
}
