import type { Collection, Context } from '../../graph/model.ts';
import type { LabelSelector } from '../../resources/model.ts';
import type { GatewayState, NamespaceScope } from '../model.ts';
import type { GatewayResult } from './gateway.ts';
import { type LabelledNamespace, matches, selectorKey } from './namespace-selector.ts';

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
      /** Distinct, sorted by their keys. */
      readonly selectors: readonly LabelSelector[];
    };

/** Reduces the result of a Gateway to its unresolved state. */
export function unresolvedGateway(result: GatewayResult): UnresolvedGateway {
  if (result.kind === 'foreign') return { kind: 'foreign' };
  if (result.acceptance.kind !== 'served') return { kind: 'rejected' };
  const listeners = result.listeners.flatMap(({ outcome }) => (outcome.accepted ? [outcome.namespaces] : []));
  if (listeners.some(({ from }) => from === 'All')) return { kind: 'served', allowed: { kind: 'all' } };
  const own = listeners.some(({ from }) => from === 'Same') ? result.namespace : undefined;
  const selectors = new Map<string, LabelSelector>();
  for (const namespaces of listeners) {
    if (namespaces.from !== 'Selector' || namespaces.selector === undefined) continue;
    selectors.set(selectorKey(namespaces.selector), namespaces.selector);
  }
  const sorted = [...selectors].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, selector]) => selector);
  return { kind: 'served', allowed: { kind: 'some', own, selectors: sorted } };
}

/** The keys of the selectors that decide the scope of the Gateway. */
export function selectorKeysOf(gateway: UnresolvedGateway): readonly string[] {
  if (gateway.kind !== 'served' || gateway.allowed.kind === 'all') return [];
  return gateway.allowed.selectors.map(selectorKey);
}

/** Returns whether one namespace is allowed. Reads its labels only when a selector needs them. */
export function allowsNamespace(
  allowed: AllowedNamespaces,
  namespace: string,
  context: Context,
  labelledNamespaces: Collection<LabelledNamespace>,
): boolean {
  if (allowed.kind === 'all' || allowed.own === namespace) return true;
  if (allowed.selectors.length === 0) return false;
  const labelled = context.get(labelledNamespaces, namespace);
  return labelled !== undefined && allowed.selectors.some((selector) => matches(selector, labelled.labels));
}

/**
 * Resolves the selectors of a Gateway.
 *
 * @param selections the names of the selected namespaces, by selector key
 */
export function resolveGateway(
  gateway: UnresolvedGateway,
  context: Context,
  selections: Collection<readonly string[]>,
): GatewayState {
  if (gateway.kind !== 'served') return { kind: gateway.kind };
  const selected = selectorKeysOf(gateway).flatMap((key) => context.get(selections, key) ?? []);
  return { kind: 'served', scope: scopeOf(gateway.allowed, selected) };
}

function scopeOf(allowed: AllowedNamespaces, selected: readonly string[]): NamespaceScope {
  if (allowed.kind === 'all') return { kind: 'all' };
  const own = allowed.own === undefined ? [] : [allowed.own];
  const [first, ...others] = [...new Set([...own, ...selected])].sort();
  return first === undefined ? { kind: 'none' } : { kind: 'namespaces', namespaces: [first, ...others] };
}
