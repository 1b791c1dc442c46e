import type { MCPAuthPolicy, Parsed, PolicyRule, Resource } from '../resources/model.ts';

interface Grant {
  readonly resource: string;
  readonly callers: readonly string[];
}

/**
 * Returns whether a policy became one that allows less and changes nothing else, or was deleted: rules only allow, and those
 * of several policies add up. A policy that says who signs tokens keeps the rules of others from their Gateway, so that
 * others may allow more without it. May return false for one that does; never true for one that does not.
 */
export function isNarrowing(before: Resource | undefined, after: Resource | undefined): boolean {
  if (before?.kind !== 'MCPAuthPolicy') return false;
  if (after === undefined) return before.jwt === undefined;
  if (after.kind !== 'MCPAuthPolicy' || !after.rules.ok || !before.rules.ok) return false;
  return (
    restOf(before) === restOf(after) && isPart(grantsOf(after.rules.value), grantsOf(before.rules.value), isNarrower)
  );
}

function restOf({ metadata, rules: _, ...rest }: MCPAuthPolicy): string {
  const { namespace, name } = metadata;
  return JSON.stringify([namespace, name, rest]);
}

/** What the valid parts allow. */
function grantsOf(rules: readonly Parsed<PolicyRule>[]): readonly Grant[] {
  return rules.flatMap((rule) => {
    if (!rule.ok) return [];
    const { resource, matches } = rule.value;
    return [
      { resource: JSON.stringify(resource), callers: matches.filter(({ ok }) => ok).map((one) => JSON.stringify(one)) },
    ];
  });
}

function isNarrower({ resource, callers }: Grant, known: Grant): boolean {
  return resource === known.resource && isPart(callers, known.callers, (caller, other) => caller === other);
}

/** Returns whether items are some of the known ones, in the same order. */
function isPart<T>(items: readonly T[], known: readonly T[], is: (item: T, known: T) => boolean): boolean {
  if (items.length > known.length) return false;
  let at = 0;
  for (const candidate of known) {
    const item = items[at];
    if (item === undefined) break;
    if (is(item, candidate)) at += 1;
  }
  return at === items.length;
}
