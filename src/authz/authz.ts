import { type Config, Resource_Type, type Rule, Rule_Matcher } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Claims, Decision, Use, UseKind } from './model.ts';

/**
 * Decides whether a caller may use one thing: allowed when a rule of any Config says so, else denied.
 *
 * A rule says so when its kind and id are those of the use (or its id is exactly `*`) and the caller's own, top-level,
 * string-valued claim `key` equals `value`. A Config without rules, and a rule that lacks its resource, its key or its
 * value or that speaks of a kind or matcher unknown here, allows nothing. Deployed binaries open on the first and exit on
 * some of the others; here whatever is not understood never grants.
 *
 * When several rules allow, the first rule of the Config whose resource name is smallest is named, whatever the order
 * in which the Configs arrived.
 *
 * @param configs by resource name, `<namespace>.<name>`
 * @param claims of a verified token; `undefined` when there is none, and then the answer is no
 */
export function decide(configs: ReadonlyMap<string, Config>, claims: Claims | undefined, use: Use): Decision {
  if (claims === undefined) return { allowed: false, reason: 'no principal' };
  if (configs.size === 0) return { allowed: false, reason: 'no config' };

  let named: { readonly config: string; readonly rule: number } | undefined;
  for (const [config, { rules }] of configs) {
    if (named !== undefined && named.config < config) continue;
    const rule = rules.findIndex((candidate) => covers(candidate, use) && isHeldBy(candidate, claims));
    if (rule !== -1) named = { config, rule };
  }
  return named === undefined ? { allowed: false, reason: 'no rule matches' } : { allowed: true, ...named };
}

const typeOf = {
  tool: Resource_Type.TOOL,
  prompt: Resource_Type.PROMPT,
  resource: Resource_Type.RESOURCE,
} as const satisfies Record<UseKind, Resource_Type>;

function covers({ resource }: Rule, use: Use): boolean {
  return (
    resource !== undefined && resource.type === typeOf[use.kind] && (resource.id === '*' || resource.id === use.name)
  );
}

/** Only the caller's own claims count: what every object inherits (`constructor`, `__proto__`) is nobody's claim. */
function isHeldBy({ key, value, matcher }: Rule, claims: Claims): boolean {
  if (matcher !== Rule_Matcher.EQUALS || key === '' || value === '') return false;
  return Object.hasOwn(claims, key) && claims[key] === value;
}
