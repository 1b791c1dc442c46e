import { matchesRequest } from './claims.ts';
import type { AccessRequest, Claims, ExplainInputs, Grant } from './model.ts';
import { isServed, targetOf } from './targets.ts';

/** One match of one rule as it is written, valid or not on the wire. */
export type WrittenRule = Omit<Grant, 'policy' | 'served'>;

/** The valid matches of the valid rules of a policy, in document order. */
export function writtenRules({ resources }: Pick<ExplainInputs, 'resources'>, policy: string): readonly WrittenRule[] {
  const rules = resources.MCPAuthPolicy.get(policy)?.rules;
  if (rules === undefined || !rules.ok) return [];
  return rules.value.flatMap((parsed, rule) => {
    if (!parsed.ok) return [];
    const { resource, matches } = parsed.value;
    const name = resource.name.all ? '*' : `${resource.name.target}:${resource.name.item}`;
    return matches.flatMap((one, match) => (one.ok ? [{ rule, match, ...one.value, kind: resource.kind, name }] : []));
  });
}

/** The keys of the policies whose rules reach a Gateway, in the order in which gateways evaluate them. */
export function attachedPolicies({ translation }: ExplainInputs, gateway: string): readonly string[] {
  const policies = translation.attachedPolicies(gateway).flatMap((key) => {
    const config = translation.configs.get(key);
    return config === undefined ? [] : [{ key, config: `${config.namespace}.${config.name}` }];
  });
  return policies.toSorted((a, b) => (a.config < b.config ? -1 : 1)).map(({ key }) => key);
}

/** A text that differs whenever the rules that reach a Gateway do. */
export function rulesText(inputs: ExplainInputs, gateway: string): string {
  const policies = attachedPolicies(inputs, gateway);
  return JSON.stringify(policies.map((policy) => inputs.translation.configs.get(policy)?.rules));
}

/** Yields the rules that reach a Gateway, in the order in which gateways evaluate them. */
export function* grantsOf(inputs: ExplainInputs, gateway: string): Generator<Grant> {
  for (const policy of attachedPolicies(inputs, gateway)) {
    const written = new Map(
      writtenRules(inputs, policy)
        .toReversed()
        .map((rule) => [ruleKey(rule), rule]),
    );
    for (const { claim, value, kind, id } of inputs.translation.configs.get(policy)?.rules ?? []) {
      // A rule of the wire is a written one: `find` fails only if the two disagree, and then the policy is still named.
      const found = written.get(ruleKey({ claim, value, kind, name: id }));
      const target = targetOf(id);
      const served = target === undefined || isServed(inputs, gateway, target);
      yield { policy, rule: found?.rule ?? 0, match: found?.match ?? 0, claim, value, kind, name: id, served };
    }
  }
}

/** The first rule that allows a request, in the order in which gateways evaluate them. */
export function* decidingGrant(
  inputs: ExplainInputs,
  gateway: string,
  claims: Claims,
  request: AccessRequest,
): Generator<undefined, Grant | undefined> {
  for (const grant of grantsOf(inputs, gateway)) {
    if (matchesRequest(grant, request, claims)) return grant;
    yield undefined;
  }
  return undefined;
}

function ruleKey({ claim, value, kind, name }: Pick<Grant, 'claim' | 'value' | 'kind' | 'name'>): string {
  return JSON.stringify([claim, value, kind, name]);
}

/** Does all steps at once. */
export function toEnd<T>(steps: Generator<undefined, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}
