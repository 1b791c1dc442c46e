import { quoted } from '../../json/quoted.ts';
import type { Kind } from '../decode/kind.ts';
import { isNear, nearest } from '../decode/reporter.ts';
import type { Decoded, KindName, ObjectMeta, Resource, ResourceByKind } from '../model.ts';
import { gateway } from './gateway.ts';
import { gatewayClass } from './gateway-class.ts';
import { gatewayParameters } from './gateway-parameters.ts';
import { mcpAuthPolicy } from './mcp-auth-policy.ts';
import { namespace } from './namespace.ts';
import { encodedBytes } from './policy-size.ts';
import { service } from './service.ts';

export { mcpAppProtocols } from './service-ports.ts';

/** All kinds that the program reads. */
export const kinds: { readonly [K in KindName]: Kind<K> } = {
  GatewayClass: gatewayClass,
  GatewayParameters: gatewayParameters,
  Gateway: gateway,
  Service: service,
  Namespace: namespace,
  MCPAuthPolicy: mcpAuthPolicy,
};

/**
 * Decodes an object as JSON or YAML gives it, with `AmbiguousScalar` for scalars that the YAML versions read
 * differently. Never throws.
 */
export function decode<K extends KindName>(kind: K, value: unknown): Decoded<ResourceByKind[K]> {
  return kinds[kind].decode(value);
}

/** The key of an object among those of its kind: `<namespace>/<name>`, or the name of a cluster-scoped one. */
export function resourceKey({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

/** Tells by `apiVersion` and `kind` whether an object is read. */
type KindMatch =
  /** Decode it. An apiVersion that is not a string is then an error of its frame. */
  | { readonly match: 'ours'; readonly kind: KindName }
  /** A known kind in another group or version: skipped, with this warning. */
  | { readonly match: 'other-version'; readonly kind: KindName; readonly message: string }
  /** Skipped, with a warning when its kind is spelt like one of ours. */
  | { readonly match: 'foreign'; readonly message: string | undefined };

/** Finds the kind of an object. */
export function matchKind(apiVersion: unknown, kind: unknown): KindMatch {
  const known = Object.values(kinds).find((candidate) => candidate.kind === kind);
  if (!known) return { match: 'foreign', message: misspelling(apiVersion, kind) };
  if (typeof apiVersion !== 'string' || apiVersion === known.apiVersion) return { match: 'ours', kind: known.kind };
  const message = `apiVersion is ${quoted(apiVersion)}, so that the object is skipped: write ${quoted(known.apiVersion)} if it is to count.`;
  return { match: 'other-version', kind: known.kind, message };
}

/**
 * The warning about a kind that differs in at most two letters from one of ours of the same or a similarly spelt API
 * version; other APIs have kinds that are spelt alike.
 */
function misspelling(apiVersion: unknown, kind: unknown): string | undefined {
  if (typeof kind !== 'string' || typeof apiVersion !== 'string') return undefined;
  const alike = Object.values(kinds).filter((known) => isNear(apiVersion, known.apiVersion, 2));
  const near = nearest(
    kind,
    alike.map((known) => known.kind),
  );
  if (near === undefined || !isNear(kind, near, 2)) return undefined;
  return `kind is ${quoted(kind)}, which is not read: write ${quoted(near)}, the nearest known one, if it is to count.`;
}

/** Labels of a Namespace that take the time and memory of a target: each is found by its key, and by key and value. */
export const labelsOfPart = 4;

/** Bytes of an encoding that count as much as a target, or as an attachment. */
const bytesOfPart = 8_192;

/**
 * The number of things that an object is made into: the targets of a Service, the attachments of a policy and each 8 KiB
 * that it is encoded to for them, the listeners of a Gateway with their conditions, the labels of a Namespace that are
 * looked up.
 */
export function partsOf(resource: Resource): number {
  switch (resource.kind) {
    case 'Service':
      return resource.mcpPorts.length;
    case 'MCPAuthPolicy':
      return resource.targetRefs.length + encodedPartsOf(resource);
    case 'Gateway':
      return resource.listeners.length;
    case 'Namespace':
      return resource.labels.known ? Math.ceil(resource.labels.labels.length / labelsOfPart) : 1;
    default:
      return 1;
  }
}

/**
 * The number of times 8 KiB that a policy is encoded to: one dialect has it once, and another one once for each Gateway. 0 for
 * other kinds, and for a usual policy.
 */
export function encodedPartsOf(resource: Resource): number {
  if (resource.kind !== 'MCPAuthPolicy') return 0;
  return Math.floor(((1 + resource.targetRefs.length) * encodedBytes(resource)) / bytesOfPart);
}
