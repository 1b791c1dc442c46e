import type { Collection, Context, Derived, Failure } from '../../graph/model.ts';
import { quoted } from '../../json/quoted.ts';
import type { MCPAuthPolicy } from '../../resources/model.ts';
import { allowsNamespace, type UnresolvedGateway } from '../gateway/allowed-namespaces.ts';
import type { GatewayResult } from '../gateway/gateway.ts';
import type { LabelledNamespace } from '../gateway/namespace-selector.ts';
import type { SelectorSet } from '../gateway/selector-set.ts';
import { joinNames, joinSentences } from '../messages.ts';
import type { Condition, PolicyConditionType, PolicyNotice, PolicyStatus } from '../model.ts';
import type { PolicyResult } from '../policy/policy.ts';
import type { NamedItem } from '../policy/rules.ts';
import { type PolicyReference, resolveTargetRefs } from '../policy/target-refs.ts';
import { type ConditionWriter, conditionWriter, internalError } from './conditions.ts';
import { droppedSigners, invalidSigners, type SignerInputs, signerConflict, signerRemark } from './jwt-conditions.ts';

/** The collections that the status of a policy is computed from. */
export interface PolicyStatusInputs extends SignerInputs {
  readonly controllerName: string;
  readonly policyResults: Derived<PolicyResult>;
  /** The other collections that are derived from policies, for their failures. */
  readonly derivedFromPolicies: readonly Derived<unknown>[];
  readonly gatewayResults: Derived<GatewayResult>;
  readonly unresolvedGateways: Derived<UnresolvedGateway>;
  /** The namespace of every target, by target name. */
  readonly targetNamespaces: Collection<string>;
  readonly labelledNamespaces: Collection<LabelledNamespace>;
  readonly selectorSets: Collection<SelectorSet>;
}

type Ancestor = PolicyStatus['ancestors'][number];

/** The limit of `status.ancestors` in the Gateway API. */
const mostAncestors = 16;

/** The status of one policy; undefined when no reference to a Gateway of ours has a place in it. */
export function policyStatus(
  policy: MCPAuthPolicy,
  context: Context,
  key: string,
  inputs: PolicyStatusInputs,
): PolicyStatus | undefined {
  const { namespace, name } = policy.metadata;
  const condition = conditionWriter(policy.metadata);
  const result = context.get(inputs.policyResults, key);
  const failure = findFailure(context, key, inputs);
  const { references, unwritable } = result ?? resolveTargetRefs(policy.targetRefs, namespace);
  const ancestors = references.flatMap((reference): readonly Ancestor[] => {
    const ancestor = findAncestor(reference, context, inputs);
    if (ancestor.kind === 'foreign') return [];
    const accepted =
      result === undefined || failure !== undefined
        ? condition('Accepted', 'False', 'Invalid', 'The policy could not be judged.')
        : acceptedCondition(result, { ...reference, ancestor }, context, inputs, condition);
    const internalErrors = failure === undefined ? [] : [internalError(condition, failure)];
    const { ancestorRef, target } = reference;
    const signers =
      result === undefined || target.kind !== 'gateway' ? [] : droppedSigners(result, target.gateway, context, inputs);
    const conditions = [accepted, ...droppedParts(result, unwritable, signers, condition), ...internalErrors];
    return [{ ancestorRef, controllerName: inputs.controllerName, conditions }];
  });
  if (ancestors.length === 0) return undefined;
  return { kind: 'MCPAuthPolicy', namespace, name, ...summary(result), ancestors: ancestors.slice(0, mostAncestors) };
}

/** A column is read at a glance: the number says what does not fit. */
function summary(result: PolicyResult | undefined): Pick<PolicyStatus, 'grants' | 'allows'> {
  const rules = result?.rules ?? [];
  const [first] = rules;
  if (first === undefined) return { grants: 0, allows: 'nothing' };
  const { claim, value, kind, id } = first;
  const more = rules.length === 1 ? '' : ` and ${rules.length - 1} more`;
  return { grants: rules.length, allows: `${shown(claim)}=${shown(value)}: ${kind} ${shown(id)}${more}` };
}

/**
 * Returns a text of a rule as a column shows it. What has blanks or is not ASCII is quoted: otherwise a value could read as
 * another rule, `nobody: tool x`, or like one that it does not equal.
 */
function shown(text: string): string {
  return /^[!#-~]{1,200}$/.test(text) ? text : quoted(text);
}

/** The notice about references without a place in the status. */
export function policyNotice({ namespace, name, references, unwritable }: PolicyResult): PolicyNotice | undefined {
  const surplus = references.length - mostAncestors;
  const missing = `spec.targetRefs has ${surplus} references too many to be shown: a status holds ${mostAncestors}.`;
  const sentences = surplus > 0 ? [...unwritable, missing] : unwritable;
  return sentences.length === 0 ? undefined : { namespace, name, unwritable: sentences };
}

function findFailure(
  context: Context,
  key: string,
  { policyResults, derivedFromPolicies }: PolicyStatusInputs,
): Failure | undefined {
  return [policyResults, ...derivedFromPolicies]
    .map(({ failures }) => context.get(failures, key))
    .find((failure) => failure !== undefined);
}

/** The Gateway that a reference resolves to, or the reason why there is none. */
type AncestorState =
  | UnresolvedGateway
  | { readonly kind: 'missing' }
  | { readonly kind: 'unsupported'; readonly message: string };

type OurAncestor = Exclude<AncestorState, { kind: 'foreign' }>;

/** A Gateway whose evaluation threw counts as rejected. Unsupported references to foreign Gateways count as foreign. */
function findAncestor(
  { target }: PolicyReference,
  context: Context,
  { gatewayResults, unresolvedGateways }: PolicyStatusInputs,
): AncestorState {
  if (target.kind === 'unsupported') {
    const gateway = target.gateway === undefined ? undefined : context.get(unresolvedGateways, target.gateway);
    return gateway?.kind === 'foreign' ? gateway : { kind: 'unsupported', message: target.message };
  }
  const gateway = context.get(unresolvedGateways, target.gateway);
  if (gateway !== undefined) return gateway;
  const failed = [gatewayResults, unresolvedGateways].some(
    ({ failures }) => context.get(failures, target.gateway) !== undefined,
  );
  return failed ? { kind: 'rejected' } : { kind: 'missing' };
}

function acceptedCondition(
  policy: PolicyResult,
  { target, ancestor }: Pick<PolicyReference, 'target'> & { readonly ancestor: OurAncestor },
  context: Context,
  inputs: PolicyStatusInputs,
  condition: ConditionWriter,
): Condition<PolicyConditionType> {
  if (target.kind === 'unsupported') return condition('Accepted', 'False', 'Invalid', target.message);
  if (ancestor.kind === 'unsupported') return condition('Accepted', 'False', 'Invalid', ancestor.message);
  if (ancestor.kind === 'missing') {
    const message = `There is no Gateway ${target.gateway}: create it, or correct the name.`;
    return condition('Accepted', 'False', 'TargetNotFound', message);
  }
  if (policy.outcome === 'invalid') {
    const parts = [...new Set([...policy.dropped, ...invalidSigners(policy)])];
    const message = `Nothing of the policy is valid, so it allows nothing. ${joinSentences(parts)}`;
    return condition('Accepted', 'False', 'Invalid', message);
  }
  const conflict = signerConflict(policy, target.gateway, context, inputs);
  if (conflict !== undefined) return condition('Accepted', 'False', 'Conflicted', conflict);
  const accepted = acceptedMessage(policy);
  if (ancestor.kind === 'rejected') {
    const message = `${accepted} The Gateway is not accepted, so nothing is sent to it.`;
    return condition('Accepted', 'True', 'Accepted', message);
  }
  const unserved = policy.items.filter((item) => !isServed(item, ancestor, context, inputs)).map(({ id }) => id);
  const missing = unserved.length === 0 ? '' : ` The Gateway serves no target for ${joinNames(unserved)}.`;
  const signers = signerRemark(target.gateway, context, inputs);
  return condition('Accepted', 'True', 'Accepted', `${accepted}${missing}${signers}`);
}

function acceptedMessage({ outcome, jwt }: PolicyResult): string {
  if (outcome !== 'empty') return 'The policy is accepted.';
  if (jwt === undefined) return 'The policy is accepted and allows nothing: spec.rules is empty.';
  return 'The policy is accepted: it says who may sign tokens, and allows nothing.';
}

/** Reads this one target only, so that a change of another target does not run the status of the policy again. */
function isServed(
  { target }: NamedItem,
  { allowed }: Extract<UnresolvedGateway, { kind: 'served' }>,
  context: Context,
  inputs: PolicyStatusInputs,
): boolean {
  const namespace = context.get(inputs.targetNamespaces, target);
  return namespace !== undefined && allowsNamespace(allowed, namespace, context, inputs);
}

/** Reports dropped parts of an accepted policy, and references without a place in the status; absent without either. */
function droppedParts(
  result: PolicyResult | undefined,
  unwritable: readonly string[],
  signers: readonly string[],
  condition: ConditionWriter,
): readonly Condition<PolicyConditionType>[] {
  const isValid = result !== undefined && result.outcome !== 'invalid';
  const rules = isValid ? result.dropped : [];
  const parts = [...rules, ...(isValid ? signers : []), ...unwritable];
  if (parts.length === 0) return [];
  const reason = rules.length + unwritable.length > 0 ? 'RulesDropped' : 'SignersDropped';
  return [condition('kgateway.dev/PartiallyInvalid', 'True', reason, `Dropped: ${joinSentences(parts)}`)];
}
