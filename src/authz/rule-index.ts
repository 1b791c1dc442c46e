import {
  type Config,
  type Resource,
  Resource_Type,
  type Rule,
  Rule_Matcher,
} from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { PrimitiveKind, RuleIndex, RulePlace } from './model.ts';

/**
 * Indexes the rules of all Configs by kind, id, claim and value. Leaves out rules that can never match: without resource,
 * key or value, or with an unknown kind or matcher. Of rules that agree in all four it keeps the first one of the
 * Config with the smallest resource name, regardless of the order of `configs`.
 *
 * @param configs by resource name, `<namespace>.<name>`
 */
export function indexRules(configs: ReadonlyMap<string, Config>): RuleIndex {
  const kinds: Record<PrimitiveKind, Rules> = { tool: noRules(), prompt: noRules(), resource: noRules() };
  for (const [config, { rules }] of configs) {
    for (const [position, rule] of rules.entries()) {
      const kind = kindOf(rule.resource);
      if (kind !== undefined) addRule(kinds[kind], rule, { config, rule: position });
    }
  }
  return {
    empty: configs.size === 0,
    find: (kind, name) => kinds[kind].names.get(name),
    targets: (kind, claim, value) => kinds[kind].targets.get(claim)?.get(value),
  };
}

type Values<T> = Map<string, T>;
type Claims<T> = Map<string, Values<T>>;

/** The rules of one kind. */
interface Rules {
  readonly names: Map<string, Claims<RulePlace>>;
  readonly targets: Claims<'all' | Set<string>>;
}

function noRules(): Rules {
  return { names: new Map(), targets: new Map() };
}

function kindOf(resource: Resource | undefined): PrimitiveKind | undefined {
  switch (resource?.type) {
    case Resource_Type.TOOL:
      return 'tool';
    case Resource_Type.PROMPT:
      return 'prompt';
    case Resource_Type.RESOURCE:
      return 'resource';
    default:
      return undefined;
  }
}

function addRule({ names, targets }: Rules, { resource, key, value, matcher }: Rule, place: RulePlace): void {
  if (resource === undefined || matcher !== Rule_Matcher.EQUALS || key === '' || value === '') return;
  const places = valuesOf(entryOf(names, resource.id), key);
  const earlier = places.get(value);
  if (earlier === undefined || place.config < earlier.config) places.set(value, place);
  addTarget(valuesOf(targets, key), value, resource.id);
}

/** A rule for `<target>:<name>` names the target; one for `*` all of them. */
function addTarget(targets: Values<'all' | Set<string>>, value: string, id: string): void {
  const named = targets.get(value) ?? new Set();
  if (named === 'all') return;
  if (id === '*') targets.set(value, 'all');
  else targets.set(value, named.add(id.slice(0, Math.max(0, id.indexOf(':')))));
}

function entryOf<T>(names: Map<string, Claims<T>>, name: string): Claims<T> {
  const claims = names.get(name) ?? new Map();
  names.set(name, claims);
  return claims;
}

function valuesOf<T>(claims: Claims<T>, claim: string): Values<T> {
  const values = claims.get(claim) ?? new Map();
  claims.set(claim, values);
  return values;
}
