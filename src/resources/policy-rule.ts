import { type Decoder, refine } from './decode/decoder.ts';
import { isPlain } from './decode/formats.ts';
import { list } from './decode/list.ts';
import { narrowing, whole } from './decode/mapping.ts';
import { longerThan, oneOfAnyCase, type TextRule, text } from './decode/scalars.ts';
import { policyMatch } from './kinds/policy-rule.ts';
import type { Part, PolicyRule, RuleResource } from './model.ts';
import { ok } from './part.ts';

const RESOURCE_NAME: TextRule = {
  expected:
    '"*", or "<target name>:<name>" without "*" in the target name (at most 1024 characters, no control characters)',
  test: (value) => value === '*' || (/^[^:*]+:[\s\S]+$/.test(value) && !longerThan(1024, value) && isPlain(value)),
};

const KINDS = ['tool', 'prompt', 'resource'] as const;

const resource: Decoder<RuleResource> = refine(
  whole(narrowing({ kind: oneOfAnyCase(KINDS, KINDS), name: text(RESOURCE_NAME) })),
  ({ kind, name }, at, report): Part<RuleResource> => {
    if (name === '*') return ok({ kind, name: { all: true } });
    const colon = name.indexOf(':');
    const item = name.slice(colon + 1);
    if (item.includes('*')) {
      report.warning(
        [...at, 'name'],
        `has a "*" that stands for itself: only a name that is just "*" means everything.`,
      );
    }
    return ok({ kind, name: { all: false, target: name.slice(0, colon), item } });
  },
);

/** One rule of a policy in this namespace. Without matches it would match nobody: it is a fault. */
export function policyRule(policyNamespace: string): Decoder<PolicyRule> {
  const matches = refine(list(policyMatch(policyNamespace), { most: 64 }), (entries, at, report) =>
    entries.length > 0 ? ok(entries) : report.error(at, 'is empty, and matches nobody: write at least one match.'),
  );
  return refine(whole(narrowing({ matches, resource })), (rule) =>
    ok({ resource: rule.resource, matches: rule.matches }),
  );
}
