import type { Collection, Context } from '../../graph/model.ts';
import type { MCPAuthPolicy } from '../../resources/model.ts';
import type { UnresolvedGateway } from '../gateway/allowed-namespaces.ts';
import type { Attachment, GatewayKey, PolicyConfig } from '../model.ts';
import { namespaceName, objectName } from '../names.ts';
import { toWireRules, type WireRules } from './rules.ts';
import { type PolicyReferences, resolveTargetRefs } from './target-refs.ts';

/** The evaluation of a policy by itself: it depends on no other object. */
export interface PolicyResult extends WireRules, PolicyReferences {
  readonly namespace: string;
  readonly name: string;
  /** `empty`: `spec.rules` is empty, so the policy allows nothing. `invalid`: no valid rule remains. */
  readonly outcome: 'allows' | 'empty' | 'invalid';
}

/** Evaluates one policy. */
export function evaluatePolicy(policy: MCPAuthPolicy): PolicyResult {
  const { namespace, name } = policy.metadata;
  const references = resolveTargetRefs(policy.targetRefs, namespace);
  if (!policy.rules.ok) {
    const dropped = [policy.rules.reason];
    return { namespace, name, outcome: 'invalid', ...references, rules: [], items: [], dropped };
  }
  const wireRules = toWireRules(policy.rules.value);
  return { namespace, name, outcome: outcomeOf(policy.rules.value.length, wireRules), ...references, ...wireRules };
}

function outcomeOf(count: number, { rules }: WireRules): PolicyResult['outcome'] {
  if (rules.length > 0) return 'allows';
  return count === 0 ? 'empty' : 'invalid';
}

/** The Config of a policy; none without a rule: gateways read an empty list as "everyone may" (`docs/wire.md`). */
export function policyConfig(policy: PolicyResult): PolicyConfig | undefined {
  const namespace = namespaceName(policy.namespace);
  const name = objectName(policy.name);
  const [first, ...others] = policy.rules;
  if (namespace === undefined || name === undefined || first === undefined) return undefined;
  return { namespace, name, rules: [first, ...others] };
}

/** The Gateways that a policy targets, apart from its rules: rules change often, targets rarely. */
export interface PolicyTargets {
  readonly name: string;
  /** Sorted, without duplicates. */
  readonly gateways: readonly GatewayKey[];
  /** True if the policy has a Config to send. */
  readonly hasConfig: boolean;
}

/** The Gateways that a policy targets; undefined for an invalid policy. */
export function policyTargets({ name, outcome, references }: PolicyResult): PolicyTargets | undefined {
  if (outcome === 'invalid') return undefined;
  const gateways = references.flatMap(({ target }) => (target.kind === 'gateway' ? [target.gateway] : []));
  return { name, gateways: [...new Set(gateways)].sort(), hasConfig: outcome === 'allows' };
}

/** One attachment for each served Gateway that a policy with a Config targets. */
export function attach(
  { gateways, hasConfig }: PolicyTargets,
  context: Context,
  policy: string,
  unresolvedGateways: Collection<UnresolvedGateway>,
): readonly (readonly [key: string, attachment: Attachment])[] {
  if (!hasConfig) return [];
  const served = gateways.filter((gateway) => context.get(unresolvedGateways, gateway)?.kind === 'served');
  return served.map((gateway) => [`${gateway}|${policy}`, { gateway, policy }]);
}
