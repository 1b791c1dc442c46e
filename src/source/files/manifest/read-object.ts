import type { KindName, Path, Problem, Resource } from '../../../resources/model.ts';
import { AmbiguousScalar, decode, kinds, matchKind, resourceKey } from '../../../resources/resources.ts';

/** The content of an object of a file. */
export type ObjectContent =
  | { readonly type: 'resource'; readonly key: string; readonly resource: Resource }
  /** A Namespace whose frame is unreadable: its labels are unknown. */
  | { readonly type: 'labels unknown'; readonly key: string }
  /** A Namespace whose name is unreadable. */
  | { readonly type: 'nameless namespace' };

/** An object, if it counts, and what is wrong with it. */
export interface ReadObject {
  readonly content: ObjectContent | undefined;
  /** `<Kind> <namespace>/<name>`, for messages; undefined when unreadable. */
  readonly title: string | undefined;
  readonly problems: readonly Problem[];
}

/** Yields the objects of a document with their paths: itself, or the items of a `v1 List`. */
export function* unpack(value: unknown, path: Path = []): Generator<{ readonly value: unknown; readonly path: Path }> {
  if (!isMapping(value) || value['apiVersion'] !== 'v1' || value['kind'] !== 'List' || !Array.isArray(value['items'])) {
    yield { value, path };
    return;
  }
  for (const [at, item] of value['items'].entries()) yield* unpack(item, [...path, 'items', at]);
}

/**
 * Decodes one object. Objects of other kinds are ignored.
 *
 * @param namespaces the only ones whose objects count; empty: all
 */
export function readObject(value: unknown, namespaces: readonly string[]): ReadObject {
  if (!isMapping(value)) {
    const read = unreadableObject([], 'This is no object: write a mapping with apiVersion, kind and metadata.');
    // By a merge key it may be a Namespace to other YAML readers.
    return value instanceof AmbiguousScalar ? { ...read, content: { type: 'nameless namespace' } } : read;
  }
  const { apiVersion, kind } = value;
  if (typeof kind !== 'string')
    return unreadableObject(['kind'], 'kind is not given as a string: write what the object is, such as Gateway.');
  if (apiVersion === 'v1' && kind === 'List')
    return unreadableObject(['items'], 'items is no list: write the objects as a list.');
  const match = matchKind(apiVersion, kind);
  switch (match.match) {
    case 'foreign':
      if (match.message !== undefined)
        return { ...ignored, problems: [{ severity: 'warning', path: ['kind'], message: match.message }] };
      if (typeof apiVersion === 'string') return ignored;
      return unreadableObject(
        ['apiVersion'],
        'apiVersion is not given as a string: write the one that the kind belongs to.',
      );
    case 'other-version':
      return ofOtherVersion(match.kind, String(apiVersion), value, match.message);
    case 'ours':
      return decodeOurs(match.kind, value, namespaces);
  }
}

const ignored: ReadObject = { content: undefined, title: undefined, problems: [] };

function unreadableObject(path: Path, message: string): ReadObject {
  return { ...ignored, problems: [{ severity: 'error', path, message }] };
}

function decodeOurs(kind: KindName, value: unknown, namespaces: readonly string[]): ReadObject {
  const decoded = decode(kind, value);
  const { name, namespace } = decoded.readable ? decoded.resource.metadata : decoded;
  const outside = kinds[kind].namespaced && namespaces.length > 0 && namespace !== undefined;
  if (outside && !namespaces.includes(namespace)) return ignored;
  const key = name === undefined ? undefined : resourceKey({ namespace: namespace ?? '?', name });
  const title = key === undefined ? kind : `${kind} ${key}`;
  const { problems } = decoded;
  if (!decoded.readable) return { content: unreadableNamespace(kind, name), title, problems };
  const resource = withoutCreation(decoded.resource);
  return { content: { type: 'resource', key: resourceKey(resource.metadata), resource }, title, problems };
}

/** Only an API server knows when an object was created: a file has the time of the object that it was copied from. */
function withoutCreation(resource: Resource): Resource {
  return resource.kind === 'MCPAuthPolicy' ? { ...resource, created: undefined } : resource;
}

/** An unreadable Namespace still counts: its labels are unknown, not empty. */
function unreadableNamespace(kind: KindName, name: string | undefined): ObjectContent | undefined {
  if (kind !== 'Namespace') return undefined;
  return name === undefined ? { type: 'nameless namespace' } : { type: 'labels unknown', key: name };
}

/**
 * A Namespace of another group is another kind; one of another version of the core group is ours with a wrong version.
 */
function ofOtherVersion(kind: KindName, apiVersion: string, value: unknown, message: string): ReadObject {
  const { content, title } = decodeOurs(kind, value, []);
  const problems: readonly Problem[] = [{ severity: 'warning', path: ['apiVersion'], message }];
  return { content: apiVersion.includes('/') ? undefined : content, title, problems };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof AmbiguousScalar);
}
