import type { Clock, Stop } from '../edges.ts';
import type { Caller } from './model.ts';

/**
 * One text per caller, to whom sessions and shares of limits belong. The prefix keeps identities apart from the rest.
 */
export function callerKey(caller: Caller): string {
  return caller.kind === 'principal' ? `principal ${caller.identity}` : caller.kind;
}

/** Returns whether the claims of a caller are valid now. A caller without a token has none that could expire. */
export function isCurrent(caller: Caller, clock: Clock): boolean {
  return caller.kind === 'anonymous' || clock.now() < caller.expiresAt;
}

/** Milliseconds between two looks at a caller whose token has not ended: the clock may be set, and keys are withdrawn. */
const lookInterval = 15_000;

/** Calls `run` once when the claims of a caller are not valid any more, if ever. */
export function whenExpired(caller: Caller, clock: Clock, run: () => void): Stop {
  if (caller.kind === 'anonymous') return () => {};
  let stop: Stop = () => {};
  const look = (): void => {
    const left = caller.expiresAt - clock.now();
    stop = left > lookInterval ? clock.after(lookInterval, look) : clock.after(Math.max(0, left), end);
  };
  const end = (): void => (isCurrent(caller, clock) ? look() : run());
  look();
  return () => stop();
}

/**
 * Returns whether two tokens say the same of a caller, as far as rules can ask: they compare claims that are texts.
 * What was decided for one of them holds for the other one.
 */
export function hasSameClaims(one: Caller, other: Caller): boolean {
  if (one.kind === 'anonymous' || other.kind === 'anonymous') return one.kind === other.kind;
  if (one.identity !== other.identity) return false;
  const names = new Set([...Object.keys(one.claims), ...Object.keys(other.claims)]);
  return [...names].every((name) => textClaim(one, name) === textClaim(other, name));
}

function textClaim({ claims }: Extract<Caller, { readonly kind: 'principal' }>, name: string): string | undefined {
  const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
  return typeof value === 'string' ? value : undefined;
}
