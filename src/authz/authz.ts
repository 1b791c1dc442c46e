import type { AccessRequest, Claims, Decision, PrimitiveKind, RuleIndex, RulePlace, RulesOfName } from './model.ts';

export { ruleChanges } from './rule-changes.ts';
export { indexRules } from './rule-index.ts';

/**
 * Decides an access request: allows it when a rule of any Config matches, else denies it.
 *
 * A rule matches when its kind and id are those of the request (or its id is exactly `*`) and the caller's own, top-level,
 * string-valued claim `key` equals `value`. No rule is about a request without a name, `<target>:`. A Config without rules
 * allows nothing, and neither does a rule without resource, key or value or with an unknown kind or matcher. Deployed binaries allow everything on a Config
 * without rules and exit on some of the others; here a rule that is not understood never grants access.
 *
 * When several rules match, the decision names the first one of the Config with the smallest resource name.
 *
 * @param claims of a verified token; `undefined` for a request without one, which is denied
 */
export function decide(rules: RuleIndex, claims: Claims | undefined, { kind, name }: AccessRequest): Decision {
  if (claims === undefined) return { allowed: false, reason: 'no principal' };
  if (rules.empty) return { allowed: false, reason: 'no config' };

  const match = isNameless(name) ? undefined : firstMatch([rules.find(kind, name), rules.find(kind, '*')], claims);
  return match === undefined ? { allowed: false, reason: 'no rule matches' } : { allowed: true, ...match };
}

/** Returns whether nothing follows the target: MCP has no primitive without a name. */
function isNameless(name: string): boolean {
  return name.indexOf(':') === name.length - 1;
}

/**
 * Returns whether a rule allows a caller to use anything of a target: by the name of a thing of that target, or by `*`.
 * Rules match as in {@link decide}. A target name has no colon.
 */
export function allowsAnythingOf(rules: RuleIndex, claims: Claims | undefined, target: string): boolean {
  if (claims === undefined) return false;
  return firstMatch([rules.findTarget(target), rules.everything], claims) !== undefined;
}

function firstMatch(candidates: readonly (RulesOfName | undefined)[], claims: Claims): RulePlace | undefined {
  let match: RulePlace | undefined;
  for (const ofName of candidates) {
    if (ofName === undefined) continue;
    // Only own properties are claims: inherited ones (`constructor`, `__proto__`) never match.
    for (const claim of Object.keys(claims)) {
      const value = claims[claim];
      const found = typeof value === 'string' ? ofName.get(claim)?.get(value) : undefined;
      if (found !== undefined && (match === undefined || precedes(found, match))) match = found;
    }
  }
  return match;
}

/**
 * Returns the targets at which the caller may use something of a kind, as far as the rules alone can say: `all` with a
 * rule for `*`. What a target is not named for is denied whatever it is.
 *
 * @param claims see {@link decide}
 */
export function reachableTargets(
  rules: RuleIndex,
  claims: Claims | undefined,
  kind: PrimitiveKind,
): 'all' | ReadonlySet<string> {
  const reachable = new Set<string>();
  for (const claim of Object.keys(claims ?? {})) {
    const value = claims?.[claim];
    const targets = typeof value === 'string' ? rules.targets(kind, claim, value) : undefined;
    if (targets === 'all') return 'all';
    for (const target of targets ?? []) reachable.add(target);
  }
  return reachable;
}

function precedes(one: RulePlace, other: RulePlace): boolean {
  return one.config < other.config || (one.config === other.config && one.rule < other.rule);
}
