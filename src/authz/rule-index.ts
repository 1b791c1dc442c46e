import { type Config, type Resource, Resource_Type, Rule_Matcher } from '../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
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
  const targets: Names = new Map();
  const everything: Names = new Map();
  for (const [config, { rules }] of configs) {
    for (const [position, { resource, key, value, matcher }] of rules.entries()) {
      const kind = kindOf(resource);
      if (resource === undefined || kind === undefined) continue;
      if (matcher !== Rule_Matcher.EQUALS || key === '' || value === '') continue;
      const { id } = resource;
      const rule = { key, value, place: { config, rule: position } };
      addRule(kinds[kind], id, rule);
      if (id === '*') addRule(everything, id, rule);
      else addRule(targets, id.slice(0, Math.max(0, id.indexOf(':'))), rule);
    }
  }
  return {
    empty: configs.size === 0,
    find: (kind, name) => kinds[kind].get(name),
    findTarget: (target) => targets.get(target),
    everything: everything.get('*') ?? new Map(),
  };
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

/** A rule that can match: its claim, the value that the claim must have, and where it stands. */
interface IndexedRule {
  readonly key: string;
  readonly value: string;
  readonly place: RulePlace;
}

function addRule(names: Names, name: string, { key, value, place }: IndexedRule): void {
  const claims = names.get(name) ?? new Map<string, Values>();
  names.set(name, claims);
  const values = claims.get(key) ?? new Map<string, RulePlace>();
  claims.set(key, values);
  const earlier = values.get(value);
  if (earlier === undefined || place.config < earlier.config) values.set(value, place);
}
