import type { ObservedObject } from '../source/model.ts';
import type { PolicyStatus } from '../translate/model.ts';
import { type ConditionRules, changedFields, isAhead, mergeConditions } from './condition-list.ts';
import { type JsonObject, objectIn, objectsIn } from './stored-json.ts';

const rules: ConditionRules = {
  ours: new Set(['Accepted', 'kgateway.dev/PartiallyInvalid', 'kgateway.dev/InternalError']),
  dispensable: ['kgateway.dev/PartiallyInvalid', 'kgateway.dev/InternalError'],
};

/** The limit of GEP-713: one more, and the API server refuses the whole status. */
const mostAncestors = 16;

type Ancestor = PolicyStatus['ancestors'][number];

/**
 * The status to write so that it says what is desired; undefined when it does, or when it is about a newer object than
 * the one that was judged. `ancestors` is one atomic list: entries of other controllers stay exactly as they are and
 * in their place. Ours that are not desired go, all of them when nothing is.
 *
 * @param desired undefined: no reference leads to a Gateway of ours
 * @param controllerName whose entries are ours
 * @param now milliseconds since the epoch
 */
export function mergePolicyStatus(
  { status, generation }: ObservedObject,
  desired: PolicyStatus | undefined,
  controllerName: string,
  now: number,
): JsonObject | undefined {
  const observed = objectIn(status);
  const entries = objectsIn(observed['ancestors']);
  const judged = desired?.ancestors[0]?.conditions[0]?.observedGeneration ?? generation;
  const isOurs = (entry: JsonObject): boolean => entry['controllerName'] === controllerName;
  if (entries.some((entry) => isOurs(entry) && isAhead(entry['conditions'], rules, judged))) return undefined;
  const missing = new Map(
    withRoom(entries, desired, controllerName).map((ancestor) => [keyOf(ancestor.ancestorRef), ancestor]),
  );
  const kept = entries.flatMap((entry) => {
    if (!isOurs(entry)) return [entry];
    const key = keyOf(entry['ancestorRef']);
    const ancestor = missing.get(key);
    missing.delete(key);
    return ancestor === undefined ? [] : [{ ...entry, conditions: conditionsOf(ancestor, entry, now) }];
  });
  const added = [...missing.values()].map((ancestor) => ({
    ancestorRef: ancestor.ancestorRef,
    controllerName,
    conditions: conditionsOf(ancestor, {}, now),
  }));
  return changedFields(observed, { ancestors: [...kept, ...added] });
}

/** The desired ancestors for which the others leave no room. What is said of them holds all the same. */
export function ancestorsWithoutRoom(
  { status }: ObservedObject,
  desired: PolicyStatus | undefined,
  controllerName: string,
): readonly Ancestor[] {
  const shown = new Set(withRoom(objectsIn(objectIn(status)['ancestors']), desired, controllerName));
  return (desired?.ancestors ?? []).filter((ancestor) => !shown.has(ancestor));
}

function withRoom(
  entries: readonly JsonObject[],
  desired: PolicyStatus | undefined,
  controllerName: string,
): readonly Ancestor[] {
  const others = entries.filter((entry) => entry['controllerName'] !== controllerName).length;
  return (desired?.ancestors ?? []).slice(0, Math.max(0, mostAncestors - others));
}

function conditionsOf({ conditions }: Ancestor, entry: JsonObject, now: number): readonly JsonObject[] {
  return mergeConditions(entry['conditions'], conditions, rules, now);
}

/** The same for references that mean the same; the CRD fills in what is absent of group and kind. */
function keyOf(ref: unknown): string {
  const { group = 'gateway.networking.k8s.io', kind = 'Gateway', namespace, name, sectionName, port } = objectIn(ref);
  return JSON.stringify([group, kind, namespace ?? null, name, sectionName ?? null, port ?? null]);
}
