import { asJsonObject, type JsonObject, objectsOf } from '../../json/json.ts';
import type { ObservedObject } from '../../source/model.ts';
import type { PolicyStatus } from '../../translate/model.ts';
import { type ConditionRules, changedFields, isAhead, mergeConditions } from './condition-merge.ts';

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
 * in their place. Ours share the other places in the order of the references, whatever came and went: the first one is
 * what `kubectl get` shows beside the first reference. Those that are not desired go, all of them when nothing is.
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
  const observed = asJsonObject(status);
  const entries = objectsOf(observed['ancestors']);
  const judged = desired?.ancestors[0]?.conditions[0]?.observedGeneration ?? generation;
  const isOurs = (entry: JsonObject): boolean => entry['controllerName'] === controllerName;
  if (entries.some((entry) => isOurs(entry) && isAhead(entry['conditions'], rules, judged))) return undefined;
  const before = new Map(entries.filter(isOurs).map((entry) => [keyOf(entry['ancestorRef']), entry]));
  const wanted = new Map(
    withRoom(entries, desired, controllerName).map((ancestor) => [keyOf(ancestor.ancestorRef), ancestor]),
  );
  const ours = [...wanted].map(([key, ancestor]) => entryOf(ancestor, before.get(key), now));
  const inPlace = entries.flatMap((entry) => (isOurs(entry) ? ours.splice(0, 1) : [entry]));
  return changedFields(observed, { ancestors: [...inPlace, ...ours] });
}

/** The desired ancestors for which the others leave no room. What is said of them holds all the same. */
export function ancestorsWithoutRoom(
  { status }: ObservedObject,
  desired: PolicyStatus | undefined,
  controllerName: string,
): readonly Ancestor[] {
  const shown = new Set(withRoom(objectsOf(asJsonObject(status)['ancestors']), desired, controllerName));
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

function entryOf(
  { ancestorRef, controllerName, conditions }: Ancestor,
  before: JsonObject | undefined,
  now: number,
): JsonObject {
  const merged = mergeConditions(before?.['conditions'], conditions, rules, now);
  return { ...(before ?? { ancestorRef, controllerName }), conditions: merged };
}

/** The same for references that mean the same; the CRD fills in what is absent of group and kind. */
function keyOf(ref: unknown): string {
  const {
    group = 'gateway.networking.k8s.io',
    kind = 'Gateway',
    namespace,
    name,
    sectionName,
    port,
  } = asJsonObject(ref);
  return JSON.stringify([group, kind, namespace ?? null, name, sectionName ?? null, port ?? null]);
}
