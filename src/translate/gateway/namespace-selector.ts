import type { Collection, Context, Index } from '../../graph/model.ts';
import type { LabelRequirement, LabelSelector, Namespace } from '../../resources/model.ts';
import type { UnlistedNamespaces } from '../model.ts';

/** A namespace whose labels are known. */
export interface LabelledNamespace {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
}

/** The label that the API server sets on every namespace; its value is the name. */
const nameLabel = 'kubernetes.io/metadata.name';

/**
 * The labels of one namespace; undefined when they are unknown. A Namespace object alone decides, also when its labels
 * are invalid. Without one, the source decides whether the namespace has just its name label.
 */
export function labelNamespace(
  name: string,
  context: Pick<Context, 'get'>,
  {
    objects,
    unlisted,
  }: {
    objects: Collection<Namespace>;
    /** One entry under the empty key; labels are unknown without it. */
    unlisted: Collection<UnlistedNamespaces>;
  },
): LabelledNamespace | undefined {
  const object = context.get(objects, name);
  if (object === undefined) {
    return context.get(unlisted, '') === 'named' ? { name, labels: new Map([[nameLabel, name]]) } : undefined;
  }
  if (!object.labels.known) return undefined;
  const written = Object.entries(object.labels.labels).filter(([key]) => key !== nameLabel);
  const labels = [...written, [nameLabel, name] as const].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { name, labels: new Map(labels) };
}

/** Serializes a selector: equal selectors have equal keys, so that each distinct one is evaluated once. */
export function selectorKey({ requirements }: LabelSelector): string {
  return JSON.stringify(requirements);
}

/** Parses the output of `selectorKey`. */
export function selectorFromKey(key: string): LabelSelector {
  const requirements: LabelSelector['requirements'] = JSON.parse(key);
  return { requirements };
}

/** Returns whether all requirements hold, as in Kubernetes. */
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

/** The index values of a namespace: `<key>` and `<key>=<value>` of each label. A key contains no `=`. */
export function labelIndexValues({ labels }: LabelledNamespace): readonly string[] {
  return [...labels].flatMap(([key, value]) => [key, `${key}=${value}`]);
}

/**
 * The names of the namespaces that a selector selects, sorted. Reads only the namespaces with a label that one of the
 * requirements needs; a selector that only excludes, or has no requirement, reads all of them.
 */
export function selectNamespaces(
  selector: LabelSelector,
  context: Context,
  { namespaces, byLabel }: { namespaces: Index<LabelledNamespace>['collection']; byLabel: Index<LabelledNamespace> },
): readonly string[] {
  const indexValues = fewestIndexValues(selector);
  const candidates =
    indexValues === undefined ? context.all(namespaces) : indexValues.flatMap((value) => context.by(byLabel, value));
  const selected = candidates.filter(({ labels }) => matches(selector, labels));
  return selected.map(({ name }) => name).sort();
}

/** The index values that together cover every namespace that can match; undefined when no requirement limits them. */
function fewestIndexValues({ requirements }: LabelSelector): readonly string[] | undefined {
  const among = requirements.filter((requirement) => requirement.operator === 'In');
  const fewest = among.toSorted((a, b) => a.values.length - b.values.length)[0];
  if (fewest !== undefined) return fewest.values.map((value) => `${fewest.key}=${value}`);
  const existing = requirements.find((requirement) => requirement.operator === 'Exists');
  return existing === undefined ? undefined : [existing.key];
}
