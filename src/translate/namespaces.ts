import type { Collection, Context } from '../graph/model.ts';
import type { Namespace } from '../resources/model.ts';
import type { LabelledNamespace } from './gateway/namespace-selector.ts';
import type { UnlistedNamespaces } from './model.ts';

/** The label that every namespace has, and that nothing else can set. */
const nameLabel = 'kubernetes.io/metadata.name';

/**
 * The labels of one namespace, when they are known. A Namespace object decides alone, also when its labels cannot be
 * read. Without one the source says whether a namespace that it does not list carries just its name.
 */
export function labelNamespace(
  name: string,
  context: Context,
  {
    objects,
    unlisted,
  }: {
    objects: Collection<Namespace>;
    /** Under the empty key; unknown while there is none. */
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
