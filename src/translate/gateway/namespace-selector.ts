import type { Collection, Context } from '../../graph/model.ts';
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
  const written = object.labels.labels.filter(([key]) => key !== nameLabel);
  const labels = [...written, [nameLabel, name] as const].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { name, labels: new Map(labels) };
}

/** A selector, prepared so that a namespace costs what it has labels, whatever number of requirements there are. */
export interface CompiledSelector {
  /** Labels without which nothing matches. */
  readonly needed: readonly string[];
  /** By label. */
  readonly conditions: ReadonlyMap<string, LabelCondition>;
}

/** All requirements of one label. */
interface LabelCondition {
  /** The only values that match; undefined: any that is not denied. */
  readonly among: ReadonlySet<string> | undefined;
  readonly denied: ReadonlySet<string> | 'all';
}

/** Prepares a selector for {@link matches}. */
export function compileSelector({ requirements }: LabelSelector): CompiledSelector {
  const needed = new Set<string>();
  const conditions = new Map<string, LabelCondition>();
  for (const requirement of requirements) {
    const { key, operator } = requirement;
    if (operator === 'In' || operator === 'Exists') needed.add(key);
    conditions.set(key, withRequirement(conditions.get(key) ?? { among: undefined, denied: new Set() }, requirement));
  }
  return { needed: [...needed], conditions };
}

function withRequirement({ among, denied }: LabelCondition, requirement: LabelRequirement): LabelCondition {
  switch (requirement.operator) {
    case 'In': {
      const values = requirement.values.filter((value) => among === undefined || among.has(value));
      return { among: new Set(values), denied };
    }
    case 'NotIn':
      return { among, denied: denied === 'all' ? 'all' : new Set([...denied, ...requirement.values]) };
    case 'Exists':
      return { among, denied };
    case 'DoesNotExist':
      return { among, denied: 'all' };
  }
}

/** Returns whether all requirements hold, as in Kubernetes. */
export function matches({ needed, conditions }: CompiledSelector, labels: ReadonlyMap<string, string>): boolean {
  for (const key of needed) if (!labels.has(key)) return false;
  for (const [key, value] of labels) {
    const condition = conditions.get(key);
    if (condition === undefined) continue;
    const { among, denied } = condition;
    if (denied === 'all' || denied.has(value) || among?.has(value) === false) return false;
  }
  return true;
}

/** The requirements that do not hold. */
export function unmetRequirements(
  { requirements }: LabelSelector,
  labels: ReadonlyMap<string, string>,
): readonly LabelRequirement[] {
  return requirements.filter((requirement) => !matches(compileSelector({ requirements: [requirement] }), labels));
}

/** The index values of a namespace: of each label that of the key, and that of key and value. */
export function labelIndexValues({ labels }: LabelledNamespace): readonly string[] {
  return [...labels].flatMap(([key, value]) => [indexValue(key), indexValue(key, value)]);
}

/** Index values in all: each takes some 700 bytes, and whoever labels namespaces can invent labels without end. */
const mostIndexValues = 2 ** 16;

/** Those that were used, each once: many namespaces have one. */
const indexValues = new Map<number, string>();

/**
 * The index value of a label, by its FNV-1a hash. Labels that share one let selectors look at more namespaces, of which they
 * select the same.
 */
function indexValue(key: string, value?: string): string {
  const label = value === undefined ? key : `${key}=${value}`;
  let hash = 0x811c9dc5;
  for (let at = 0; at < label.length; at += 1) hash = Math.imul(hash ^ label.charCodeAt(at), 0x01000193);
  const number = ((hash >>> 16) ^ hash) & (mostIndexValues - 1);
  const known = indexValues.get(number) ?? String(number);
  indexValues.set(number, known);
  return known;
}

/** The index values that together cover every namespace that can match; undefined when no requirement limits them. */
export function fewestIndexValues({ requirements }: LabelSelector): readonly string[] | undefined {
  const among = requirements.filter((requirement) => requirement.operator === 'In');
  const fewest = among.toSorted((a, b) => a.values.length - b.values.length)[0];
  if (fewest !== undefined) return fewest.values.map((value) => indexValue(fewest.key, value));
  const existing = requirements.find((requirement) => requirement.operator === 'Exists');
  return existing === undefined ? undefined : [indexValue(existing.key)];
}
