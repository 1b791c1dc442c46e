import type { KindName, Resource } from '../resources/model.ts';
import type { ResourceChange } from './model.ts';

/** Whether two resources say the same. They are plain values whose fields are always written in the same order. */
export function sameResource(a: Resource | undefined, b: Resource | undefined): boolean {
  if (a === b) return true;
  return a !== undefined && b !== undefined && JSON.stringify(a) === JSON.stringify(b);
}

/** What a batch says of an object that is now this resource; undefined: there is none any more. */
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
