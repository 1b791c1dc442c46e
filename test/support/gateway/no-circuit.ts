import type { UpstreamState } from '../../../src/gateway/session/upstream-sessions.ts';
import type { Circuit } from '../../../src/gateway/upstream/model.ts';

/** The circuit breaker of a target, or of any, that can always be reached. */
export const noCircuit: Circuit & UpstreamState['circuit'] = {
  refusal: () => undefined,
  retry: () => Promise.resolve(),
  failed: () => {},
  whenClosed: () => () => {},
};
