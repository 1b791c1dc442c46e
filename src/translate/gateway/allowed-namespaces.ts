import type { Collection, Context } from '../../graph/model.ts';
import type { LabelSelector } from '../../resources/model.ts';
import type { GatewayState, NamespaceScope } from '../model.ts';
import type { GatewayResult } from './gateway.ts';
import type { LabelledNamespace } from './namespace-selector.ts';
import { type SelectorSet, selectorSetKey, selects } from './selector-set.ts';

/**
 * The state of a Gateway before its selectors are resolved to namespaces. Policies and scopes depend on this part of
 * the result alone, so that a change of a condition's message does not run them again.
 */
export type UnresolvedGateway =
  | { readonly kind: 'foreign' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'served'; readonly allowed: AllowedNamespaces };

/** The union of the namespaces that the accepted listeners allow. */
export type AllowedNamespaces =
  | { readonly kind: 'all' }
  | {
      readonly kind: 'some';
      /** The Gateway's own namespace, when a listener allows it by `from: Same`. */
      readonly own: string | undefined;
      /** The key of the set of its selectors; undefined without one. */
      readonly selectors: string | undefined;
    };

/** Reduces the result of a Gateway to its unresolved state. */
export function unresolvedGateway(result: GatewayResult): UnresolvedGateway {
  if (result.kind === 'foreign') return { kind: 'foreign' };
  if (result.acceptance.kind !== 'served') return { kind: 'rejected' };
  const listeners = result.listeners.flatMap(({ outcome }) => (outcome.accepted ? [outcome.namespaces] : []));
  if (listeners.some(({ from }) => from === 'All')) return { kind: 'served', allowed: { kind: 'all' } };
  const own = listeners.some(({ from }) => from === 'Same') ? result.namespace : undefined;
  const selectors = listeners.flatMap((namespaces): readonly LabelSelector[] =>
    namespaces.from === 'Selector' && namespaces.selector !== undefined ? [namespaces.selector] : [],
  );
  return { kind: 'served', allowed: { kind: 'some', own, selectors: selectorSetKey(selectors) } };
}

/** The key of the selectors that decide the scope of the Gateway; undefined when none does. */
export function selectorsOf(gateway: UnresolvedGateway): string | undefined {
  return gateway.kind === 'served' && gateway.allowed.kind === 'some' ? gateway.allowed.selectors : undefined;
}

/** Returns whether one namespace is allowed. Reads its labels only when a selector needs them. */
export function allowsNamespace(
  allowed: AllowedNamespaces,
  namespace: string,
  context: Context,
  inputs: {
    readonly labelledNamespaces: Collection<LabelledNamespace>;
    readonly selectorSets: Collection<SelectorSet>;
  },
): boolean {
  if (allowed.kind === 'all' || allowed.own === namespace) return true;
  if (allowed.selectors === undefined) return false;
  const set = context.get(inputs.selectorSets, allowed.selectors);
  const labelled = context.get(inputs.labelledNamespaces, namespace);
  return set !== undefined && labelled !== undefined && selects(set, labelled);
}

/**
 * Resolves the selectors of a Gateway.
 *
 * @param selections the names of the selected namespaces, by the key of the selectors
 */
export function resolveGateway(
  gateway: UnresolvedGateway,
  context: Context,
  selections: Collection<readonly string[]>,
): GatewayState {
  if (gateway.kind !== 'served') return { kind: gateway.kind };
  const selectors = selectorsOf(gateway);
  const selected = selectors === undefined ? [] : (context.get(selections, selectors) ?? []);
  return { kind: 'served', scope: scopeOf(gateway.allowed, selected) };
}

/** @param selected sorted */
function scopeOf(allowed: AllowedNamespaces, selected: readonly string[]): NamespaceScope {
  if (allowed.kind === 'all') return { kind: 'all' };
  const { own } = allowed;
  const all = own === undefined || selected.includes(own) ? selected : [...selected, own].sort();
  const [first, ...others] = all;
  return first === undefined ? { kind: 'none' } : { kind: 'namespaces', namespaces: [first, ...others] };
}
