import type { Collection, Context } from '../../graph/model.ts';
import type { LabelSelector } from '../../resources/model.ts';
import type { GatewayVerdict } from './gateway.ts';
import { type LabelledNamespace, matches, selectorKey } from './namespace-selector.ts';

/** What a Gateway lets in, before anybody looks at namespaces: the part of its verdict that others depend on. */
export type Allowance =
  | { readonly kind: 'foreign' }
  | { readonly kind: 'rejected' }
  | { readonly kind: 'served'; readonly allows: Allowed };

/** The union of what the accepted listeners allow. */
export type Allowed =
  | { readonly namespaces: 'all' }
  | {
      readonly namespaces: 'some';
      /** The Gateway's own namespace, when a listener allows it by `from: Same`. */
      readonly own: string | undefined;
      /** Distinct, in the order of their keys. */
      readonly selectors: readonly LabelSelector[];
    };

/** What the verdict on a Gateway comes to. */
export function allow(verdict: GatewayVerdict): Allowance {
  if (verdict.kind === 'foreign') return { kind: 'foreign' };
  if (verdict.standing.kind !== 'served') return { kind: 'rejected' };
  const allowed = verdict.listeners.flatMap(({ outcome }) => (outcome.accepted ? [outcome.allowed] : []));
  if (allowed.some(({ from }) => from === 'All')) return { kind: 'served', allows: { namespaces: 'all' } };
  const own = allowed.some(({ from }) => from === 'Same') ? verdict.namespace : undefined;
  const selectors = new Map<string, LabelSelector>();
  for (const entry of allowed) {
    if (entry.from !== 'Selector' || entry.selector === undefined) continue;
    selectors.set(selectorKey(entry.selector), entry.selector);
  }
  const sorted = [...selectors].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, selector]) => selector);
  return { kind: 'served', allows: { namespaces: 'some', own, selectors: sorted } };
}

/** The keys of the selectors whose selection decides what the Gateway serves. */
export function selectorsOf(allowance: Allowance): readonly string[] {
  if (allowance.kind !== 'served' || allowance.allows.namespaces === 'all') return [];
  return allowance.allows.selectors.map(selectorKey);
}

/** Whether one namespace is let in. Asks for its labels only when they matter. */
export function allowsNamespace(
  allowed: Allowed,
  namespace: string,
  context: Context,
  labelled: Collection<LabelledNamespace>,
): boolean {
  if (allowed.namespaces === 'all' || allowed.own === namespace) return true;
  if (allowed.selectors.length === 0) return false;
  const found = context.get(labelled, namespace);
  return found !== undefined && allowed.selectors.some((selector) => matches(selector, found.labels));
}
