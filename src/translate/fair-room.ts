import type { Collection, Graph } from '../graph/model.ts';

/** Something that an owner asks room for. */
export interface RoomClaim {
  /** Owners have equal parts. */
  readonly owner: string;
  /** What owners share: it needs its room once, whoever has it. */
  readonly item: string;
  readonly size: number;
}

/** The index value that all claims have, and the key of what there is one of. */
const whole = '';

/** Rounds up, so that a size that changes by one rarely changes what has room; 0 for 0. */
export function nextPowerOfTwo(count: number): number {
  return count === 0 ? 0 : 2 ** Math.ceil(Math.log2(count));
}

/**
 * Adds the claims without room to a graph, by their keys: none as long as all together have room. Beyond it each owner has
 * an equal part, and of an owner the largest claims give way, so that whoever claims much harms their own. Follows from the
 * claims alone, in whatever order they came.
 *
 * @param of what the claims are about, for the names of the collections
 */
export function deriveCrowded(
  graph: Graph,
  claims: Collection<RoomClaim>,
  { limit, of }: { readonly limit: number; readonly of: string },
): Collection<true> {
  const isFull = deriveFullness(graph, claims, { limit, of });
  const byOwner = graph.index(claims, ({ owner }) => [owner], { name: `${of}/claims-by-owner` });
  const owners = graph.indexValues(byOwner, { name: `${of}/owners` });
  const largest = graph.derive(
    owners,
    (owner, context) => {
      if (context.get(isFull, whole) === undefined) return undefined;
      const sizes = context.by(byOwner, owner).map(({ size }) => size);
      return largestWithin(sizes, limit / context.all(owners).length);
    },
    { name: `${of}/largest` },
  );
  return graph.derive(
    claims,
    ({ owner, size }, context) => isTrue(size > (context.get(largest, owner) ?? Number.POSITIVE_INFINITY)),
    { name: `${of}/crowded` },
  );
}

/** Adds whether the claims together need more than there is: one entry under an empty key, or none. */
export function deriveFullness(
  graph: Graph,
  claims: Collection<RoomClaim>,
  { limit, of }: { readonly limit: number; readonly of: string },
): Collection<true> {
  const all = graph.index(claims, () => [whole], { name: `${of}/claims` });
  return graph.derive(
    graph.indexValues(all, { name: `${of}/any` }),
    (_, context): true | undefined => isTrue(together(context.all(claims)) > limit),
    { name: `${of}/full` },
  );
}

/** Counts an item that several owners have once. */
function together(claims: readonly RoomClaim[]): number {
  const sizes = new Map(claims.map(({ item, size }) => [item, size]));
  let sum = 0;
  for (const size of sizes.values()) sum += size;
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
