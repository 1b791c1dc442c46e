import { asJsonObject, type JsonObject } from '../../json/json.ts';
import type { ObservedObject } from '../../source/model.ts';
import type { GatewayClassStatus } from '../../translate/model.ts';
import { type ConditionRules, changedFields, isAhead, mergeConditions } from './condition-merge.ts';

const rules: ConditionRules = {
  ours: new Set(['Accepted', 'SupportedVersion', 'kgateway.dev/InternalError']),
  dispensable: ['SupportedVersion', 'kgateway.dev/InternalError'],
};

/**
 * The fields of the status to write so that it says what is desired; undefined when it does, or when it is about a
 * newer object than the one that was judged.
 *
 * @param now milliseconds since the epoch
 */
export function mergeGatewayClassStatus(
  { status, generation }: ObservedObject,
  desired: GatewayClassStatus,
  now: number,
): JsonObject | undefined {
  const observed = asJsonObject(status);
  const judged = desired.conditions[0]?.observedGeneration ?? generation;
  if (isAhead(observed['conditions'], rules, judged)) return undefined;
  return changedFields(observed, {
    conditions: mergeConditions(observed['conditions'], desired.conditions, rules, now),
  });
}
