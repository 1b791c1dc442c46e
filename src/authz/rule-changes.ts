import type { Config } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { PrimitiveKind, RuleChanges } from './model.ts';
import { matchableRules } from './rule-index.ts';

/**
 * Compares Configs with what they were before.
 *
 * @param changes what each was, and is; `undefined`: there was none, or is none
 */
export function ruleChanges(changes: Iterable<readonly [Config | undefined, Config | undefined]>): RuleChanges {
  const changed = new Set<string>();
  for (const [before, after] of changes) {
    const were = namesByClaim(before);
    const are = namesByClaim(after);
    for (const key of new Set([...were.keys(), ...are.keys()])) {
      if (!isEqual(were.get(key) ?? none, are.get(key) ?? none)) changed.add(key);
    }
  }
  return {
    concern: (kind, claims) =>
      Object.keys(claims).some((claim) => {
        const value = claims[claim];
        return typeof value === 'string' && changed.has(keyOf(kind, claim, value));
      }),
  };
}

const none: ReadonlySet<string> = new Set();

/** What the rules of a Config are about, by kind, claim and value. */
function namesByClaim(config: Config | undefined): ReadonlyMap<string, ReadonlySet<string>> {
  const names = new Map<string, Set<string>>();
  for (const { kind, id, key, value } of config === undefined ? [] : matchableRules(config)) {
    const place = keyOf(kind, key, value);
    const ofClaim = names.get(place) ?? new Set();
    names.set(place, ofClaim.add(id));
  }
  return names;
}

/** A kind has no blank, and the length says where the claim ends. */
function keyOf(kind: PrimitiveKind, claim: string, value: string): string {
  return `${kind} ${claim.length} ${claim}${value}`;
}

function isEqual(one: ReadonlySet<string>, other: ReadonlySet<string>): boolean {
  return one.size === other.size && [...one].every((name) => other.has(name));
}
