import { asJsonObject, type JsonObject } from '../../json/json.ts';
import type { ObservedObject } from '../../source/model.ts';
import type { GatewayClassConditionType, GatewayClassStatus } from '../../translate/model.ts';
import { changedFields, conditionRules, isAhead, mergeConditions } from './condition-merge.ts';

const rules = conditionRules<GatewayClassConditionType>({
  Accepted: 'normal',
  SupportedVersion: 'omitted first',
  'kgateway.dev/InternalError': 'omitted first',
});

/**
 * Returns the fields of the status to write. Undefined when the status is up to date, or when it describes a newer
 * generation than the desired one.
 *
 * @param now milliseconds since the epoch
 */
export function patchGatewayClassStatus(
  { status, generation }: ObservedObject,
  desired: GatewayClassStatus,
  now: number,
): JsonObject | undefined {
  const observed = asJsonObject(status);
  const generationOfDesired = desired.conditions[0]?.observedGeneration ?? generation;
  if (isAhead(observed['conditions'], rules, generationOfDesired)) return undefined;
  return changedFields(observed, {
    conditions: mergeConditions(observed['conditions'], desired.conditions, rules, now),
  });
}
