import type { NamedRef, TargetRefPart } from '../../resources/model.ts';
import type { AncestorRef, GatewayKey } from '../model.ts';
import { quote } from '../status/conditions.ts';

/** One `targetRef`, as it stands in the status, and what it points to. */
export interface Reference {
  readonly ancestorRef: AncestorRef;
  readonly points:
    | { readonly to: 'gateway'; readonly gateway: GatewayKey }
    /** To something that a policy cannot be attached to; `of` is the Gateway that it would be about all the same. */
    | { readonly to: 'nothing'; readonly message: string; readonly of: GatewayKey | undefined };
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
export function readReferences(targetRefs: readonly TargetRefPart[], namespace: string): References {
  const readings = targetRefs.map((ref, at) => read(ref, `spec.targetRefs[${at}]`, namespace));
  const understood = new Set(readings.flatMap((reading) => (reading.kind === 'understood' ? [reading.place] : [])));
  const written = new Map<string, Reference>();
  const unwritable: string[] = [];
  for (const reading of readings) {
    if (reading.kind === 'unwritable') unwritable.push(reading.reason);
    // A status has one place for what is named alike, and what is understood comes first.
    else if (reading.kind === 'faulty' && (understood.has(reading.place) || written.has(reading.place)))
      unwritable.push(reading.reason);
    else if (!written.has(reading.place)) written.set(reading.place, reading.reference);
  }
  return { written: [...written.values()], unwritable };
}

/** `place` is the same for what means the same Gateway, or is the same reference. */
type Reading =
  | { readonly kind: 'understood'; readonly place: string; readonly reference: Reference }
  /** It can be named, and what else it says is not understood. */
  | { readonly kind: 'faulty'; readonly place: string; readonly reference: Reference; readonly reason: string }
  | { readonly kind: 'unwritable'; readonly reason: string };

function read(part: TargetRefPart, field: string, namespace: string): Reading {
  if (!part.ok && !('ref' in part)) return { kind: 'unwritable', reason: part.reason };
  const ancestorRef = spell(part.ok ? { ...part.value, namespace: undefined } : part.ref);
  const malformed = `${field} cannot be a reference: its group, kind, name or sectionName is malformed.`;
  if (!isWritable(ancestorRef)) return { kind: 'unwritable', reason: malformed };
  const points = resolve(ancestorRef, field, namespace);
  const place = points.to === 'gateway' ? points.gateway : JSON.stringify(ancestorRef);
  if (part.ok) return { kind: 'understood', place, reference: { ancestorRef, points } };
  const { reason } = part;
  const of = points.to === 'gateway' ? points.gateway : points.of;
  return { kind: 'faulty', place, reference: { ancestorRef, points: { to: 'nothing', message: reason, of } }, reason };
}

/** As written, with what is absent filled in. An empty kind is filled in too: the API refuses it in a status. */
function spell({ group, kind, namespace, name, sectionName }: NamedRef): AncestorRef {
  return {
    group: group ?? gatewayGroup,
    kind: kind || gatewayKind,
    ...(namespace === undefined ? {} : { namespace }),
    name,
    ...(sectionName === undefined ? {} : { sectionName }),
  };
}

function resolve(ref: AncestorRef, field: string, home: string): Reference['points'] {
  const { group, kind, namespace = home, name, sectionName } = ref;
  if ((group !== gatewayGroup && group !== '') || kind !== gatewayKind) {
    const found = `kind ${quote(kind)} in group ${quote(group)}`;
    const message = `${field} is of ${found}: a policy can be attached to a Gateway of group "${gatewayGroup}" only.`;
    return { to: 'nothing', message, of: undefined };
  }
  const gateway = `${namespace}/${name}`;
  if (sectionName !== undefined) {
    const message = `${field}.sectionName is not supported: rules hold for the whole Gateway, remove it to mean that.`;
    return { to: 'nothing', message, of: gateway };
  }
  return { to: 'gateway', gateway };
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
