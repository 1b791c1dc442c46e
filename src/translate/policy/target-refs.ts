import { quoted } from '../../json/quoted.ts';
import type { ParsedTargetRef, WrittenTargetRef } from '../../resources/model.ts';
import type { AncestorRef, GatewayKey } from '../model.ts';
import { isSubdomain } from '../names.ts';

/** A `targetRef` with a place in the status, and the object that it references. */
export interface PolicyReference {
  readonly ancestorRef: AncestorRef;
  readonly target:
    | { readonly kind: 'gateway'; readonly gateway: GatewayKey }
    /**
     * Unsupported or invalid. `gateway` is the Gateway that it names nevertheless: without a status entry for Gateways
     * of other controllers.
     */
    | { readonly kind: 'unsupported'; readonly message: string; readonly gateway: GatewayKey | undefined };
}

/** All references of a policy. */
export interface PolicyReferences {
  /** In document order; several references to the same object count once. */
  readonly references: readonly PolicyReference[];
  /** The reasons why other references have no place in the status, in sentences. */
  readonly unwritable: readonly string[];
}

const gatewayGroup = 'gateway.networking.k8s.io';
const gatewayKind = 'Gateway';

/** Resolves the references of a policy in `namespace`; they cannot leave it. */
export function resolveTargetRefs(targetRefs: readonly ParsedTargetRef[], namespace: string): PolicyReferences {
  const resolved = targetRefs.map((ref, position) => resolveRef(ref, `spec.targetRefs[${position}]`, namespace));
  const valid = new Set(resolved.flatMap((ref) => (ref.kind === 'valid' ? [ref.key] : [])));
  const references = new Map<string, PolicyReference>();
  const unwritable: string[] = [];
  for (const ref of resolved) {
    if (ref.kind === 'unwritable') unwritable.push(ref.reason);
    // A status has one entry for references of the same name, and a valid one takes precedence.
    else if (ref.kind === 'invalid' && (valid.has(ref.key) || references.has(ref.key))) unwritable.push(ref.reason);
    else if (!references.has(ref.key)) references.set(ref.key, ref.reference);
  }
  return { references: [...references.values()], unwritable };
}

/** `key` is equal for references to the same Gateway, and for equal references. */
type ResolvedRef =
  | { readonly kind: 'valid'; readonly key: string; readonly reference: PolicyReference }
  /** It can be named in the status, and another part of it is invalid. */
  | { readonly kind: 'invalid'; readonly key: string; readonly reference: PolicyReference; readonly reason: string }
  | { readonly kind: 'unwritable'; readonly reason: string };

function resolveRef(parsed: ParsedTargetRef, field: string, namespace: string): ResolvedRef {
  if (!parsed.ok && !('ref' in parsed)) return { kind: 'unwritable', reason: parsed.reason };
  const ancestorRef = toAncestorRef(parsed.ok ? { ...parsed.value, namespace: undefined } : parsed.ref);
  const malformed = `${field} cannot be a reference: its group, kind, name or sectionName is malformed.`;
  if (!isWritable(ancestorRef)) return { kind: 'unwritable', reason: malformed };
  const target = resolveTarget(ancestorRef, field, namespace);
  const key = target.kind === 'gateway' ? target.gateway : JSON.stringify(ancestorRef);
  if (parsed.ok) return { kind: 'valid', key, reference: { ancestorRef, target } };
  const { reason } = parsed;
  const unsupported = { kind: 'unsupported' as const, message: reason, gateway: target.gateway };
  return { kind: 'invalid', key, reference: { ancestorRef, target: unsupported }, reason };
}

/** Fills in the defaults of absent fields, and of an empty kind: the API server refuses an empty kind in a status. */
function toAncestorRef({ group, kind, namespace, name, sectionName }: WrittenTargetRef): AncestorRef {
  return {
    group: group ?? gatewayGroup,
    kind: kind || gatewayKind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
  };
}

function resolveTarget(ref: AncestorRef, field: string, policyNamespace: string): PolicyReference['target'] {
  const { group, kind, namespace = policyNamespace, name, sectionName } = ref;
  if ((group !== gatewayGroup && group !== '') || kind !== gatewayKind) {
    const found = `kind ${quoted(kind)} in group ${quoted(group)}`;
    const message = `${field} is of ${found}: a policy can be attached to a Gateway of group "${gatewayGroup}" only.`;
    return { kind: 'unsupported', message, gateway: undefined };
  }
  const gateway = `${namespace}/${name}`;
  if (sectionName !== undefined) {
    const message = `${field}.sectionName is not supported: rules hold for the whole Gateway, remove it to mean that.`;
    return { kind: 'unsupported', message, gateway };
  }
  return { kind: 'gateway', gateway };
}

const kindPattern = /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

/** Checks the patterns of the API's ParentReference: the API server refuses a whole status for one malformed entry. */
function isWritable({ group, kind, name, sectionName }: AncestorRef): boolean {
  if (group !== '' && !isSubdomain(group)) return false;
  if (kind.length > 63 || !kindPattern.test(kind)) return false;
  if (name === '' || [...name].length > 253) return false;
  return sectionName === undefined || isSubdomain(sectionName);
}
