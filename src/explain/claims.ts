import { quoted } from '../json/quoted.ts';
import type { AccessRequest, Claims, Grant } from './model.ts';

/** The value of a claim: only own, top-level properties are claims. */
export function claimOf(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined;
}

/** Returns whether a rule is for the item of a request. No rule is for one without a name, `<target>:`. */
export function matchesItem({ kind, name }: Pick<Grant, 'kind' | 'name'>, request: AccessRequest): boolean {
  if (kind !== request.kind) return false;
  const nameless = request.name.indexOf(':') === request.name.length - 1;
  return !nameless && (name === request.name || name === '*');
}

/** Returns whether a rule is for a caller. */
export function matchesCaller({ claim, value }: Pick<Grant, 'claim' | 'value'>, claims: Claims): boolean {
  return claimOf(claims, claim) === value;
}

/** Returns whether a rule allows a request. */
export function matchesRequest(
  rule: Pick<Grant, 'claim' | 'value' | 'kind' | 'name'>,
  request: AccessRequest,
  claims: Claims,
): boolean {
  return matchesItem(rule, request) && matchesCaller(rule, claims);
}

/** The way to a claim with this name and value that no rule can match: in a list, or below the top level. */
export function unmatchableClaim(claims: Claims, claim: string, value: string): string | undefined {
  const own = claimOf(claims, claim);
  if (Array.isArray(own)) return own.includes(value) ? `is a list that contains ${quoted(value)}` : undefined;
  if (typeof own === 'number' || typeof own === 'boolean') {
    return String(own) === value ? `is a ${typeof own} and no string` : undefined;
  }
  if (typeof own === 'string' && own !== value) {
    if (own.trim() === value.trim()) return 'differs in blanks at its ends only';
    if (own.split(' ').includes(value)) return `is one text, of which ${quoted(value)} is one word`;
    return undefined;
  }
  const path = claim.split('.');
  const nested = path.length > 1 && own === undefined ? path.reduce(stepInto, claims) : undefined;
  return nested === undefined ? undefined : 'is nested in the token, and not a claim of its top level';
}

function stepInto(value: unknown, step: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || !Object.hasOwn(value, step))
    return undefined;
  return Reflect.get(value, step);
}
