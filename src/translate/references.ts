import type { Part, TargetRef } from '../resources/model.ts';
import { quote } from './condition.ts';
import type { AncestorRef, GatewayKey } from './model.ts';

/** One `targetRef`, as it stands in the status, and what it points to. */
export interface Reference {
  readonly ancestorRef: AncestorRef;
  readonly points:
    | { readonly to: 'gateway'; readonly gateway: GatewayKey }
    /** To something that a policy cannot be attached to. */
    | { readonly to: 'nothing'; readonly message: string };
}

/** All references of a policy. */
export interface References {
  /** In the order of the document; what means the same Gateway, or is the same reference, once. */
  readonly written: readonly Reference[];
  /** Why others have no place in a status, in sentences. */
  readonly unwritable: readonly string[];
}

const gatewayGroup = 'gateway.networking.k8s.io';
const gatewayKind = 'Gateway';

/** Reads the references of a policy that stands in `namespace`; they cannot leave it. */
export function readReferences(targetRefs: readonly Part<TargetRef>[], namespace: string): References {
  const written = new Map<string, Reference>();
  const unwritable: string[] = [];
  for (const [at, ref] of targetRefs.entries()) {
    const field = `spec.targetRefs[${at}]`;
    if (!ref.ok) {
      unwritable.push(ref.reason);
      continue;
    }
    const ancestorRef = spell(ref.value);
    if (!isWritable(ancestorRef)) {
      unwritable.push(`${field} cannot be a reference: its group, kind, name or sectionName is malformed.`);
      continue;
    }
    const points = resolve(ancestorRef, field, namespace);
    const { group, kind, name, sectionName } = ancestorRef;
    const key = points.to === 'gateway' ? points.gateway : JSON.stringify([group, kind, name, sectionName]);
    if (!written.has(key)) written.set(key, { ancestorRef, points });
  }
  return { written: [...written.values()], unwritable };
}

/** As written, with what is absent filled in. An empty kind is filled in too: the API refuses it in a status. */
function spell({ group, kind, name, sectionName }: TargetRef): AncestorRef {
  const ref = { group: group ?? gatewayGroup, kind: kind || gatewayKind, name };
  return sectionName === undefined ? ref : { ...ref, sectionName };
}

function resolve(
  { group, kind, name, sectionName }: AncestorRef,
  field: string,
  namespace: string,
): Reference['points'] {
  if ((group !== gatewayGroup && group !== '') || kind !== gatewayKind) {
    const found = `kind ${quote(kind)} in group ${quote(group)}`;
    const message = `${field} is of ${found}: a policy can be attached to a Gateway of group "${gatewayGroup}" only.`;
    return { to: 'nothing', message };
  }
  if (sectionName !== undefined) {
    const message = `${field}.sectionName is not supported: rules hold for the whole Gateway, remove it to mean that.`;
    return { to: 'nothing', message };
  }
  return { to: 'gateway', gateway: `${namespace}/${name}` };
}

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const kindPattern = /^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/;

/** The patterns of ParentReference in the API: one malformed ancestor makes the API server refuse the whole status. */
function isWritable({ group, kind, name, sectionName }: AncestorRef): boolean {
  if (group !== '' && (group.length > 253 || !subdomain.test(group))) return false;
  if (kind.length > 63 || !kindPattern.test(kind)) return false;
  if (name === '' || [...name].length > 253) return false;
  return sectionName === undefined || (sectionName.length <= 253 && subdomain.test(sectionName));
}
