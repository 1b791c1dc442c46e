import type { ClaimMatch, Part, PolicyRule } from '../../resources/model.ts';
import type { ResourceId, Rule } from '../model.ts';
import { claimKey, claimValue, resourceId } from '../names.ts';

/** One tool, prompt or resource that a rule names, and the target that has to be served for it. */
export interface NamedItem {
  readonly id: ResourceId;
  readonly target: string;
}

/** What the rules of a policy come to on the wire. */
export interface WrittenRules {
  /** In the order of the document, each once. */
  readonly rules: readonly Rule[];
  /** What the rules name one by one, in that order, each once. */
  readonly names: readonly NamedItem[];
  /** Why parts were dropped; each names its field. */
  readonly dropped: readonly string[];
}

/**
 * Turns rules into wire rules: each match of a rule becomes one, with the rule's resource. Every wire rule only
 * allows, so dropping one that is not understood can only narrow.
 */
export function writeRules(rules: readonly Part<PolicyRule>[]): WrittenRules {
  const written = new Map<string, Rule>();
  const names = new Map<ResourceId, NamedItem>();
  const dropped: string[] = [];
  for (const [at, rule] of rules.entries()) {
    if (!rule.ok) {
      dropped.push(rule.reason);
      continue;
    }
    const valid = writeMatches(rule.value, `spec.rules[${at}]`, dropped);
    const { name } = rule.value.resource;
    for (const wireRule of valid) {
      if (!name.all) names.set(wireRule.id, { id: wireRule.id, target: name.target });
      const key = JSON.stringify([wireRule.claim, wireRule.value, wireRule.kind, wireRule.id]);
      if (!written.has(key)) written.set(key, wireRule);
    }
  }
  return { rules: [...written.values()], names: [...names.values()], dropped };
}

function writeMatches({ resource, matches }: PolicyRule, field: string, dropped: string[]): readonly Rule[] {
  const id = resourceId(resource.name);
  if (id === undefined) {
    dropped.push(`${field}.resource.name is neither * nor <target>:<name>.`);
    return [];
  }
  if (matches.length === 0) dropped.push(`${field}.matches is empty, so the rule is for nobody: name who may.`);
  return matches.flatMap((match, at) => {
    const claim = writeClaim(match, `${field}.matches[${at}]`);
    if (claim.ok) return [{ ...claim.value, kind: resource.kind, id }];
    dropped.push(claim.reason);
    return [];
  });
}

function writeClaim(match: Part<ClaimMatch>, field: string): Part<Pick<Rule, 'claim' | 'value'>> {
  if (!match.ok) return match;
  const claim = claimKey(match.value.claim);
  const value = claimValue(match.value.value);
  if (claim === undefined) return { ok: false, reason: `${field} has no name that a claim can have.` };
  if (value === undefined) return { ok: false, reason: `${field} has no value that a claim can be compared with.` };
  return { ok: true, value: { claim, value } };
}
