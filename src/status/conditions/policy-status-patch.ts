import { asJsonObject, type JsonObject, objectsOf } from '../../json/json.ts';
import type { ObservedObject } from '../../source/model.ts';
import type { PolicyConditionType, PolicyStatus } from '../../translate/model.ts';
import { changedFields, conditionRules, isAhead, mergeConditions } from './condition-merge.ts';
import { policySummary } from './policy-summary.ts';

const rules = conditionRules<PolicyConditionType>({
  Accepted: 'normal',
  'kgateway.dev/PartiallyInvalid': 'omitted first',
  'kgateway.dev/InternalError': 'omitted first',
});

/** `maxItems` of `status.ancestors` (GEP-713): with one more the API server refuses the whole status. */
const maxAncestors = 16;

type Ancestor = PolicyStatus['ancestors'][number];

/**
 * Returns the fields of the status to write. Undefined when the status is up to date, or when it describes a newer
 * generation than the desired one. `ancestors` is an atomic list: entries of other controllers stay unchanged and in
 * place. Own entries take the other places in the order of the references; own entries that are not desired are removed.
 * `grants`, `allows` and `summary` are written beside own entries, and removed with the last one.
 *
 * @param desired undefined: no reference leads to a Gateway of this controller
 * @param controllerName the controller that owns the entries to write
 * @param now milliseconds since the epoch
 */
export function patchPolicyStatus(
  { status, generation }: ObservedObject,
  desired: PolicyStatus | undefined,
  controllerName: string,
  now: number,
): JsonObject | undefined {
  const observed = asJsonObject(status);
  const entries = objectsOf(observed['ancestors']);
  const generationOfDesired = desired?.ancestors[0]?.conditions[0]?.observedGeneration ?? generation;
  const isOwn = (entry: JsonObject): boolean => entry['controllerName'] === controllerName;
  if (entries.some((entry) => isOwn(entry) && isAhead(entry['conditions'], rules, generationOfDesired)))
    return undefined;
  const before = new Map(entries.filter(isOwn).map((entry) => [keyOf(entry['ancestorRef']), entry]));
  const wanted = new Map(
    withRoom(entries, desired, controllerName).map((ancestor) => [keyOf(ancestor.ancestorRef), ancestor]),
  );
  const own = [...wanted].map(([key, ancestor]) => entryOf(ancestor, before.get(key), now));
  const inPlace = entries.flatMap((entry) => (isOwn(entry) ? own.splice(0, 1) : [entry]));
  const ancestors = [...inPlace, ...own];
  if (desired === undefined || wanted.size === 0) {
    // Nobody keeps them up to date any more: null removes them.
    const removed = { grants: null, allows: null, summary: null };
    return changedFields(observed, entries.some(isOwn) ? { ...removed, ancestors } : { ancestors });
  }
  const { grants, allows } = desired;
  return changedFields(observed, { grants, allows, summary: policySummary(ancestors), ancestors });
}

/** The desired ancestors that do not fit beside the entries of other controllers. They take effect nevertheless. */
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
  return (desired?.ancestors ?? []).slice(0, Math.max(0, maxAncestors - others));
}

function entryOf(
  { ancestorRef, controllerName, conditions }: Ancestor,
  before: JsonObject | undefined,
  now: number,
): JsonObject {
  const merged = mergeConditions(before?.['conditions'], conditions, rules, now);
  return { ...(before ?? { ancestorRef, controllerName }), conditions: merged };
}

/** A key that is equal for equal references; the CRD defaults group and kind. */
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
