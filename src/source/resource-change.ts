import type { KindName, Resource } from '../resources/model.ts';
import type { ResourceChange } from './model.ts';

/** Compares two resources by value. They are plain values whose fields are always written in the same order. */
export function sameResource(a: Resource | undefined, b: Resource | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

/** Creates the change of an object that is now this resource; undefined: it was deleted. */
export function changeOf(kind: KindName, key: string, resource: Resource | undefined): ResourceChange {
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
