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

/** What a set selected the last time that it was evaluated. */
interface Evaluated {
  /** Sorted by name. */
  readonly candidates: readonly LabelledNamespace[];
  /** Those of the candidates that are selected, in their order. */
  readonly selected: readonly LabelledNamespace[];
}

/**
 * Creates the transformation from a set to the names of the namespaces that it selects, sorted. Reads only namespaces with
 * a label that a requirement needs, or all of them when a selector only excludes. Remembers what each namespace was found
 * to be: the change of one namespace evaluates each set that has read it once, and adding a set evaluates that set.
 */
export function selectNamespaces({
  namespaces,
  byLabel,
}: {
  readonly namespaces: Collection<LabelledNamespace>;
  readonly byLabel: Index<LabelledNamespace>;
}): (set: SelectorSet, context: Context) => readonly string[] {
  const evaluated = new WeakMap<SelectorSet, Evaluated>();
  return (set, context) => {
    const candidates =
      set.indexValues === undefined
        ? context.all(namespaces)
        : union(set.indexValues.map((value) => context.by(byLabel, value)));
    const selected = selectAmong(candidates, set, evaluated.get(set));
    evaluated.set(set, { candidates, selected });
    return selected.map(({ name }) => name);
  };
}

/** Evaluates the candidates that are not the same as before. */
function selectAmong(
  candidates: readonly LabelledNamespace[],
  set: SelectorSet,
  before: Evaluated | undefined,
): readonly LabelledNamespace[] {
  const known = cursor(before?.candidates ?? []);
  const selected = cursor(before?.selected ?? []);
  return candidates.filter((candidate) =>
    known(candidate) === candidate ? selected(candidate) === candidate : selects(set, candidate),
  );
}

/** Finds namespaces by name in a sorted list, when they are asked for in that order: one pass for all. */
function cursor(list: readonly LabelledNamespace[]): (sought: LabelledNamespace) => LabelledNamespace | undefined {
  let at = 0;
  return ({ name }) => {
    for (let found = list[at]; found !== undefined && found.name < name; found = list[at]) at += 1;
    return list[at];
  };
}

function union(lists: readonly (readonly LabelledNamespace[])[]): readonly LabelledNamespace[] {
  const [only, ...others] = lists;
  if (only !== undefined && others.length === 0) return only;
  return [...new Set(lists.flat())].sort((a, b) => (a.name < b.name ? -1 : 1));
}
