import { type Decoder, defaulted, optional, refine, requiredOr } from '../decode/decoder.ts';
import { API_GROUP, API_KIND, DNS_LABEL, DNS_SUBDOMAIN } from '../decode/formats.ts';
import { list } from '../decode/list.ts';
import { type Block, narrowing } from '../decode/mapping.ts';
import { type TextRule, text } from '../decode/scalars.ts';
import { defineKind, type Kind } from '../kind.ts';
import type { MCPAuthPolicy, Part, PolicyRule, TargetRef, TargetRefPart } from '../model.ts';
import { firstFault, ok, understood } from '../part.ts';
import { policyRule } from '../policy-rule.ts';

/** An empty kind is an absent one. */
const KIND_OR_EMPTY: TextRule = { ...API_KIND, test: (value) => value === '' || API_KIND.test(value) };

const targetRefBlock = narrowing({
  group: optional(text(API_GROUP)),
  kind: optional(text(KIND_OR_EMPTY)),
  name: text(DNS_SUBDOMAIN),
  sectionName: optional(text(DNS_SUBDOMAIN)),
  namespace: optional(text(DNS_LABEL)),
});

/**
 * Another group or kind, and a section, are understood: that they are not supported is for the translation to say. A
 * field that is not known leaves the reference the name that it is reported under.
 */
const targetRef: Decoder<TargetRef> = (value, at, report): TargetRefPart => {
  const block = targetRefBlock(value, at, report);
  if (!block.ok) return block;
  const { group, kind, name, sectionName, namespace } = block.value.fields;
  if (!name.ok) return name;
  const unreadable = firstFault([group, kind, sectionName, namespace]);
  if (unreadable) return unreadable;
  const outside = understood(namespace) === undefined ? undefined : report.error([...at, 'namespace'], NO_NAMESPACE);
  const ref = {
    name: name.value,
    group: understood(group),
    kind: understood(kind),
    sectionName: understood(sectionName),
  };
  const fault = block.value.unknown[0] ?? outside;
  return fault ? { ...fault, ref: { ...ref, namespace: understood(namespace) } } : ok(ref);
};

const NO_NAMESPACE = 'is not known here: a policy names a Gateway of its own namespace. Remove it.';

type Spec = {
  readonly targetRefs: Decoder<readonly Part<TargetRef>[]>;
  readonly rules: Decoder<readonly Part<PolicyRule>[]>;
};

function policySpec(namespace: string): Decoder<Block<Spec>> {
  return narrowing<Spec>({
    targetRefs: requiredOr(list(targetRef, { least: 1, most: 16 }), [], 'a list of Gateways'),
    rules: refine(defaulted(list(policyRule(namespace), { most: 256 }), []), (rules, at, report) => {
      if (rules.length === 0)
        report.warning(at, 'has no entry, so that the policy allows nothing: write rules, or delete the policy.');
      return ok(rules);
    }),
  });
}

/** Who may use which tools, prompts and resources behind a Gateway. */
export const mcpAuthPolicy: Kind<'MCPAuthPolicy'> = defineKind(
  {
    kind: 'MCPAuthPolicy',
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    plural: 'mcpauthpolicies',
    namespaced: true,
    nameRule: DNS_SUBDOMAIN,
  },
  ({ identity, spec }, report): Part<MCPAuthPolicy> => {
    const block = policySpec(identity.namespace)(spec, ['spec'], report);
    if (!block.ok) return block;
    const { targetRefs, rules } = block.value.fields;
    if (!targetRefs.ok) return targetRefs;
    if (!rules.ok) return rules;
    return ok({
      kind: 'MCPAuthPolicy',
      identity,
      targetRefs: targetRefs.value,
      rules: block.value.unknown[0] ?? rules,
    });
  },
);
