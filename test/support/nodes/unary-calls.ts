import type { SideCallParts } from '../../../src/serve/operators/unary-calls.ts';
import { createManualClock } from '../edges/manual-clock.ts';

/** Calls of other services with limits that no test reaches by chance. */
export function sideCallParts(parts: Partial<SideCallParts> = {}): SideCallParts {
  const clock = createManualClock();
  return { clock, linger: 5_000, atOnce: 100, maxRequest: 1_024, requestTimeout: 30_000, ...parts };
}
