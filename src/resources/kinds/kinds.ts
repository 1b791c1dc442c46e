import type { Kind } from '../kind.ts';
import type { Decoded, KindName, ResourceByKind } from '../model.ts';
import { quoted } from '../path.ts';
import { gateway } from './gateway.ts';
import { gatewayClass } from './gateway-class.ts';
import { gatewayParameters } from './gateway-parameters.ts';
import { mcpAuthPolicy } from './mcp-auth-policy.ts';
import { namespace } from './namespace.ts';
import { service } from './service.ts';

/** Every kind that counts. */
export const kinds: { readonly [K in KindName]: Kind<K> } = {
  GatewayClass: gatewayClass,
  GatewayParameters: gatewayParameters,
  Gateway: gateway,
  Service: service,
  Namespace: namespace,
  MCPAuthPolicy: mcpAuthPolicy,
};

/** Decodes an object as JSON or YAML gives it, with `AmbiguousScalar` where YAML's versions disagree; never throws. */
export function decode<K extends KindName>(kind: K, value: unknown): Decoded<ResourceByKind[K]> {
  return kinds[kind].decode(value);
}

/** What an object's `apiVersion` and `kind` say about whether it counts. */
type KindMatch =
  /** Decode it. Its apiVersion may still be unreadable: then so is its frame. */
  | { readonly match: 'ours'; readonly kind: KindName }
  /** A kind of ours by name, in another group or version: skipped, with this warning. */
  | { readonly match: 'other-version'; readonly kind: KindName; readonly message: string }
  /** Skipped silently. */
  | { readonly match: 'foreign' };

/** Tells whether an object counts. */
export function matchKind(apiVersion: unknown, kind: unknown): KindMatch {
  const known = Object.values(kinds).find((candidate) => candidate.kind === kind);
  if (!known) return { match: 'foreign' };
  if (typeof apiVersion !== 'string' || apiVersion === known.apiVersion) return { match: 'ours', kind: known.kind };
  const message = `apiVersion is ${quoted(apiVersion)}, so that the object is skipped: write ${quoted(known.apiVersion)} if it is to count.`;
  return { match: 'other-version', kind: known.kind, message };
}
