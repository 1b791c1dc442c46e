import type { Collection, Context, Graph, Index } from '../graph/model.ts';
import { deriveCrowded, deriveFullness, nextPowerOfTwo, type RoomClaim } from './fair-room.ts';
import {
  type SelectorClaim,
  selectorClaimFromKey,
  selectorClaimKey,
  selectorClaimOf,
  type UnresolvedGateway,
} from './gateway/allowed-namespaces.ts';
import { countCandidates, countNamespaces, type IndexedNamespaces, type SelectorSet } from './gateway/selector-set.ts';

/** The claims of all Gateways, each once. */
export interface SelectorClaims {
  readonly claims: Collection<SelectorClaim>;
  readonly bySelectors: Index<SelectorClaim>;
}

/** Adds the claims of the Gateways to a graph. */
export function deriveSelectorClaims(graph: Graph, gateways: Collection<UnresolvedGateway>): SelectorClaims {
  const byClaim = graph.index(gateways, (gateway) => [selectorClaimOf(gateway) ?? []].flat(), {
    name: 'gateways-by-selector-claim',
  });
  const keys = graph.indexValues(byClaim, { name: 'selector-claim-keys' });
  const claims = graph.derive(keys, selectorClaimFromKey, { name: 'selector-claims' });
  const bySelectors = graph.index(claims, ({ selectors }) => [selectors], { name: 'selector-claims-by-selectors' });
  return { claims, bySelectors };
}

/**
 * Adds the claims without room to a graph, by their keys; see `deriveCrowded`. Namespaces are counted only when those that
 * are looked at would have no room.
 */
export function deriveCrowdedClaims(
  graph: Graph,
  { claims }: SelectorClaims,
  sets: Collection<SelectorSet>,
  { indexed, limit }: { readonly indexed: IndexedNamespaces; readonly limit: number },
): Collection<true> {
  const looked = graph.derive(sets, (set, context) => nextPowerOfTwo(countCandidates(set, context, indexed)), {
    name: 'selection-candidates/sizes',
  });
  const candidates = deriveSized(graph, claims, looked, 'selection-candidates/sized-claims');
  const mayBeFull = deriveFullness(graph, candidates, { limit, of: 'selection-candidates' });
  const count = countNamespaces(indexed, (context) => context.get(mayBeFull, '') !== undefined);
  const counted = graph.derive(
    sets,
    (set, context) => {
      const selected = count(set, context);
      return selected === undefined ? undefined : nextPowerOfTwo(selected);
    },
    { name: 'selections/sizes' },
  );
  return deriveCrowded(graph, deriveSized(graph, claims, counted, 'selections/sized-claims'), {
    limit,
    of: 'selections',
  });
}

function deriveSized(
  graph: Graph,
  claims: Collection<SelectorClaim>,
  sizes: Collection<number>,
  name: string,
): Collection<RoomClaim> {
  return graph.derive(
    claims,
    (claim, context, key): RoomClaim | undefined => {
      const size = context.get(sizes, claim.selectors);
      // With a namespace of its own, a scope is shared with no other one.
      return size === undefined
        ? undefined
        : { owner: claim.namespace, item: claim.withOwn ? key : claim.selectors, size };
    },
    { name },
  );
}

/** Returns whether a set of selectors has room for at least one of its claims. */
export function hasRoom(
  selectors: string,
  context: Context,
  { bySelectors }: SelectorClaims,
  crowded: Collection<true>,
): boolean {
  return context
    .by(bySelectors, selectors)
    .some((claim) => context.get(crowded, selectorClaimKey(claim)) === undefined);
}
