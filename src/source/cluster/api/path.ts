import type { KindName } from '../../../resources/model.ts';
import { kinds } from '../../../resources/resources.ts';

/** The scope of one list or watch: a kind, in one namespace or (`undefined`) in all. */
export interface Collection {
  readonly kind: KindName;
  readonly namespace: string | undefined;
}

/** The path of a group and version: `/api/v1`, or `/apis/<group>/<version>`. */
export function versionPath(kind: KindName): string {
  const { apiVersion } = kinds[kind];
  return apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

/** The path that lists a collection: `/api/v1/namespaces/default/services`. */
export function collectionPath({ kind, namespace }: Collection): string {
  const inside = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${versionPath(kind)}${inside}/${kinds[kind].plural}`;
}

/** Returns whether an object may be in the collection: of another namespace nothing counts, whatever a server sends. */
export function isIn({ namespace }: Collection, key: string): boolean {
  return namespace === undefined || !key.includes('/') || key.startsWith(`${namespace}/`);
}

/** The namespace of an object, by its key; empty for a cluster-scoped one. */
export function namespaceOf(key: string): string {
  return key.slice(0, Math.max(0, key.indexOf('/')));
}

/** The path of one object, by its key. */
export function objectPath(kind: KindName, key: string): string {
  const [first = '', name] = key.split('/');
  if (name === undefined) return `${collectionPath({ kind, namespace: undefined })}/${first}`;
  return `${collectionPath({ kind, namespace: first })}/${name}`;
}

/** A path with a query; values are escaped. */
export function withQuery(path: string, query: Readonly<Record<string, string>>): string {
  return `${path}?${new URLSearchParams(query).toString()}`;
}

/** A collection as log lines and messages name it: `Service`, or `Service in namespace team`. */
export function collectionTitle({ kind, namespace }: Collection): string {
  return namespace === undefined ? kind : `${kind} in namespace ${namespace}`;
}
