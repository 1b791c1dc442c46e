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
      /** The Gateway's own namespace. */
      readonly namespace: string;
      /** The same, when a listener allows it by `from: Same`. */
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
  const { namespace } = result;
  const own = listeners.some(({ from }) => from === 'Same') ? namespace : undefined;
  const selectors = listeners.flatMap((namespaces): readonly LabelSelector[] =>
    namespaces.from === 'Selector' && namespaces.selector !== undefined ? [namespaces.selector] : [],
  );
  return { kind: 'served', allowed: { kind: 'some', namespace, own, selectors: selectorSetKey(selectors) } };
}

/** The key of the selectors that decide the scope of the Gateway; undefined when none does. */
export function selectorsOf(gateway: UnresolvedGateway): string | undefined {
  return gateway.kind === 'served' && gateway.allowed.kind === 'some' ? gateway.allowed.selectors : undefined;
}

/**
 * Namespaces that all Gateways may select together. Each costs about 230 bytes in the views of the snapshots, and without
 * a limit they are Gateways times namespaces, the square of what fits into a folder or a cluster (decision 59).
 */
export const maxSelectedNamespaces = 500_000;

/** A set of selectors that Gateways of a namespace have. */
export interface SelectorClaim {
  readonly namespace: string;
  /** Whether that namespace itself is added (`from: Same`). Without it the Gateways of all namespaces share one scope. */
  readonly withOwn: boolean;
  /** The key of the set. */
  readonly selectors: string;
}

/** The key of the claim of a Gateway; undefined when no selector decides its scope. */
export function selectorClaimOf(gateway: UnresolvedGateway): string | undefined {
  if (gateway.kind !== 'served' || gateway.allowed.kind !== 'some') return undefined;
  const { namespace, own, selectors } = gateway.allowed;
  return selectors === undefined ? undefined : selectorClaimKey({ namespace, withOwn: own !== undefined, selectors });
}

/** Identifies a claim. */
export function selectorClaimKey({ namespace, withOwn, selectors }: SelectorClaim): string {
  return `${withOwn ? '+' : ''}${namespace} ${selectors}`;
}

/** Returns the claim of a key: a namespace has neither a plus sign nor a space. */
export function selectorClaimFromKey(key: string): SelectorClaim {
  const withOwn = key.startsWith('+');
  const end = key.indexOf(' ');
  return { namespace: key.slice(withOwn ? 1 : 0, end), withOwn, selectors: key.slice(end + 1) };
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

/** What the selectors of Gateways were resolved to. */
export interface Selections {
  /** The names of the selected namespaces, sorted, by the key of the selectors. */
  readonly selections: Collection<readonly string[]>;
  /** The claims without room, by their keys. */
  readonly crowdedClaims: Collection<true>;
}

/**
 * Creates the transformation that resolves the selectors of a Gateway. Without room they select nothing. Gateways with the
 * same scope share its list.
 */
export function resolveGateways({
  selections,
  crowdedClaims,
}: Selections): (gateway: UnresolvedGateway, context: Context) => GatewayState {
  const withOwn = new WeakMap<readonly string[], Map<string, readonly string[]>>();
  return (gateway, context) => {
    if (gateway.kind !== 'served') return { kind: gateway.kind };
    const { allowed } = gateway;
    if (allowed.kind === 'all') return { kind: 'served', scope: { kind: 'all' } };
    const claim = selectorClaimOf(gateway);
    const isCrowded = claim !== undefined && context.get(crowdedClaims, claim) !== undefined;
    const selected =
      isCrowded || allowed.selectors === undefined ? none : (context.get(selections, allowed.selectors) ?? none);
    return { kind: 'served', scope: scopeOf(listWith(selected, allowed.own, withOwn)) };
  };
}

const none: readonly string[] = [];

/** Adds a namespace to a sorted list, once for all that add the same. */
function listWith(
  selected: readonly string[],
  own: string | undefined,
  known: WeakMap<readonly string[], Map<string, readonly string[]>>,
): readonly string[] {
  if (own === undefined || selected.includes(own)) return selected;
  if (selected.length === 0) return [own];
  const lists = known.get(selected) ?? new Map<string, readonly string[]>();
  known.set(selected, lists);
  const list = lists.get(own) ?? [...selected, own].sort();
  lists.set(own, list);
  return list;
}

function scopeOf(namespaces: readonly string[]): NamespaceScope {
  return isNotEmpty(namespaces) ? { kind: 'namespaces', namespaces } : { kind: 'none' };
}

function isNotEmpty(list: readonly string[]): list is readonly [string, ...string[]] {
  return list.length > 0;
}
