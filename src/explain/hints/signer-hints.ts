import type { MCPAuthPolicy } from '../../resources/model.ts';
import type { ExplainInputs, Finding } from '../model.ts';
import { writtenSigners } from '../signers.ts';

/** The issuers that the policies of each Gateway name. */
type Issuers = ReadonlyMap<string, { readonly issuers: ReadonlySet<string> }>;

/**
 * Yields mistakes about who may sign, and undefined after each object. Only agentgateway nodes learn it from policies, so
 * nothing is missed where no policy says it.
 */
export function* signerHints(inputs: ExplainInputs, named: ReadonlySet<string>): Generator<Finding | undefined> {
  const claimed: Issuers = yield* writtenSigners(inputs);
  if (claimed.size === 0) return;
  const isServed = (gateway: string): boolean => inputs.translation.gateways.get(gateway)?.kind === 'served';
  // By namespace: what others write in theirs is no reason, and its names are not for everybody.
  const others = new Map<string, string>();
  for (const gateway of claimed.keys()) {
    yield undefined;
    if (isServed(gateway)) others.set(namespaceOf(gateway), gateway);
  }
  for (const gateway of named) {
    yield undefined;
    const other = others.get(namespaceOf(gateway));
    if (other === undefined || claimed.has(gateway) || !isServed(gateway)) continue;
    const message = `No policy of Gateway ${gateway} has spec.jwt, unlike those of ${other}, so that its agentgateway nodes authenticate nobody: write it in one of its policies, if it has such nodes.`;
    yield { severity: 'warning', from: 'hint', at: { kind: 'Gateway', key: gateway, path: ['spec'] }, message };
  }
  for (const [key, policy] of inputs.resources.MCPAuthPolicy.entries()) {
    yield undefined;
    yield* issuerHints(claimed, key, policy);
  }
}

function namespaceOf(gateway: string): string {
  return gateway.slice(0, gateway.indexOf('/'));
}

/**
 * A rule for an issuer whose tokens no agentgateway node of its Gateways takes. Issuers count as they are written: one
 * whose keys cannot be fetched now is none that is missing.
 */
function* issuerHints(
  claimed: Issuers,
  key: string,
  { metadata, targetRefs, rules }: MCPAuthPolicy,
): Generator<Finding> {
  if (!rules.ok) return;
  const claims = targetRefs.flatMap((ref) => {
    const gateway = ref.ok ? `${metadata.namespace}/${ref.value.name}` : '';
    const issuers = claimed.get(gateway)?.issuers;
    return issuers === undefined || issuers.size === 0 ? [] : [{ gateway, issuers }];
  });
  const [first] = claims;
  if (first === undefined) return;
  const issuers = new Set(claims.flatMap((claim) => [...claim.issuers]));
  for (const [position, rule] of rules.value.entries()) {
    for (const [match, parsed] of (rule.ok ? rule.value.matches : []).entries()) {
      if (!parsed.ok || parsed.value.claim !== 'iss' || issuers.has(parsed.value.value)) continue;
      const path = ['spec', 'rules', position, 'matches', match, 'jwt', 'value'];
      const message = `No provider in spec.jwt of Gateway ${first.gateway} has this issuer, so that its agentgateway nodes take no such token: correct it, or write a provider for it.`;
      yield { severity: 'warning', from: 'hint', at: { kind: 'MCPAuthPolicy', key, path }, message };
    }
  }
}
