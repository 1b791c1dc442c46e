import type { View } from '../snapshot/model.ts';
import type { ServedType } from './type-stream.ts';

/**
 * A type that nobody registered, as a stream sees it: nothing of it exists, ever. So a node that asks for it gets one
 * answer that says so, where the variant has a way to say it, and its stream and its other types live on (rule A7).
 */
export function unknownType(typeUrl: string): ServedType {
  const type = { typeUrl, fullState: false, legacyWildcard: true, order: Number.POSITIVE_INFINITY, nameOf: () => '' };
  const empty: View = { type, size: 0, get: () => undefined, resources: () => [], version: () => '' };
  return { type, registered: false, empty };
}
