import type { Gateway, KindName, Resource } from '../resources/model.ts';
import { partsOf } from '../resources/resources.ts';
import type { ResourceChange } from './model.ts';
import { isNarrowing } from './narrowing.ts';

/** Compares two resources by value. They are plain values whose fields are always written in the same order. */
export function sameResource(a: Resource | undefined, b: Resource | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

/**
 * Creates the change of an object that is now this resource; undefined: it was deleted.
 *
 * @param before what it was
 */
export function changeOf(
  kind: KindName,
  key: string,
  resource: Resource | undefined,
  before?: Resource,
): ResourceChange {
  const change = plainChangeOf(kind, key, resource);
  const replaces = before === undefined ? 1 : workOf(before);
  const narrows = isNarrowing(before, resource);
  if (replaces === 1 && !narrows) return change;
  return { ...change, ...(replaces > 1 && { replaces }), ...(narrows && { narrows }) };
}

/** As many parts as the selectors of a Gateway take the time of: each looks at 2,000 namespaces in 0.2 to 0.4 ms. */
const partsOfSelectors = 32;

/** The parts that an object is made into, and what else takes the time of one. */
export function workOf(resource: Resource): number {
  return partsOf(resource) + (resource.kind === 'Gateway' && selects(resource) ? partsOfSelectors : 0);
}

function selects({ listeners }: Gateway): boolean {
  return listeners.some(
    (listener) => listener.ok && listener.value.namespaces.ok && listener.value.namespaces.value.from === 'Selector',
  );
}

function plainChangeOf(kind: KindName, key: string, resource: Resource | undefined): ResourceChange {
  if (resource === undefined) return { kind, key, resource };
  switch (resource.kind) {
    case 'GatewayClass':
      return { kind: resource.kind, key, resource };
    case 'GatewayParameters':
      return { kind: resource.kind, key, resource };
    case 'Gateway':
      return { kind: resource.kind, key, resource };
    case 'Service':
      return { kind: resource.kind, key, resource };
    case 'Namespace':
      return { kind: resource.kind, key, resource };
    case 'MCPAuthPolicy':
      return { kind: resource.kind, key, resource };
  }
}
