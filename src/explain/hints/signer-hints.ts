import type { MCPAuthPolicy } from '../../resources/model.ts';
import type { ExplainInputs, Finding } from '../model.ts';
import { signerClaims } from '../signers.ts';

/**
 * Yields mistakes about who may sign, and undefined after each object. Only agentgateway nodes learn it from policies, so
 * nothing is missed where no policy says it.
 */
export function* signerHints(inputs: ExplainInputs, named: ReadonlySet<string>): Generator<Finding | undefined> {
  const claimed = signerClaims(inputs);
  if (claimed.size === 0) return;
  const [other = ''] = [...claimed.keys()].sort();
  for (const gateway of named) {
    yield undefined;
    if (claimed.has(gateway) || inputs.translation.gateways.get(gateway)?.kind !== 'served') continue;
    const message = `No policy of Gateway ${gateway} has spec.jwt, unlike those of ${other}, so that its agentgateway nodes authenticate nobody: write it in one of its policies, if it has such nodes.`;
    yield { severity: 'warning', from: 'hint', at: { kind: 'Gateway', key: gateway, path: ['spec'] }, message };
  }
  for (const [key, policy] of inputs.resources.MCPAuthPolicy.entries()) {
    yield undefined;
    yield* issuerHints(inputs, key, policy);
  }
}

/** A rule for an issuer whose tokens no agentgateway node of its Gateways takes. */
function* issuerHints(
  { translation }: ExplainInputs,
  key: string,
  { metadata, targetRefs, rules }: MCPAuthPolicy,
): Generator<Finding> {
  if (!rules.ok) return;
  const gateways = targetRefs.flatMap((ref) => (ref.ok ? [`${metadata.namespace}/${ref.value.name}`] : []));
  const providers = gateways.flatMap((gateway) => translation.jwtProviders.get(gateway) ?? []);
  if (providers.length === 0) return;
  const issuers = new Set(providers.map(({ issuer }) => issuer));
  for (const [position, rule] of rules.value.entries()) {
    for (const [match, parsed] of (rule.ok ? rule.value.matches : []).entries()) {
      if (!parsed.ok || parsed.value.claim !== 'iss' || issuers.has(parsed.value.value)) continue;
      const path = ['spec', 'rules', position, 'matches', match, 'jwt', 'value'];
      const message = `No provider in spec.jwt of Gateway ${gateways[0]} has this issuer, so that its agentgateway nodes take no such token: correct it, or write a provider for it.`;
      yield { severity: 'warning', from: 'hint', at: { kind: 'MCPAuthPolicy', key, path }, message };
    }
  }
}
