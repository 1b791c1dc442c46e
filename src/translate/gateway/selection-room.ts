import type { Collection, Context, Graph, Index } from '../../graph/model.ts';
import {
  type SelectorClaim,
  selectorClaimFromKey,
  selectorClaimKey,
  selectorClaimOf,
  type UnresolvedGateway,
} from './allowed-namespaces.ts';
import { countCandidates, countNamespaces, type IndexedNamespaces, type SelectorSet } from './selector-set.ts';

/**
 * Namespaces that all Gateways may select together. Each costs about 230 bytes in the views of the snapshots, and without
 * a limit they are Gateways times namespaces, the square of what fits into a folder or a cluster (decision 59).
 */
export const maxSelectedNamespaces = 500_000;

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
 * Adds the claims without room to a graph: none as long as all together have room. Beyond it each namespace with Gateways
 * has an equal part, and in it the sets that select most give way, so that whoever writes Gateways harms their own. Follows
 * from the objects alone, in whatever order they came. Sizes are rounded up to powers of two, so that few changes of
 * namespaces change them, and namespaces are counted only when those that were looked at would have no room.
 */
export function deriveCrowdedClaims(
  graph: Graph,
  { claims }: SelectorClaims,
  sets: Collection<SelectorSet>,
  { indexed, limit }: { readonly indexed: IndexedNamespaces; readonly limit: number },
): Collection<true> {
  const looked = graph.derive(sets, (set, context) => nextPowerOfTwo(countCandidates(set, context, indexed)), {
    name: 'selection-candidates',
  });
  const mayBeCrowded = deriveTotal(graph, deriveSized(graph, claims, looked, 'candidates'), limit, 'candidates');
  const count = countNamespaces(indexed, (context) => context.get(mayBeCrowded, whole) !== undefined);
  const counted = graph.derive(
    sets,
    (set, context) => {
      const selected = count(set, context);
      return selected === undefined ? undefined : nextPowerOfTwo(selected);
    },
    { name: 'selection-sizes' },
  );
  const sized = deriveSized(graph, claims, counted, 'selections');
  const largest = deriveLargest(graph, sized, deriveTotal(graph, sized, limit, 'selections'), limit);
  return graph.derive(
    sized,
    ({ namespace, size }, context) => isTrue(size > (context.get(largest, namespace) ?? Number.POSITIVE_INFINITY)),
    { name: 'crowded-selector-claims' },
  );
}

function deriveSized(
  graph: Graph,
  claims: Collection<SelectorClaim>,
  sizes: Collection<number>,
  of: string,
): Collection<SizedClaim> {
  return graph.derive(
    claims,
    (claim, context): SizedClaim | undefined => {
      const size = context.get(sizes, claim.selectors);
      return size === undefined ? undefined : { ...claim, size };
    },
    { name: `selector-claims-by-${of}` },
  );
}

/** One entry, under the key {@link whole}, when the claims together are beyond the limit. */
function deriveTotal(graph: Graph, claims: Collection<SizedClaim>, limit: number, of: string): Collection<true> {
  const all = graph.index(claims, () => [whole], { name: `all-${of}` });
  return graph.derive(
    graph.indexValues(all, { name: `any-${of}` }),
    (_, context): true | undefined => isTrue(together(context.all(claims)) > limit),
    { name: `crowded-${of}` },
  );
}

/** The most that a set may select, by the namespace of its Gateways; no entry where everything has room. */
function deriveLargest(
  graph: Graph,
  claims: Collection<SizedClaim>,
  crowded: Collection<true>,
  limit: number,
): Collection<number> {
  const byNamespace = graph.index(claims, ({ namespace }) => [namespace], { name: 'selector-claims-by-namespace' });
  const namespaces = graph.indexValues(byNamespace, { name: 'namespaces-with-selectors' });
  return graph.derive(
    namespaces,
    (namespace, context) => {
      if (context.get(crowded, whole) === undefined) return undefined;
      const sizes = context.by(byNamespace, namespace).map(({ size }) => size);
      return largestWithin(sizes, limit / context.all(namespaces).length);
    },
    { name: 'largest-selections' },
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

/** Rounds up; 0 for 0. */
function nextPowerOfTwo(count: number): number {
  return count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count));
}

interface SizedClaim extends SelectorClaim {
  readonly size: number;
}

/** The index value that all claims have. */
const whole = '';

/** Counts a scope that is shared by several namespaces once. */
function together(claims: readonly SizedClaim[]): number {
  const shared = new Map<string, number>();
  let sum = 0;
  for (const { withOwn, selectors, size } of claims) {
    if (withOwn) sum += size;
    else shared.set(selectors, size);
  }
  for (const size of shared.values()) sum += size;
  return sum;
}

/** The largest size for which all that are no larger fit together; 0 when none fits. */
function largestWithin(sizes: readonly number[], room: number): number {
  const totals = new Map<number, number>();
  for (const size of sizes) totals.set(size, (totals.get(size) ?? 0) + size);
  let [largest, sum] = [0, 0];
  for (const [size, total] of [...totals].sort(([a], [b]) => a - b)) {
    sum += total;
    if (sum > room) break;
    largest = size;
  }
  return largest;
}

function isTrue(condition: boolean): true | undefined {
  return condition ? true : undefined;
}
