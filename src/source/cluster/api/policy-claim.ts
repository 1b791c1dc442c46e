import { parseBoundedJson } from '../../../json/bounded-json.ts';
import { findJson } from '../../../json/find-strings.ts';
import type { MCPAuthPolicy, Resource } from '../../../resources/model.ts';
import { decode, kinds, partsOf } from '../../../resources/resources.ts';
import { bytesOfParts } from './object-room.ts';

/**
 * Returns what is kept of a policy that cannot be read as a whole: if it says who may sign, that it does, and at which
 * Gateways. Nothing of it is valid, and without it another policy's signers would come into force.
 */
export function claimOf(resource: Resource | undefined, reason: string): MCPAuthPolicy | undefined {
  if (resource?.kind !== 'MCPAuthPolicy' || resource.jwt === undefined) return undefined;
  const invalid = { ok: false, reason } as const;
  return { ...resource, rules: invalid, jwt: invalid };
}

/** The bytes that are counted for a claim: it is attached as the policy would be. */
export function bytesOfClaim(claim: Resource | undefined): number {
  if (claim === undefined) return 0;
  return JSON.stringify(claim).length + bytesOfParts(claim.kind, partsOf(claim));
}

/** The references of a policy, as far as its CRD allows them. */
const refBounds = { maxValues: 1_000, maxDepth: 3 };

/**
 * Finds the claim of a policy that is beyond a bound, without parsing it.
 *
 * @param inside the path of the object within the text
 * @param metadata the fields of its metadata
 */
export function claimInText(
  text: string,
  inside: string,
  metadata: (field: string) => string | undefined,
  reason: string,
): MCPAuthPolicy | undefined {
  const [refsPath, jwtPath] = [`${inside}spec.targetRefs`, `${inside}spec.jwt`];
  const found = findJson(text, new Set([refsPath, jwtPath]));
  if (!found.has(jwtPath)) return undefined;
  const refs = parseBoundedJson(found.get(refsPath) ?? '', refBounds);
  const { kind, apiVersion } = kinds.MCPAuthPolicy;
  const creationTimestamp = metadata('creationTimestamp');
  const decoded = decode('MCPAuthPolicy', {
    apiVersion,
    kind,
    metadata: {
      name: metadata('name'),
      namespace: metadata('namespace'),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
    spec: { targetRefs: refs.kind === 'json' ? refs.value : [], jwt: {} },
  });
  return decoded.readable ? claimOf(decoded.resource, reason) : undefined;
}
