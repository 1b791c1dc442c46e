import type { KindName, Path, Problem, Resource } from '../../resources/model.ts';
import { AmbiguousScalar, decode, kinds, matchKind, resourceKey } from '../../resources/resources.ts';

/** What an object of a file stands for. */
export type ObjectContent =
  | { readonly type: 'resource'; readonly key: string; readonly resource: Resource }
  /** A Namespace whose frame cannot be read: `key` has labels, and nobody knows which. */
  | { readonly type: 'labels unknown'; readonly key: string }
  /** A Namespace that does not even say which. */
  | { readonly type: 'nameless namespace' };

/** An object, as far as it counts, and what is wrong with it. */
export interface ReadObject {
  readonly content: ObjectContent | undefined;
  /** As messages name it; undefined when it cannot be told. */
  readonly title: string | undefined;
  readonly problems: readonly Problem[];
}

/** The objects in a document: itself, or the items of a `v1 List`, with the path of each. */
export function* unpack(value: unknown, path: Path = []): Generator<{ readonly value: unknown; readonly path: Path }> {
  if (!isMapping(value) || value['apiVersion'] !== 'v1' || value['kind'] !== 'List' || !Array.isArray(value['items'])) {
    yield { value, path };
    return;
  }
  for (const [at, item] of value['items'].entries()) yield* unpack(item, [...path, 'items', at]);
}

/**
 * Reads one object. Kinds that are none of ours are nothing.
 *
 * @param namespaces the only ones whose objects count; empty: all
 */
export function readObject(value: unknown, namespaces: readonly string[]): ReadObject {
  if (!isMapping(value)) {
    const read = unknown('error', [], 'This is no object: write a mapping with apiVersion, kind and metadata.');
    // What some readers of YAML merge into it may make it a Namespace.
    return value instanceof AmbiguousScalar ? { ...read, content: { type: 'nameless namespace' } } : read;
  }
  const { apiVersion, kind } = value;
  if (typeof kind !== 'string')
    return unknown('error', ['kind'], 'kind is not given as a string: write what the object is, such as Gateway.');
  if (apiVersion === 'v1' && kind === 'List')
    return unknown('error', ['items'], 'items is no list: write the objects as a list.');
  const match = matchKind(apiVersion, kind);
  switch (match.match) {
    case 'foreign':
      if (typeof apiVersion === 'string') return nothing;
      return unknown(
        'error',
        ['apiVersion'],
        'apiVersion is not given as a string: write the one that the kind belongs to.',
      );
    case 'other-version':
      return otherVersion(match.kind, String(apiVersion), value, match.message);
    case 'ours':
      return ours(match.kind, value, namespaces);
  }
}

const nothing: ReadObject = { content: undefined, title: undefined, problems: [] };

function unknown(severity: Problem['severity'], path: Path, message: string): ReadObject {
  return { ...nothing, problems: [{ severity, path, message }] };
}

function ours(kind: KindName, value: unknown, namespaces: readonly string[]): ReadObject {
  const decoded = decode(kind, value);
  const { name, namespace } = decoded.readable ? decoded.resource.metadata : decoded;
  const outside = kinds[kind].namespaced && namespaces.length > 0 && namespace !== undefined;
  if (outside && !namespaces.includes(namespace)) return nothing;
  const key = name === undefined ? undefined : resourceKey({ namespace: namespace ?? '?', name });
  const title = key === undefined ? kind : `${kind} ${key}`;
  const { problems } = decoded;
  if (!decoded.readable) return { content: unreadable(kind, name), title, problems };
  return {
    content: { type: 'resource', key: resourceKey(decoded.resource.metadata), resource: decoded.resource },
    title,
    problems,
  };
}

/** A Namespace takes its labels along: others must not be judged by the labels that remain. */
function unreadable(kind: KindName, name: string | undefined): ObjectContent | undefined {
  if (kind !== 'Namespace') return undefined;
  return name === undefined ? { type: 'nameless namespace' } : { type: 'labels unknown', key: name };
}

/** Another group's Namespace is another thing; another version of the core's is ours, misspelt, and its frame unreadable. */
function otherVersion(kind: KindName, apiVersion: string, value: unknown, message: string): ReadObject {
  const { content, title } = ours(kind, value, []);
  const problems: readonly Problem[] = [{ severity: 'warning', path: ['apiVersion'], message }];
  return { content: apiVersion.includes('/') ? undefined : content, title, problems };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof AmbiguousScalar);
}
