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
  const kinds: Record<PrimitiveKind, Names> = { tool: new Map(), prompt: new Map(), resource: new Map() };
  for (const [config, { rules }] of configs) {
    for (const [position, rule] of rules.entries()) {
      const kind = kindOf(rule.resource);
      if (kind !== undefined) addRule(kinds[kind], rule, { config, rule: position });
    }
  }
  return { empty: configs.size === 0, find: (kind, name) => kinds[kind].get(name) };
}

type Values = Map<string, RulePlace>;
type Claims = Map<string, Values>;
type Names = Map<string, Claims>;

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

function addRule(names: Names, { resource, key, value, matcher }: Rule, place: RulePlace): void {
  if (resource === undefined || matcher !== Rule_Matcher.EQUALS || key === '' || value === '') return;
  const claims = names.get(resource.id) ?? new Map<string, Values>();
  names.set(resource.id, claims);
  const values = claims.get(key) ?? new Map<string, RulePlace>();
  claims.set(key, values);
  const earlier = values.get(value);
  if (earlier === undefined || place.config < earlier.config) values.set(value, place);
}
