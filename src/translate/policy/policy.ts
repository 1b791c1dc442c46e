import type { Collection, Context } from '../../graph/model.ts';
import type { MCPAuthPolicy } from '../../resources/model.ts';
import type { Allowance } from '../gateway/allowed-namespaces.ts';
import type { Attachment, GatewayKey, PolicyConfig } from '../model.ts';
import { namespaceName, objectName } from '../names.ts';
import { type WrittenRules, writeRules } from './rules.ts';
import { type References, readReferences } from './target-refs.ts';

/** What a policy says, by itself: nothing in here depends on another object. */
export interface PolicyVerdict extends WrittenRules {
  readonly namespace: string;
  readonly name: string;
  /** `silent`: its list of rules is empty, so it allows nothing, as written. `invalid`: nothing valid remains. */
  readonly outcome: 'allows' | 'silent' | 'invalid';
  readonly references: References;
}

/** Judges one policy. */
export function judgePolicy(policy: MCPAuthPolicy): PolicyVerdict {
  const { namespace, name } = policy.identity;
  const references = readReferences(policy.targetRefs, namespace);
  if (!policy.rules.ok) {
    const dropped = [policy.rules.reason];
    return { namespace, name, outcome: 'invalid', references, rules: [], names: [], dropped };
  }
  const written = writeRules(policy.rules.value);
  return { namespace, name, outcome: outcomeOf(policy.rules.value.length, written), references, ...written };
}

function outcomeOf(count: number, { rules }: WrittenRules): PolicyVerdict['outcome'] {
  if (rules.length > 0) return 'allows';
  return count === 0 ? 'silent' : 'invalid';
}

/** The Config of a policy; none without a rule, because gateways read an empty list as "everyone may". */
export function configOf(verdict: PolicyVerdict): PolicyConfig | undefined {
  const namespace = namespaceName(verdict.namespace);
  const name = objectName(verdict.name);
  const [first, ...others] = verdict.rules;
  if (namespace === undefined || name === undefined || first === undefined) return undefined;
  return { namespace, name, rules: [first, ...others] };
}

/** Which Gateways a policy is meant for: what changes rarely, kept apart from the rules, which change often. */
export interface Reach {
  readonly name: string;
  /** Sorted, each once. */
  readonly gateways: readonly GatewayKey[];
  /** Whether there is a Config to send. */
  readonly allows: boolean;
}

/** The reach of a policy; an invalid one reaches nobody. */
export function reachOf({ name, outcome, references }: PolicyVerdict): Reach | undefined {
  if (outcome === 'invalid') return undefined;
  const gateways = references.written.flatMap(({ points }) => (points.to === 'gateway' ? [points.gateway] : []));
  return { name, gateways: [...new Set(gateways)].sort(), allows: outcome === 'allows' };
}

/** One attachment for each served Gateway in reach of a policy that has a Config. */
export function attach(
  { gateways, allows }: Reach,
  context: Context,
  policy: string,
  allowances: Collection<Allowance>,
): readonly (readonly [key: string, attachment: Attachment])[] {
  if (!allows) return [];
  const served = gateways.filter((gateway) => context.get(allowances, gateway)?.kind === 'served');
  return served.map((gateway) => [`${gateway}|${policy}`, { gateway, policy }]);
}
