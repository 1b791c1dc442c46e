import type { MCPAuthPolicy, Parsed, PolicyJwt, PolicyRule } from '../model.ts';

/** Bytes of a wire rule, or of an expression, beside what users write in it. */
const bytesOfMatch = 60;

/**
 * Estimates the bytes that a policy is encoded to for one Gateway. A dialect repeats the name of a rule's resource for each
 * match, so that 4 KiB of a manifest become 64 KiB; and another one repeats everything for each Gateway.
 */
export function encodedBytes({ rules, jwt }: MCPAuthPolicy): number {
  const written = rules.ok ? sumOf(rules.value, bytesOfRule) : 0;
  return written + (jwt?.ok ? bytesOfJwt(jwt.value) : 0);
}

function bytesOfRule(rule: Parsed<PolicyRule>): number {
  if (!rule.ok) return 0;
  const { resource, matches } = rule.value;
  const name = resource.name.all ? 1 : resource.name.target.length + resource.name.item.length;
  const claims = sumOf(matches, (match) => (match.ok ? match.value.claim.length + match.value.value.length : 0));
  return matches.length * (name + bytesOfMatch) + claims;
}

/** Without keys, which have room of their own. */
function bytesOfJwt({ providers, resourceMetadata }: PolicyJwt): number {
  const ofProviders = sumOf(providers, (provider) =>
    provider.ok ? provider.value.issuer.length + sumOf(provider.value.audiences, lengthOf) : 0,
  );
  if (!resourceMetadata?.ok) return ofProviders;
  const { resource, authorizationServers, scopesSupported } = resourceMetadata.value;
  return ofProviders + resource.length + sumOf(authorizationServers, lengthOf) + sumOf(scopesSupported, lengthOf);
}

const lengthOf = (text: string): number => text.length;

function sumOf<T>(items: readonly T[], sizeOf: (item: T) => number): number {
  return items.reduce((sum, item) => sum + sizeOf(item), 0);
}
