import { maxListBytes, messageBounds } from '../../upstream/answer-limits.ts';
import { listSizeOf } from './list-pages.ts';

/** What one target lists. */
export interface TargetList {
  readonly target: string;
  readonly found: readonly unknown[];
}

/**
 * The largest merged list: two of the largest lists of a target, since it is serialized at once. 20,000 tools with 800
 * bytes and 20 values each.
 */
const most = { bytes: 2 * maxListBytes, values: 2 * messageBounds.maxValues } as const;

/**
 * Splits lists into those that one merged list has room for, in their order, and the targets that are left out: those
 * with the largest lists, so that no target can make others disappear by what it lists itself.
 */
export function splitByRoom(lists: readonly TargetList[]): {
  readonly merged: readonly TargetList[];
  readonly leftOut: readonly string[];
} {
  const costOf = ({ found }: TargetList): number => {
    const { bytes, values } = listSizeOf(found);
    return Math.max(bytes / most.bytes, values / most.values);
  };
  const left = { bytes: most.bytes, values: most.values };
  const kept = new Set<TargetList>();
  for (const list of lists.toSorted((one, other) => costOf(one) - costOf(other))) {
    const { bytes, values } = listSizeOf(list.found);
    left.bytes -= bytes;
    left.values -= values;
    if (left.bytes >= 0 && left.values >= 0) kept.add(list);
  }
  return {
    merged: lists.filter((list) => kept.has(list)),
    leftOut: lists.filter((list) => !kept.has(list)).map(({ target }) => target),
  };
}
