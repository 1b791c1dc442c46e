import type { Collection, Context, Derived, Failure, Index } from '../../graph/model.ts';
import type { Gateway, GatewayClass } from '../../resources/model.ts';
import type { AddressesResult } from '../gateway/addresses.ts';
import {
  maxSelectedNamespaces,
  selectorClaimOf,
  selectorsOf,
  type UnresolvedGateway,
} from '../gateway/allowed-namespaces.ts';
import type { GatewayResult } from '../gateway/gateway.ts';
import type { GatewayClassResult } from '../gateway/gateway-class.ts';
import type { ListenerResult } from '../gateway/listeners.ts';
import type { SelectorSet } from '../gateway/selector-set.ts';
import { joinNames, joinSentences } from '../messages.ts';
import type { Condition, GatewayConditionType, GatewayState, GatewayStatus, GatewayWithoutClass } from '../model.ts';
import type { GatewayJwt } from '../policy/jwt.ts';
import { isConflicted, type PolicyTargets } from '../policy/policy.ts';
import { type ConditionWriter, conditionWriter, internalError } from './conditions.ts';
import { jwtProvided } from './jwt-conditions.ts';
import { listenerStatuses } from './listener-conditions.ts';

/** The collections that the status of a Gateway is computed from. */
export interface GatewayStatusInputs {
  readonly classes: Collection<GatewayClassResult>;
  readonly gatewayResults: Derived<GatewayResult>;
  readonly unresolvedGateways: Derived<UnresolvedGateway>;
  readonly selectorSets: Derived<SelectorSet>;
  readonly selections: Derived<readonly string[]>;
  readonly crowdedClaims: Collection<true>;
  readonly states: Derived<GatewayState>;
  readonly policiesByGateway: Index<PolicyTargets>;
  readonly jwtOwners: Collection<string>;
  readonly gatewayJwts: Derived<GatewayJwt>;
}

const readyMessage = 'The configuration is ready for the gateways that ask for it.';
const crowdedMessage = `The Gateways select more than ${maxSelectedNamespaces} namespaces together, and those of this namespace more than an equal part of them, so that the selectors of this Gateway, which select most, select nothing: select fewer namespaces, use the same selectors in several Gateways, or allow all namespaces.`;
const notAcceptedMessage = 'The Gateway is not accepted.';

type OurGateway = Extract<GatewayResult, { kind: 'ours' }>;

/** The status of one Gateway; undefined for a Gateway of another controller. */
export function gatewayStatus(
  gateway: Gateway,
  context: Context,
  key: string,
  inputs: GatewayStatusInputs,
): GatewayStatus | undefined {
  const { namespace, name } = gateway.metadata;
  const condition = conditionWriter(gateway.metadata);
  const result = context.get(inputs.gatewayResults, key);
  const failure = findFailure(context, key, inputs);
  if (result === undefined) {
    if (failure === undefined || !hasClassOfOurs(gateway, context, inputs)) return undefined;
    const conditions = [
      ...unknown(condition),
      ...attachedPolicies(context, key, inputs, condition),
      internalError(condition, failure),
    ];
    return { kind: 'Gateway', namespace, name, conditions, addresses: [], listeners: [] };
  }
  if (result.kind === 'foreign') return undefined;
  const own =
    failure === undefined ? gatewayConditions(result, isCrowded(context, key, inputs), condition) : unknown(condition);
  const internalErrors = failure === undefined ? [] : [internalError(condition, failure)];
  const conditions = [...own, ...attachedPolicies(context, key, inputs, condition), ...internalErrors];
  if (result.acceptance.kind === 'served') conditions.push(...jwtProvided(context, key, inputs, condition));
  const listeners = listenerStatuses(result.listeners, result.acceptance.kind, condition);
  return { kind: 'Gateway', namespace, name, conditions, addresses: result.addresses.usable, listeners };
}

/**
 * The Gateway as one that waits for a controller, when the object of its class does not exist; undefined for all others.
 * A class of another controller exists, and that controller writes the status.
 */
export function gatewayWithoutClass(
  key: string,
  context: Context,
  resources: { readonly Gateway: Collection<Gateway>; readonly GatewayClass: Collection<GatewayClass> },
): GatewayWithoutClass | undefined {
  const gateway = context.get(resources.Gateway, key);
  if (gateway === undefined) return undefined;
  const { className, metadata } = gateway;
  if (!className.ok || context.get(resources.GatewayClass, className.value) !== undefined) return undefined;
  const { namespace, name } = metadata;
  const condition = conditionWriter(metadata);
  const conditions = (['Accepted', 'Programmed'] as const).map((type) =>
    condition(type, 'Unknown', 'Pending', 'Waiting for controller'),
  );
  const status: GatewayStatus = { kind: 'Gateway', namespace, name, conditions, addresses: [], listeners: [] };
  return { status, replaces: [readyMessage, notAcceptedMessage] };
}

/** The first failure among the transformations from the Gateway to its state. */
function findFailure(context: Context, key: string, inputs: GatewayStatusInputs): Failure | undefined {
  const { gatewayResults, unresolvedGateways, selectorSets, selections, states, gatewayJwts } = inputs;
  for (const { failures } of [gatewayResults, unresolvedGateways, states, gatewayJwts]) {
    const failure = context.get(failures, key);
    if (failure !== undefined) return failure;
  }
  const unresolved = context.get(unresolvedGateways, key);
  const selectors = unresolved === undefined ? undefined : selectorsOf(unresolved);
  if (selectors === undefined) return undefined;
  return context.get(selectorSets.failures, selectors) ?? context.get(selections.failures, selectors);
}

function hasClassOfOurs({ className }: Gateway, context: Context, { classes }: GatewayStatusInputs): boolean {
  return className.ok && context.get(classes, className.value) !== undefined;
}

function unknown(condition: ConditionWriter): readonly Condition<GatewayConditionType>[] {
  return [
    condition('Accepted', 'Unknown', 'Pending', 'The Gateway could not be judged.'),
    condition('Programmed', 'False', 'Pending', 'The Gateway could not be judged.'),
  ];
}

/** Whether there is no room for what the selectors of the Gateway select. */
function isCrowded(context: Context, key: string, { unresolvedGateways, crowdedClaims }: GatewayStatusInputs): boolean {
  const gateway = context.get(unresolvedGateways, key);
  const claim = gateway && selectorClaimOf(gateway);
  return claim !== undefined && context.get(crowdedClaims, claim) !== undefined;
}

function gatewayConditions(
  { acceptance, addresses, listeners }: OurGateway,
  isCrowded: boolean,
  condition: ConditionWriter,
): readonly Condition<GatewayConditionType>[] {
  switch (acceptance.kind) {
    case 'pending':
      return [
        condition('Accepted', 'Unknown', 'Pending', acceptance.message),
        condition('Programmed', 'False', 'Pending', acceptance.message),
      ];
    case 'rejected':
      return [condition('Accepted', 'False', acceptance.reason, acceptance.message), notProgrammed(condition)];
    case 'served':
      return servedConditions(listeners, isCrowded ? crowded(condition) : programmed(addresses, condition), condition);
  }
}

function servedConditions(
  listeners: readonly ListenerResult[],
  programmed: Condition<GatewayConditionType>,
  condition: ConditionWriter,
): readonly Condition<GatewayConditionType>[] {
  const accepted = listeners.filter(({ outcome }) => outcome.accepted);
  const message = listenersMessage(listeners);
  if (accepted.length === 0) {
    return [condition('Accepted', 'False', 'ListenersNotValid', message), notProgrammed(condition)];
  }
  const reason = accepted.length === listeners.length ? 'Accepted' : 'ListenersNotValid';
  return [condition('Accepted', 'True', reason, message), programmed];
}

function listenersMessage(listeners: readonly ListenerResult[]): string {
  if (listeners.length === 0) return 'spec.listeners is empty: a Gateway needs one with the protocol kgateway.dev/mcp.';
  const accepted = listeners.flatMap(({ name, outcome }) => (outcome.accepted && name !== undefined ? [name] : []));
  const rejected = new Set(
    listeners.flatMap(({ name, outcome }) => (outcome.accepted ? [] : [listenerMessage(name, outcome.message)])),
  );
  if (rejected.size === 0) return 'The Gateway is accepted.';
  const first = accepted.length === 0 ? 'No listener is accepted.' : `Accepted listeners: ${joinNames(accepted)}.`;
  return `${first} Not accepted: ${joinSentences([...rejected])}`;
}

function listenerMessage(listener: string | undefined, message: string): string {
  return listener === undefined ? message : `${listener}: ${message}`;
}

function programmed(
  { unusable, unassigned }: AddressesResult,
  condition: ConditionWriter,
): Condition<GatewayConditionType> {
  if (unusable.length > 0) return condition('Programmed', 'False', 'AddressNotUsable', joinSentences(unusable));
  if (unassigned.length > 0) return condition('Programmed', 'False', 'AddressNotAssigned', joinSentences(unassigned));
  return condition('Programmed', 'True', 'Programmed', readyMessage);
}

function crowded(condition: ConditionWriter): Condition<GatewayConditionType> {
  return condition('Programmed', 'False', 'NoResources', crowdedMessage);
}

function notProgrammed(condition: ConditionWriter): Condition<GatewayConditionType> {
  return condition('Programmed', 'False', 'Invalid', notAcceptedMessage);
}

/** Lists the policies that count at the Gateway, for its owner; absent without one. */
function attachedPolicies(
  context: Context,
  key: string,
  inputs: GatewayStatusInputs,
  condition: ConditionWriter,
): readonly Condition<GatewayConditionType>[] {
  const policies = context.by(inputs.policiesByGateway, key);
  const names = policies.filter((policy) => !isConflicted(policy, key, context, inputs)).map(({ name }) => name);
  if (names.length === 0) return [];
  const message = `Attached policies: ${joinNames(names)}.`;
  return [condition('kgateway.dev/MCPAuthPolicyAffected', 'True', 'PolicyAttached', message)];
}
