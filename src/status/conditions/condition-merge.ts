import { isDeepStrictEqual } from 'node:util';
import { type JsonObject, objectsOf } from '../../json/json.ts';
import type { Condition } from '../../translate/model.ts';

/** Ownership of the conditions in one list. */
export interface ConditionRules {
  /** The condition types that this controller writes; it leaves all others unchanged. */
  readonly owned: ReadonlySet<string>;
  /** Owned types to omit first when the list is full. */
  readonly omitFirst: readonly string[];
}

/** Whether a condition type is omitted first when the list is full. The order is that of the record. */
export type ConditionPriority = 'normal' | 'omitted first';

/** Creates the rules from a record that names every condition type of an object. */
export function conditionRules<Type extends string>(
  priorities: Readonly<Record<Type, ConditionPriority>>,
): ConditionRules {
  const entries = Object.entries(priorities);
  return {
    owned: new Set(Object.keys(priorities)),
    omitFirst: entries.filter(([, priority]) => priority === 'omitted first').map(([type]) => type),
  };
}

/** `maxItems` of conditions in the Gateway API's CRDs: with one more the API server refuses the whole status. */
const maxConditions = 8;

/**
 * Merges desired conditions into a stored list (Gateway API, comments on `conditions`): conditions of other controllers
 * stay unchanged and in place; owned ones are replaced by type, removed when they are not desired, and appended when
 * they are new. `lastTransitionTime` changes only with the status: otherwise each write would cause the next one.
 *
 * @param observed the stored list, of any shape
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
    if (!rules.owned.has(type)) {
      merged.set(type, before);
      continue;
    }
    const after = desired.find((condition) => condition.type === type);
    if (after !== undefined) merged.set(type, stored(after, before, now));
  }
  for (const condition of desired) {
    if (!merged.has(condition.type)) merged.set(condition.type, stored(condition, undefined, now));
  }
  const omissible = [...rules.omitFirst, ...desired.map(({ type }) => type).reverse()];
  for (const type of omissible) {
    if (merged.size <= maxConditions) break;
    if (rules.owned.has(type)) merged.delete(type);
  }
  return [...merged.values()];
}

/**
 * Returns whether an owned condition has a newer `observedGeneration` than `generation`. Then the status must not be
 * written until that generation was observed (Gateway API, comments on `observedGeneration`).
 */
export function isAhead(observed: unknown, { owned }: ConditionRules, generation: number | undefined): boolean {
  if (generation === undefined) return false;
  return objectsOf(observed).some(({ type, observedGeneration }) => {
    const isOwned = typeof type === 'string' && owned.has(type);
    return isOwned && typeof observedGeneration === 'number' && observedGeneration > generation;
  });
}

/** Returns the fields whose merged value differs from the stored one; undefined when none does. */
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
    lastTransitionTime: isTime(since) ? since : formatTime(now),
    reason,
    // The API server replaces a lone surrogate, so that the stored message would always differ from the desired one.
    message: message.toWellFormed(),
  };
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** Formats a `metav1.Time`: RFC 3339 without a fraction. */
function formatTime(now: number): string {
  return `${new Date(now).toISOString().slice(0, 19)}Z`;
}
