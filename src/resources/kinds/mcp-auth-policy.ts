import {
  type Decoder,
  firstInvalid,
  ok,
  optional,
  requiredWithFallback,
  unwrapOptional,
  valueIfValid,
  withDefault,
} from '../decode/decoder.ts';
import { apiGroup, apiKind, dnsLabel, dnsSubdomain } from '../decode/formats.ts';
import { defineKind, type Kind } from '../decode/kind.ts';
import { list } from '../decode/list.ts';
import { belongIn, type DecodedFields, strictMapping } from '../decode/mapping.ts';
import { type TextRule, text } from '../decode/scalars.ts';
import type { MCPAuthPolicy, Parsed, ParsedTargetRef, PolicyJwt, PolicyRule, TargetRef } from '../model.ts';
import { policyJwt } from './policy-jwt.ts';
import { policyRule } from './policy-rule.ts';

/** An empty kind means an absent one. */
const kindOrEmpty: TextRule = { ...apiKind, test: (value) => value === '' || apiKind.test(value) };

const targetRefBlock = strictMapping(
  {
    group: optional(text(apiGroup)),
    kind: optional(text(kindOrEmpty)),
    name: text(dnsSubdomain),
    sectionName: optional(text(dnsSubdomain)),
    namespace: optional(text(dnsLabel)),
  },
  belongIn('spec', ['rules', 'jwt']),
);

/**
 * Decodes an entry of `spec.targetRefs`. Accepts another group or kind and a section: the translation reports them as
 * unsupported. An unknown field makes the reference invalid; its status is still written under its name.
 */
const targetRef: Decoder<TargetRef> = (value, path, reporter): ParsedTargetRef => {
  const block = targetRefBlock(value, path, reporter);
  if (!block.ok) return block;
  const { group, kind, name, sectionName, namespace } = block.value.fields;
  if (!name.ok) return name;
  const invalid = firstInvalid([group, kind, sectionName, namespace]);
  if (invalid) return invalid;
  const hasNamespace = valueIfValid(namespace) !== undefined;
  const namespaceError = hasNamespace ? reporter.error([...path, 'namespace'], noNamespace) : undefined;
  const ref = {
    name: name.value,
    group: valueIfValid(group),
    kind: valueIfValid(kind),
    sectionName: valueIfValid(sectionName),
  };
  const error = block.value.unknown[0] ?? namespaceError;
  return error ? { ...error, ref: { ...ref, namespace: valueIfValid(namespace) } } : ok(ref);
};

const noRules = 'has no entry, so that the policy allows nothing: write rules, or delete the policy.';
const noNamespace = 'is not known here: a policy names a Gateway of its own namespace. Remove it.';

type Spec = {
  readonly targetRefs: Decoder<readonly Parsed<TargetRef>[]>;
  readonly rules: Decoder<readonly Parsed<PolicyRule>[]>;
  readonly jwt: Decoder<PolicyJwt | undefined>;
};

function policySpec(namespace: string): Decoder<DecodedFields<Spec>> {
  return strictMapping<Spec>(
    {
      targetRefs: requiredWithFallback(list(targetRef, { least: 1, most: 16 }), [], 'a list of Gateways'),
      rules: withDefault(list(policyRule(namespace), { most: 256 }), []),
      jwt: optional(policyJwt),
    },
    misplacedInSpec,
  );
}

const misplacedInSpec = {
  ...belongIn('an entry of spec.rules', ['matches', 'resource']),
  ...belongIn('an entry of spec.targetRefs', ['group', 'kind', 'name', 'sectionName']),
  ...belongIn('spec.jwt', ['providers', 'resourceMetadata']),
};

/** MCPAuthPolicy: grants callers access to tools, prompts and resources behind Gateways. */
export const mcpAuthPolicy: Kind<'MCPAuthPolicy'> = defineKind(
  {
    kind: 'MCPAuthPolicy',
    apiVersion: 'gateway.kgateway.dev/v1alpha1',
    plural: 'mcpauthpolicies',
    namespaced: true,
    nameRule: dnsSubdomain,
    specFields: ['targetRefs', 'rules', 'jwt'],
  },
  ({ metadata, created, spec }, reporter): Parsed<MCPAuthPolicy> => {
    const block = policySpec(metadata.namespace)(spec, ['spec'], reporter);
    if (!block.ok) return block;
    const { targetRefs, rules, jwt } = block.value.fields;
    if (!targetRefs.ok) return targetRefs;
    // With `jwt` it keeps its claim to the Gateways: without it another policy's signers would come into force.
    if (!rules.ok && !block.value.has('jwt')) return rules;
    if (rules.ok && rules.value.length === 0 && !block.value.has('jwt')) reporter.warning(['spec', 'rules'], noRules);
    return ok({
      kind: 'MCPAuthPolicy',
      metadata,
      created,
      targetRefs: targetRefs.value,
      rules: block.value.unknown[0] ?? rules,
      // An unknown field may be a misspelt `jwt`, and without it another policy's signers would count.
      jwt: block.value.unknown[0] ?? unwrapOptional(jwt),
    });
  },
);
