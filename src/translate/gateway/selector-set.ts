import type { Collection, Context, Index } from '../../graph/model.ts';
import type { LabelSelector } from '../../resources/model.ts';
import {
  type CompiledSelector,
  compileSelector,
  fewestIndexValues,
  type LabelledNamespace,
  matches,
} from './namespace-selector.ts';

/** All selectors of a Gateway, of which one has to match. Gateways with equal ones share a set. */
export interface SelectorSet {
  readonly selectors: readonly CompiledSelector[];
  /** The index values that together cover every namespace that can match; undefined: any namespace can. */
  readonly indexValues: readonly string[] | undefined;
}

/** Index values that a set reads: each is a dependency. One that needs more of them looks at all namespaces. */
const mostIndexValues = 100;

/** Serializes the selectors of a Gateway: equal sets have equal keys. Undefined without a selector. */
export function selectorSetKey(selectors: readonly LabelSelector[]): string | undefined {
  const distinct = new Set(selectors.map(({ requirements }) => JSON.stringify(requirements)));
  return distinct.size === 0 ? undefined : `[${[...distinct].sort().join(',')}]`;
}

/** Prepares the selectors that a key of {@link selectorSetKey} stands for. */
export function selectorSetFromKey(key: string): SelectorSet {
  const serialized: readonly LabelSelector['requirements'][] = JSON.parse(key);
  const selectors = serialized.map((requirements): LabelSelector => ({ requirements }));
  const indexValues = new Set<string>();
  let covered = true;
  for (const values of selectors.map(fewestIndexValues)) {
    for (const value of values ?? []) indexValues.add(value);
    covered &&= values !== undefined && indexValues.size <= mostIndexValues;
  }
  return { selectors: selectors.map(compileSelector), indexValues: covered ? [...indexValues].sort() : undefined };
}

/** Returns whether a namespace is selected. */
export function selects({ selectors }: SelectorSet, { labels }: LabelledNamespace): boolean {
  return selectors.some((selector) => matches(selector, labels));
}

/** The namespaces that sets of selectors are evaluated on. */
export interface IndexedNamespaces {
  readonly namespaces: Collection<LabelledNamespace>;
  readonly byLabel: Index<LabelledNamespace>;
}

type Namespaces = readonly LabelledNamespace[];

/**
 * What a set has read: all namespaces, or those of each of its index values, sorted by name. These are the lists of the
 * collection and the index themselves, so that remembering them for each set takes no memory.
 */
type Candidates = readonly Namespaces[];

/** What has changed from one list of namespaces to another; one that changed itself is in both. */
interface Difference {
  readonly gone: Namespaces;
  readonly come: Namespaces;
}

/** The number of namespaces that a set looks at, of which it selects some: as much as that may be. Looks at none. */
export function countCandidates(set: SelectorSet, context: Context, indexed: IndexedNamespaces): number {
  return candidatesOf(set, context, indexed).reduce((sum, { length }) => sum + length, 0);
}

/**
 * Creates the transformation from a set to the number of namespaces that it selects; undefined while it is not asked for.
 * Remembers no names: the change of one namespace evaluates each set that has read it twice, for what it was and what it is.
 */
export function countNamespaces(
  indexed: IndexedNamespaces,
  isAskedFor: (context: Context) => boolean,
): (set: SelectorSet, context: Context) => number | undefined {
  const counted = new WeakMap<SelectorSet, { readonly candidates: Candidates; readonly count: number }>();
  const differenceOf = createDifferences();
  return (set, context) => {
    if (!isAskedFor(context)) {
      counted.delete(set);
      return undefined;
    }
    const candidates = candidatesOf(set, context, indexed);
    const before = counted.get(set) ?? { candidates: [], count: 0 };
    const { gone, come } = differenceOf(before.candidates, candidates);
    const selected = (namespaces: Namespaces): number => namespaces.filter((one) => selects(set, one)).length;
    const count = before.count - selected(gone) + selected(come);
    counted.set(set, { candidates, count });
    return count;
  };
}

/**
 * Creates the transformation from a set to the names of the namespaces that it selects, sorted; none without room. Reads
 * only namespaces with a label that a requirement needs, or all of them when a selector only excludes. Remembers what each
 * namespace was found to be: the change of one namespace evaluates each set that has read it once, and adding a set
 * evaluates that set. What has changed is found once for all sets that read the same list, and of a set that selects the
 * same nothing is made anew.
 */
export function selectNamespaces(
  indexed: IndexedNamespaces,
  hasRoom: (selectors: string, context: Context) => boolean,
): (set: SelectorSet, context: Context, key: string) => readonly string[] {
  const evaluated = new WeakMap<
    SelectorSet,
    { readonly candidates: Candidates; readonly selected: readonly string[] }
  >();
  const differenceOf = createDifferences();
  return (set, context, key) => {
    if (!hasRoom(key, context)) {
      evaluated.delete(set);
      return [];
    }
    const candidates = candidatesOf(set, context, indexed);
    const before = evaluated.get(set) ?? { candidates: [], selected: [] };
    const { gone, come } = differenceOf(before.candidates, candidates);
    const removed = gone.map(({ name }) => name).filter((name) => hasName(before.selected, name));
    const added = come.filter((namespace) => selects(set, namespace)).map(({ name }) => name);
    const selected = replaced(before.selected, removed, added);
    evaluated.set(set, { candidates, selected });
    return selected;
  };
}

function candidatesOf(
  { indexValues }: SelectorSet,
  context: Context,
  { namespaces, byLabel }: IndexedNamespaces,
): Candidates {
  return indexValues?.map((value) => context.by(byLabel, value)) ?? [context.all(namespaces)];
}

/**
 * Remembers the last difference of each list. A namespace is another object when its labels change, and then it has changed
 * in every list that it is in: in several lists it counts once.
 */
function createDifferences(): (before: Candidates, after: Candidates) => Difference {
  const last = new WeakMap<Namespaces, { readonly after: Namespaces; readonly difference: Difference }>();
  const differenceOf = (before: Namespaces = none, after: Namespaces = none): Difference => {
    if (before === after) return { gone: none, come: none };
    if (before.length === 0) return { gone: none, come: after };
    const known = last.get(before);
    if (known?.after === after) return known.difference;
    const difference = differenceBetween(before, after);
    last.set(before, { after, difference });
    return difference;
  };
  return (before, after) => {
    const differences = after.map((list, index) => differenceOf(before[index], list));
    const [only, ...others] = differences;
    if (only !== undefined && others.length === 0) return only;
    return {
      gone: sortedUnion(differences.map(({ gone }) => gone)),
      come: sortedUnion(differences.map(({ come }) => come)),
    };
  };
}

const none: Namespaces = [];

function differenceBetween(before: readonly LabelledNamespace[], after: readonly LabelledNamespace[]): Difference {
  const gone: LabelledNamespace[] = [];
  const come: LabelledNamespace[] = [];
  let at = 0;
  for (const namespace of after) {
    for (let old = before[at]; old !== undefined && old.name < namespace.name; old = before[at]) {
      gone.push(old);
      at += 1;
    }
    const old = before[at];
    if (old === namespace) at += 1;
    else {
      come.push(namespace);
      if (old?.name !== namespace.name) continue;
      gone.push(old);
      at += 1;
    }
  }
  return { gone: [...gone, ...before.slice(at)], come };
}

/** Returns sorted names without some of them and with others, which are both sorted; the same list if nothing changes. */
function replaced(names: readonly string[], removed: readonly string[], added: readonly string[]): readonly string[] {
  if (removed.length === added.length && removed.every((name, index) => name === added[index])) return names;
  const gone = new Set(removed);
  const kept = gone.size === 0 ? names : names.filter((name) => !gone.has(name));
  const pieces: (readonly string[])[] = [];
  let at = 0;
  for (const name of added) {
    const next = positionOf(kept, name, at);
    pieces.push(kept.slice(at, next), [name]);
    at = next;
  }
  return [...pieces, kept.slice(at)].flat();
}

function hasName(names: readonly string[], name: string): boolean {
  return names[positionOf(names, name, 0)] === name;
}

/** The position of the first name, from a position on, that is not before this one. */
function positionOf(names: readonly string[], name: string, from: number): number {
  let [low, high] = [from, names.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((names[middle] ?? '') < name) low = middle + 1;
    else high = middle;
  }
  return low;
}

function sortedUnion(lists: readonly Namespaces[]): Namespaces {
  return [...new Set(lists.flat())].sort((a, b) => (a.name < b.name ? -1 : 1));
}
