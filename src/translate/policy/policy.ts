import type { Collection, Context } from '../../graph/model.ts';
import type { MCPAuthPolicy, Parsed, PolicyJwt } from '../../resources/model.ts';
import type { Attachment, GatewayKey, PolicyConfig } from '../model.ts';
import { namespaceName, objectName } from '../names.ts';
import { toWireRules, type WireRules } from './rules.ts';
import { type PolicyReferences, resolveTargetRefs } from './target-refs.ts';

/** The evaluation of a policy by itself: it depends on no other object. */
export interface PolicyResult extends WireRules, PolicyReferences {
  readonly namespace: string;
  readonly name: string;
  readonly created: string | undefined;
  /** The Gateways that valid references name: sorted, without duplicates. */
  readonly gateways: readonly GatewayKey[];
  /** `empty`: the policy has no valid rule, and is none the less of use or meant so. `invalid`: nothing valid remains. */
  readonly outcome: 'allows' | 'empty' | 'invalid';
  readonly jwt: Parsed<PolicyJwt> | undefined;
}

/** Evaluates one policy. */
export function evaluatePolicy(policy: MCPAuthPolicy): PolicyResult {
  const { namespace, name } = policy.metadata;
  const { created, jwt } = policy;
  const references = resolveTargetRefs(policy.targetRefs, namespace);
  const named = references.references.flatMap(({ target }) => (target.kind === 'gateway' ? [target.gateway] : []));
  const self = { namespace, name, created, jwt, ...references, gateways: [...new Set(named)].sort() };
  if (!policy.rules.ok) return { ...self, outcome: 'invalid', rules: [], items: [], dropped: [policy.rules.reason] };
  const wireRules = toWireRules(policy.rules.value);
  return { ...self, outcome: outcomeOf(policy, policy.rules.value.length, wireRules), ...wireRules };
}

function outcomeOf({ jwt }: MCPAuthPolicy, count: number, { rules }: WireRules): PolicyResult['outcome'] {
  if (rules.length > 0) return 'allows';
  if (jwt === undefined) return count === 0 ? 'empty' : 'invalid';
  return jwt.ok && jwt.value.providers.some(({ ok }) => ok) ? 'empty' : 'invalid';
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
  /** True if the policy says who may sign tokens: it counts only where no other policy says so before it. */
  readonly hasJwt: boolean;
}

/** The Gateways that a policy targets; undefined for an invalid policy. */
export function policyTargets({ name, outcome, gateways, jwt }: PolicyResult): PolicyTargets | undefined {
  if (outcome === 'invalid') return undefined;
  return { name, gateways, hasConfig: outcome === 'allows', hasJwt: jwt !== undefined };
}

/** What is known of the Gateways of policies. */
export interface PolicyGateways {
  /** The name of the policy whose `spec.jwt` counts at a Gateway, by the key of the Gateway. */
  readonly jwtOwners: Collection<string>;
}

/** Returns whether another policy's `spec.jwt` counts at a Gateway, so that this policy does not. */
export function isConflicted(
  { name, hasJwt }: Pick<PolicyTargets, 'name' | 'hasJwt'>,
  gateway: GatewayKey,
  context: Context,
  { jwtOwners }: PolicyGateways,
): boolean {
  return hasJwt && context.get(jwtOwners, gateway) !== name;
}

/** A Gateway that a policy with a Config targets, be it served or not. */
export interface AttachmentCandidate extends Attachment, Pick<PolicyTargets, 'name' | 'hasJwt'> {}

/** The Gateways of a policy, one by one: what changes of one of them runs nothing for the others. */
export function attachmentCandidates(
  { name, gateways, hasConfig, hasJwt }: PolicyTargets,
  policy: string,
): readonly (readonly [key: string, candidate: AttachmentCandidate])[] {
  if (!hasConfig) return [];
  return gateways.map((gateway) => [attachmentKey(gateway, policy), { gateway, policy, name, hasJwt }]);
}

/**
 * The attachment, whether or not the Gateway is served: one that comes or goes costs nothing for each of its policies. Rules
 * of a policy whose signers do not count are not attached: they name callers of other issuers.
 */
export function attach(
  candidate: AttachmentCandidate,
  context: Context,
  gateways: PolicyGateways,
): Attachment | undefined {
  return isConflicted(candidate, candidate.gateway, context, gateways) ? undefined : candidate;
}

/** The key of the collection of attachments. No name of an object contains the separator. */
export function attachmentKey(gateway: GatewayKey, policy: string): string {
  return `${gateway}|${policy}`;
}
