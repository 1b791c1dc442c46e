import type { Collection, Context } from '../graph/model.ts';
import { type Allowance, type Allowed, selectorsOf } from './gateway/allowed-namespaces.ts';
import type { GatewayState, Scope } from './model.ts';

/** Namespaces that a selector selects, by its key. */
export type Selections = Collection<readonly string[]>;

/** What a Gateway is, with the namespaces that its selectors select right now. */
export function settleGateway(allowance: Allowance, context: Context, selections: Selections): GatewayState {
  if (allowance.kind !== 'served') return { kind: allowance.kind };
  return { kind: 'served', scope: scopeOf(allowance.allows, selectorsOf(allowance), context, selections) };
}

function scopeOf(allowed: Allowed, selectors: readonly string[], context: Context, selections: Selections): Scope {
  if (allowed.namespaces === 'all') return { kind: 'all' };
  const selected = selectors.flatMap((key) => context.get(selections, key) ?? []);
  const own = allowed.own === undefined ? [] : [allowed.own];
  const [first, ...others] = [...new Set([...own, ...selected])].sort();
  return first === undefined ? { kind: 'none' } : { kind: 'namespaces', namespaces: [first, ...others] };
}
