import type { Identity } from './model.ts';

/** The key of an object among those of its kind: `<namespace>/<name>`, or the name of a cluster-scoped one. */
export function resourceKey({ namespace, name }: Pick<Identity, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
