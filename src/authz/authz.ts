import { type Config, Resource_Type, type Rule, Rule_Matcher } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { AccessRequest, Claims, Decision, PrimitiveKind } from './model.ts';

/**
 * Decides an access request: allows it when a rule of any Config matches, else denies it.
 *
 * A rule matches when its kind and id are those of the request (or its id is exactly `*`) and the caller's own,
 * top-level, string-valued claim `key` equals `value`. A Config without rules allows nothing, and neither does a rule
 * without resource, key or value or with an unknown kind or matcher. Deployed binaries allow everything on a Config
 * without rules and exit on some of the others; here a rule that is not understood never grants access.
 *
 * When several rules match, the decision names the first one of the Config with the smallest resource name, regardless
 * of the order of `configs`.
 *
 * @param configs by resource name, `<namespace>.<name>`
 * @param claims of a verified token; `undefined` for a request without one, which is denied
 */
export function decide(
  configs: ReadonlyMap<string, Config>,
  claims: Claims | undefined,
  request: AccessRequest,
): Decision {
  if (claims === undefined) return { allowed: false, reason: 'no principal' };
  if (configs.size === 0) return { allowed: false, reason: 'no config' };

  let match: { readonly config: string; readonly rule: number } | undefined;
  for (const [config, { rules }] of configs) {
    if (match !== undefined && match.config < config) continue;
    const rule = rules.findIndex(
      (candidate) => matchesPrimitive(candidate, request) && matchesClaims(candidate, claims),
    );
    if (rule !== -1) match = { config, rule };
  }
  return match === undefined ? { allowed: false, reason: 'no rule matches' } : { allowed: true, ...match };
}

/**
 * Returns the targets at which the caller may use something of a kind, as far as the rules alone can say: `all` with a
 * rule for `*`. What a target is not named for is denied whatever it is.
 *
 * @param claims see {@link decide}
 */
export function reachableTargets(
  configs: ReadonlyMap<string, Config>,
  claims: Claims | undefined,
  kind: PrimitiveKind,
): 'all' | ReadonlySet<string> {
  const targets = new Set<string>();
  if (claims === undefined) return targets;
  for (const { rules } of configs.values()) {
    for (const rule of rules) {
      if (rule.resource?.type !== typeOf[kind] || !matchesClaims(rule, claims)) continue;
      if (rule.resource.id === '*') return 'all';
      targets.add(rule.resource.id.slice(0, Math.max(0, rule.resource.id.indexOf(':'))));
    }
  }
  return targets;
}

const typeOf = {
  tool: Resource_Type.TOOL,
  prompt: Resource_Type.PROMPT,
  resource: Resource_Type.RESOURCE,
} as const satisfies Record<PrimitiveKind, Resource_Type>;

function matchesPrimitive({ resource }: Rule, { kind, name }: AccessRequest): boolean {
  return resource !== undefined && resource.type === typeOf[kind] && (resource.id === '*' || resource.id === name);
}

/** Only own properties count as claims: inherited ones (`constructor`, `__proto__`) never match. */
function matchesClaims({ key, value, matcher }: Rule, claims: Claims): boolean {
  if (matcher !== Rule_Matcher.EQUALS || key === '' || value === '') return false;
  return Object.hasOwn(claims, key) && claims[key] === value;
}
