import type { ClaimMatch, Parsed, PolicyRule } from '../../resources/model.ts';
import type { ResourceId, Rule } from '../model.ts';
import { claimKey, claimValue, resourceId } from '../names.ts';

/** A tool, prompt or resource that a rule names, and the target that must be served for it. */
export interface NamedItem {
  readonly id: ResourceId;
  readonly target: string;
}

/** The rules of a policy as they are sent. */
export interface WireRules {
  /** In document order, without duplicates. */
  readonly rules: readonly Rule[];
  /** The items that the rules name one by one, in document order, without duplicates. */
  readonly items: readonly NamedItem[];
  /** The reasons why parts were dropped; each names its field. */
  readonly dropped: readonly string[];
}

/**
 * Translates rules to wire rules: each match of a rule becomes one wire rule with the rule's resource. A wire rule can
 * only allow, so that dropping an invalid one narrows access.
 */
export function toWireRules(rules: readonly Parsed<PolicyRule>[]): WireRules {
  const wireRules = new Map<string, Rule>();
  const items = new Map<ResourceId, NamedItem>();
  const dropped: string[] = [];
  for (const [position, rule] of rules.entries()) {
    if (!rule.ok) {
      dropped.push(rule.reason);
      continue;
    }
    const { name } = rule.value.resource;
    for (const wireRule of matchesToRules(rule.value, `spec.rules[${position}]`, dropped)) {
      if (!name.all) items.set(wireRule.id, { id: wireRule.id, target: name.target });
      const key = JSON.stringify([wireRule.claim, wireRule.value, wireRule.kind, wireRule.id]);
      if (!wireRules.has(key)) wireRules.set(key, wireRule);
    }
  }
  return { rules: [...wireRules.values()], items: [...items.values()], dropped };
}

function matchesToRules({ resource, matches }: PolicyRule, field: string, dropped: string[]): readonly Rule[] {
  const id = resourceId(resource.name);
  if (id === undefined) {
    dropped.push(`${field}.resource.name is neither * nor <target>:<name>.`);
    return [];
  }
  if (matches.length === 0) dropped.push(`${field}.matches is empty, so the rule is for nobody: name who may.`);
  return matches.flatMap((match, position) => {
    const claim = toClaim(match, `${field}.matches[${position}]`);
    if (claim.ok) return [{ ...claim.value, kind: resource.kind, id }];
    dropped.push(claim.reason);
    return [];
  });
}

function toClaim(match: Parsed<ClaimMatch>, field: string): Parsed<Pick<Rule, 'claim' | 'value'>> {
  if (!match.ok) return match;
  const claim = claimKey(match.value.claim);
  const value = claimValue(match.value.value);
  if (claim === undefined) return { ok: false, reason: `${field} has no name that a claim can have.` };
  if (value === undefined) return { ok: false, reason: `${field} has no value that a claim can be compared with.` };
  return { ok: true, value: { claim, value } };
}
