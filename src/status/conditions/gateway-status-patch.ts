import { asJsonObject, type JsonObject, objectsOf } from '../../json/json.ts';
import type { ObservedObject } from '../../source/model.ts';
import type {
  GatewayConditionType,
  GatewayStatus,
  ListenerConditionType,
  ListenerStatus,
} from '../../translate/model.ts';
import { changedFields, conditionRules, isAhead, mergeConditions } from './condition-merge.ts';

const gatewayRules = conditionRules<GatewayConditionType>({
  Accepted: 'normal',
  Programmed: 'normal',
  'kgateway.dev/MCPAuthPolicyAffected': 'omitted first',
  'kgateway.dev/JWTProvided': 'omitted first',
  'kgateway.dev/InternalError': 'omitted first',
});

const listenerRules = conditionRules<ListenerConditionType>({
  Accepted: 'normal',
  ResolvedRefs: 'normal',
  Programmed: 'normal',
  Conflicted: 'omitted first',
});

/**
 * Returns the fields of the status to write. Undefined when the status is up to date, or when it describes a newer
 * generation than the desired one. This controller owns `addresses` and the set of listeners.
 *
 * @param now milliseconds since the epoch
 */
export function patchGatewayStatus(
  { status, generation }: ObservedObject,
  desired: GatewayStatus,
  now: number,
): JsonObject | undefined {
  const observed = asJsonObject(status);
  const before = listenersByName(observed['listeners']);
  const generationOfDesired = desired.conditions[0]?.observedGeneration ?? generation;
  if (isAhead(observed['conditions'], gatewayRules, generationOfDesired)) return undefined;
  if ([...before.values()].some(({ conditions }) => isAhead(conditions, listenerRules, generationOfDesired)))
    return undefined;
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

/** Keeps the stored order, so that controllers do not fight about it; new listeners follow in the order of the spec. */
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
    // CRDs before v1.5 require both fields, and refuse the whole status for a null (envoyproxy/gateway#4352).
    return [{ ...observed, name, supportedKinds: [], attachedRoutes: 0, conditions }];
  });
}
