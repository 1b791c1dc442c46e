import type { Clock } from '../edges.ts';
import type { Caller } from './model.ts';

/** One text per caller, to whom sessions and shares of limits belong. The prefix keeps identities apart from the rest. */
export function callerKey(caller: Caller): string {
  return caller.kind === 'principal' ? `principal ${caller.identity}` : caller.kind;
}

/** Returns whether the claims of a caller are valid now. A caller without a token has none that could expire. */
export function isCurrent(caller: Caller, clock: Clock): boolean {
  return caller.kind === 'anonymous' || clock.now() < caller.expiresAt;
}
