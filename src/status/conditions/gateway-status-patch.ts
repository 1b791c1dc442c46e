import { asJsonObject, type JsonObject, objectsOf } from '../../json/json.ts';
import type { ObservedObject } from '../../source/model.ts';
import type { GatewayStatus, ListenerStatus } from '../../translate/model.ts';
import { type ConditionRules, changedFields, isAhead, mergeConditions } from './condition-merge.ts';

const gatewayRules: ConditionRules = {
  ours: new Set(['Accepted', 'Programmed', 'kgateway.dev/MCPAuthPolicyAffected', 'kgateway.dev/InternalError']),
  dispensable: ['kgateway.dev/MCPAuthPolicyAffected', 'kgateway.dev/InternalError'],
};

const listenerRules: ConditionRules = {
  ours: new Set(['Accepted', 'ResolvedRefs', 'Programmed', 'Conflicted']),
  dispensable: ['Conflicted'],
};

/**
 * The fields of the status to write so that it says what is desired; undefined when it does, or when it is about a
 * newer object than the one that was judged. Addresses are ours alone; so is which listeners there are.
 *
 * @param now milliseconds since the epoch
 */
export function mergeGatewayStatus(
  { status, generation }: ObservedObject,
  desired: GatewayStatus,
  now: number,
): JsonObject | undefined {
  const observed = asJsonObject(status);
  const before = listenersByName(observed['listeners']);
  const judged = desired.conditions[0]?.observedGeneration ?? generation;
  if (isAhead(observed['conditions'], gatewayRules, judged)) return undefined;
  if ([...before.values()].some(({ conditions }) => isAhead(conditions, listenerRules, judged))) return undefined;
  return changedFields(observed, {
    conditions: mergeConditions(observed['conditions'], desired.conditions, gatewayRules, now),
    addresses: desired.addresses,
    listeners: mergeListeners(before, desired.listeners, now),
  });
}

function listenersByName(observed: unknown): ReadonlyMap<string, JsonObject> {
  const byName = new Map<string, JsonObject>();
  for (const listener of objectsOf(observed)) {
    const { name } = listener;
    if (typeof name === 'string' && !byName.has(name)) byName.set(name, listener);
  }
  return byName;
}

/** In the order in which they are stored, so that nobody fights about it; new ones follow in the order of the spec. */
function mergeListeners(
  before: ReadonlyMap<string, JsonObject>,
  desired: readonly ListenerStatus[],
  now: number,
): readonly JsonObject[] {
  const after = new Map(desired.map((listener) => [listener.name, listener]));
  const names = new Set([...before.keys(), ...after.keys()]);
  return [...names].flatMap((name) => {
    const listener = after.get(name);
    if (listener === undefined) return [];
    const observed = before.get(name) ?? {};
    const conditions = mergeConditions(observed['conditions'], listener.conditions, listenerRules, now);
    // CRDs before v1.5 require both, and refuse the whole status for a null (envoyproxy/gateway#4352).
    return [{ ...observed, name, supportedKinds: [], attachedRoutes: 0, conditions }];
  });
}
