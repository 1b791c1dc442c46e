import type { Collection, Context, Index } from '../../graph/model.ts';
import { joinNames } from '../messages.ts';
import type { Condition, GatewayConditionType, GatewayKey } from '../model.ts';
import type { GatewayJwt } from '../policy/jwt.ts';
import { isConflicted, type PolicyResult, type PolicyTargets } from '../policy/policy.ts';
import type { ConditionWriter } from './conditions.ts';

/*
 * Statements about the inputs: agentgateway nodes get the keys to verify tokens with from here. The keys of other gateways
 * are in their own configuration, and none of this is about them.
 */

const nobody = 'agentgateway nodes of the Gateway authenticate nobody';

const notProvided = `No policy has spec.jwt, so ${nobody}. Gateways that have the keys in their own configuration need none.`;

/** Who may sign tokens at the Gateways. */
export interface SignerInputs {
  /** The name of the policy whose `spec.jwt` counts, by Gateway. */
  readonly jwtOwners: Collection<string>;
  readonly gatewayJwts: Collection<GatewayJwt>;
}

/** The condition of a served Gateway; absent without a policy, when nobody may do anything anyway. */
export function jwtProvided(
  context: Context,
  key: GatewayKey,
  { gatewayJwts, policiesByGateway }: SignerInputs & { readonly policiesByGateway: Index<PolicyTargets> },
  condition: ConditionWriter,
): readonly Condition<GatewayConditionType>[] {
  const type = 'kgateway.dev/JWTProvided';
  const jwt = context.get(gatewayJwts, key);
  if (jwt === undefined) {
    if (context.by(policiesByGateway, key).length === 0) return [];
    return [condition(type, 'False', 'NotProvided', notProvided)];
  }
  const { policy, providers, awaited } = jwt;
  if (providers.length > 0) {
    const issuers = joinNames([...new Set(providers.map(({ issuer }) => issuer))]);
    return [condition(type, 'True', 'Provided', `The policy ${policy} says who may sign tokens: ${issuers}.`)];
  }
  const pending = awaited.length > 0;
  const why = pending ? `are not fetched yet from ${joinNames(awaited)}` : 'cannot be used';
  const message = `The keys of the policy ${policy} ${why}, so ${nobody}.`;
  return [condition(type, 'False', pending ? 'Pending' : 'NoUsableKey', message)];
}

/** Returns why nothing of a policy counts at a Gateway: another policy's signers do. Undefined without such a one. */
export function signerConflict(
  { name, jwt }: PolicyResult,
  gateway: GatewayKey,
  context: Context,
  inputs: SignerInputs,
): string | undefined {
  if (!isConflicted({ name, hasJwt: jwt !== undefined }, gateway, context, inputs)) return undefined;
  const owner = context.get(inputs.jwtOwners, gateway) ?? 'another';
  return `spec.jwt of the policy ${owner} counts at this Gateway, since it is older, or as old and first by name. So nothing of this policy counts here: keep spec.jwt in one of them.`;
}

/** Returns what the status of an accepted policy says beside, with a blank before it: nobody could use the policy. */
export function signerRemark(gateway: GatewayKey, context: Context, { jwtOwners, gatewayJwts }: SignerInputs): string {
  const owner = context.get(jwtOwners, gateway);
  if (owner === undefined) return ` ${notProvided}`;
  const jwt = context.get(gatewayJwts, gateway);
  if (jwt !== undefined && jwt.providers.length > 0) return '';
  const awaited = jwt?.awaited ?? [];
  const why = awaited.length > 0 ? `are not fetched yet from ${joinNames(awaited)}` : 'cannot be used';
  return ` The keys of the policy ${owner} ${why}, so ${nobody}.`;
}

/** The parts of the `spec.jwt` of a policy that are left out at a Gateway, in sentences. */
export function droppedSigners(
  { name, jwt }: PolicyResult,
  gateway: GatewayKey,
  context: Context,
  { gatewayJwts }: SignerInputs,
): readonly string[] {
  if (jwt === undefined) return [];
  const found = context.get(gatewayJwts, gateway);
  return found?.policy === name ? found.dropped : [];
}

/** The reasons why no provider of a policy is valid, in sentences. */
export function invalidSigners({ jwt }: PolicyResult): readonly string[] {
  if (jwt === undefined) return [];
  return jwt.ok ? jwt.value.providers.flatMap((provider) => (provider.ok ? [] : [provider.reason])) : [jwt.reason];
}
