import type { Context, Index } from '../../graph/model.ts';
import type { LabelRequirement, LabelSelector } from '../../resources/model.ts';

/** A namespace whose labels are known. */
export interface LabelledNamespace {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** Equal selectors have equal keys. A selector can be read back from its key, so one computation serves all who use it. */
export function selectorKey({ requirements }: LabelSelector): string {
  return JSON.stringify(requirements);
}

/** Reads back what `selectorKey` wrote. */
export function selectorOf(key: string): LabelSelector {
  const requirements: LabelSelector['requirements'] = JSON.parse(key);
  return { requirements };
}

/** Whether all requirements hold, as in Kubernetes. */
export function matches({ requirements }: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  return requirements.every((requirement) => holds(requirement, labels.get(requirement.key)));
}

function holds(requirement: LabelRequirement, value: string | undefined): boolean {
  switch (requirement.operator) {
    case 'In':
      return value !== undefined && requirement.values.includes(value);
    case 'NotIn':
      return value === undefined || !requirement.values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

/** What a namespace is indexed by: each label's key, and each label. A key has no `=`. */
export function labelPairs({ labels }: LabelledNamespace): readonly string[] {
  return [...labels].flatMap(([key, value]) => [key, `${key}=${value}`]);
}

/**
 * The names of the namespaces that a selector selects, sorted. Reads only those that carry what one of its
 * requirements asks for; a selector that only excludes, or asks for nothing, has to read all.
 */
export function select(
  selector: LabelSelector,
  context: Context,
  { namespaces, byLabel }: { namespaces: Index<LabelledNamespace>['collection']; byLabel: Index<LabelledNamespace> },
): readonly string[] {
  const pairs = narrowestPairs(selector);
  const candidates = pairs === undefined ? context.all(namespaces) : pairs.flatMap((pair) => context.by(byLabel, pair));
  const selected = candidates.filter(({ labels }) => matches(selector, labels));
  return selected.map(({ name }) => name).sort();
}

/** The groups of the index that together hold every namespace that can match. */
function narrowestPairs({ requirements }: LabelSelector): readonly string[] | undefined {
  const among = requirements.filter((requirement) => requirement.operator === 'In');
  const fewest = among.toSorted((a, b) => a.values.length - b.values.length)[0];
  if (fewest !== undefined) return fewest.values.map((value) => `${fewest.key}=${value}`);
  const existing = requirements.find((requirement) => requirement.operator === 'Exists');
  return existing === undefined ? undefined : [existing.key];
}
