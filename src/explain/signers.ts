import { toEnd } from './grants.ts';
import type { ExplainInputs, SignerClaim } from './model.ts';

/** Policies with `spec.jwt` that name a Gateway, as written. */
interface WrittenSigners {
  readonly claims: WrittenClaim[];
  readonly issuers: Set<string>;
}

/** Finds what policies say about the signers of each Gateway. Yields undefined after each policy. */
export function* writtenSigners({
  resources,
}: Pick<ExplainInputs, 'resources'>): Generator<undefined, ReadonlyMap<string, WrittenSigners>> {
  const found = new Map<string, WrittenSigners>();
  for (const [policy, { metadata, targetRefs, jwt, created }] of resources.MCPAuthPolicy.entries()) {
    yield undefined;
    if (jwt === undefined) continue;
    const issuers = jwt.ok ? jwt.value.providers.flatMap((one) => (one.ok ? [one.value.issuer] : [])) : [];
    for (const ref of targetRefs) {
      if (!ref.ok) continue;
      const gateway = `${metadata.namespace}/${ref.value.name}`;
      const known = found.get(gateway) ?? { claims: [], issuers: new Set<string>() };
      found.set(gateway, known);
      known.claims.push({ policy, jwt, created });
      for (const issuer of issuers) known.issuers.add(issuer);
    }
  }
  return found;
}

/**
 * What the policies of each Gateway say about who may sign its tokens, as written: keys that are fetched later count as
 * their address, so that two states can be compared without a network.
 */
export function signerClaims(inputs: Pick<ExplainInputs, 'resources'>): ReadonlyMap<string, SignerClaim> {
  const found = toEnd(writtenSigners(inputs));
  return new Map([...found].map(([gateway, { claims, issuers }]) => [gateway, claimOf(claims, issuers)]));
}

function claimOf(claims: readonly WrittenClaim[], issuers: ReadonlySet<string>): SignerClaim {
  // The age of a policy decides only between several, and files have none.
  const aged = claims.length > 1;
  const texts = claims.map(({ policy, jwt, created }) => JSON.stringify([policy, jwt, aged ? created : null]));
  return { fingerprint: texts.sort().join('\n'), issuers: [...issuers].sort() };
}

interface WrittenClaim {
  readonly policy: string;
  readonly jwt: unknown;
  readonly created: string | undefined;
}
