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
  const kinds: Record<PrimitiveKind, RulesOfKind> = { tool: noRules(), prompt: noRules(), resource: noRules() };
  const targets: Names = new Map();
  const everything: Names = new Map();
  for (const [name, config] of configs) {
    for (const { kind, id, key, value, position } of matchableRules(config)) {
      const rule = { key, value, place: { config: name, rule: position } };
      const target = id === '*' ? undefined : id.slice(0, Math.max(0, id.indexOf(':')));
      addRule(kinds[kind].names, id, rule);
      addTarget(kinds[kind].targets, target, rule);
      if (target === undefined) addRule(everything, id, rule);
      else addRule(targets, target, rule);
    }
  }
  return {
    empty: configs.size === 0,
    find: (kind, name) => kinds[kind].names.get(name),
    targets: (kind, claim, value) => kinds[kind].targets.get(claim)?.get(value),
    findTarget: (target) => targets.get(target),
    everything: everything.get('*') ?? new Map(),
  };
}

/** A rule that can match. */
interface MatchableRule {
  readonly kind: PrimitiveKind;
  readonly id: string;
  readonly key: string;
  readonly value: string;
  /** In its Config, from 0. */
  readonly position: number;
}

/** The rules of a Config that can match; see {@link indexRules}. */
export function* matchableRules({ rules }: Config): Generator<MatchableRule, void> {
  for (const [position, { resource, key, value, matcher }] of rules.entries()) {
    const kind = kindOf(resource);
    if (resource === undefined || kind === undefined) continue;
    if (matcher !== Rule_Matcher.EQUALS || key === '' || value === '') continue;
    yield { kind, id: resource.id, key, value, position };
  }
}

type Values<T> = Map<string, T>;
type Claims<T> = Map<string, Values<T>>;
type Names = Map<string, Claims<RulePlace>>;

/** The rules of one kind. */
interface RulesOfKind {
  readonly names: Names;
  readonly targets: Claims<'all' | Set<string>>;
}

function noRules(): RulesOfKind {
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

/** A rule that can match: its claim, the value that the claim must have, and where it stands. */
interface IndexedRule {
  readonly key: string;
  readonly value: string;
  readonly place: RulePlace;
}

function addRule(names: Names, name: string, { key, value, place }: IndexedRule): void {
  const claims: Claims<RulePlace> = names.get(name) ?? new Map();
  names.set(name, claims);
  const places = valuesOf(claims, key);
  const earlier = places.get(value);
  if (earlier === undefined || place.config < earlier.config) places.set(value, place);
}

/** @param target undefined: the rule is for all targets */
function addTarget(targets: RulesOfKind['targets'], target: string | undefined, { key, value }: IndexedRule): void {
  const values = valuesOf(targets, key);
  const named = values.get(value) ?? new Set();
  if (named === 'all') return;
  values.set(value, target === undefined ? 'all' : named.add(target));
}

function valuesOf<T>(claims: Claims<T>, claim: string): Values<T> {
  const values = claims.get(claim) ?? new Map();
  claims.set(claim, values);
  return values;
}
