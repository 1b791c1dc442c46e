import type { UnaryRequestCallsParts } from '../../../src/serve/operators/unary-calls.ts';
import { createManualClock } from '../edges/manual-clock.ts';

/** Limits of unary calls that are above the use of every other test. */
export function unaryRequestCallsParts(parts: Partial<UnaryRequestCallsParts> = {}): UnaryRequestCallsParts {
  const clock = createManualClock();
  return { clock, linger: 5_000, maxConcurrent: 100, maxRequest: 1_024, requestTimeout: 30_000, ...parts };
}
