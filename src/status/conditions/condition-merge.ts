import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, objectsOf } from '../../json/json.ts';
import type { Condition } from '../../translate/model.ts';

/** How this controller's conditions in one place of a status are told from others'. */
export interface ConditionRules {
  /** The types that it writes there; every other type is somebody else's. */
  readonly ours: ReadonlySet<string>;
  /** Ours that are left out first when there is no room for all, the most dispensable one first. */
  readonly dispensable: readonly string[];
}

/** The limit of the CRDs of the Gateway API, the same everywhere: one more, and the whole status is refused. */
const mostConditions = 8;

/**
 * What a list of conditions is to become. Others' conditions stay as they are and where they are; ours are replaced by
 * type, removed when they are not desired, and appended when they are new (Gateway API, comments on `conditions`). The
 * time of the last transition changes with the status only: "now" in every write would call for the next one.
 *
 * @param now milliseconds since the epoch
 */
export function mergeConditions(
  observed: unknown,
  desired: readonly Condition[],
  rules: ConditionRules,
  now: number,
): readonly JsonObject[] {
  const merged = new Map<string, JsonObject>();
  for (const before of objectsOf(observed)) {
    const type = before['type'];
    if (typeof type !== 'string' || merged.has(type)) continue;
    if (!rules.ours.has(type)) {
      merged.set(type, before);
      continue;
    }
    const after = desired.find((condition) => condition.type === type);
    if (after !== undefined) merged.set(type, stored(after, before, now));
  }
  for (const condition of desired) {
    if (!merged.has(condition.type)) merged.set(condition.type, stored(condition, undefined, now));
  }
  const leastFirst = [...rules.dispensable, ...desired.map(({ type }) => type).reverse()];
  for (const type of leastFirst) {
    if (merged.size <= mostConditions) break;
    if (rules.ours.has(type)) merged.delete(type);
  }
  return [...merged.values()];
}

/**
 * Whether a condition of ours is about a newer generation than what would be written: then nothing is to be written
 * until the newer object has been seen (Gateway API, comments on `observedGeneration`).
 */
export function isAhead(observed: unknown, { ours }: ConditionRules, generation: number | undefined): boolean {
  if (generation === undefined) return false;
  return objectsOf(observed).some(({ type, observedGeneration }) => {
    const known = typeof type === 'string' && ours.has(type);
    return known && typeof observedGeneration === 'number' && observedGeneration > generation;
  });
}

/** The fields of a status that are to be sent: those that are not stored so already; undefined when all are. */
export function changedFields(observed: JsonObject, merged: JsonObject): JsonObject | undefined {
  const changed = Object.entries(merged).filter(([field, value]) => !isDeepStrictEqual(observed[field] ?? [], value));
  return changed.length === 0 ? undefined : Object.fromEntries(changed);
}

function stored(condition: Condition, before: JsonObject | undefined, now: number): JsonObject {
  const { type, status, reason, message, observedGeneration } = condition;
  const since = before?.['status'] === status ? before['lastTransitionTime'] : undefined;
  return {
    type,
    status,
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    lastTransitionTime: isTime(since) ? since : inWholeSeconds(now),
    reason,
    // An API server stores a lone surrogate as another character, and that would never be equal to what is desired.
    message: message.toWellFormed(),
  };
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** `metav1.Time`: RFC 3339 without a fraction. */
function inWholeSeconds(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
