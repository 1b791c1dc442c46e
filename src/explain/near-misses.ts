import { quoted } from '../json/quoted.ts';
import { pathText } from '../resources/resources.ts';
import { claimOf, matchesCaller, matchesItem, matchesRequest, unmatchableClaim } from './claims.ts';
import { attachedPolicies, type WrittenRule, writtenRules } from './grants.ts';
import type { AccessRequest, Claims, ExplainInputs, Reason, ReasonCode } from './model.ts';
import { dissimilarity, keysOf } from './nearest.ts';
import { targetOf } from './targets.ts';

/** A reason with its order among those of the same code: smaller is nearer. */
export interface NearMiss extends Reason {
  readonly distance: number;
}

/** A denied question. */
export interface Denial {
  readonly gateway: string;
  readonly claims: Claims;
  readonly request: AccessRequest;
}

/**
 * Why no policy allows a request: what is near among the rules on the Gateway, and on others. In no order. Yields
 * undefined after each rule and policy without anything near, so that a caller can divide the work.
 */
export function* policyNearMisses(inputs: ExplainInputs, denial: Denial): Generator<NearMiss | undefined> {
  const attached = new Set(attachedPolicies(inputs, denial.gateway));
  let named = false;
  /** There is one to mend, and none to write. */
  let meant = false;
  for (const policy of keysOf(inputs.resources.MCPAuthPolicy)) {
    const names = namesGateway(inputs, policy, denial.gateway);
    named ||= names || attached.has(policy);
    const applies = names || attached.has(policy);
    const stray = !applies && isStray(inputs, policy, denial.gateway);
    for (const rule of writtenRules(inputs, policy)) {
      const found = applies ? ruleNearMiss(inputs, policy, rule, denial) : elsewhere(inputs, policy, rule, denial);
      if (found === undefined) {
        yield undefined;
        continue;
      }
      const { path, ...rest } = found;
      meant ||= stray;
      yield { ...rest, at: { kind: 'MCPAuthPolicy', key: policy, path } };
    }
    const unreadable = stray ? unreadablePolicy(inputs, policy) : undefined;
    if (applies) yield* droppedParts(inputs, policy);
    meant ||= unreadable !== undefined;
    yield unreadable;
  }
  if (named || meant || inputs.translation.gateways.get(denial.gateway) === undefined) return;
  const [namespace = '', name = ''] = denial.gateway.split('/');
  const message = `No policy names Gateway ${denial.gateway}, and without one every call is denied. Write an MCPAuthPolicy in the namespace ${quoted(namespace)} with "targetRefs: [{name: ${name}}]".`;
  yield { code: 'no-policy', at: undefined, message, distance: 0 };
}

/** Returns whether a reference of the policy, valid or not, names the Gateway; it cannot leave its namespace. */
function namesGateway(inputs: ExplainInputs, policy: string, gateway: string): boolean {
  return referenceTo(inputs, policy, gateway) !== -1;
}

/** The index in `spec.targetRefs`; -1 without a reference that names the Gateway. */
function referenceTo({ resources }: ExplainInputs, policy: string, gateway: string): number {
  const written = resources.MCPAuthPolicy.get(policy);
  if (written === undefined) return -1;
  const { namespace } = written.metadata;
  return written.targetRefs.findIndex((parsed) => {
    const ref = parsed.ok ? parsed.value : 'ref' in parsed ? parsed.ref : undefined;
    return ref !== undefined && `${namespace}/${ref.name}` === gateway;
  });
}

type Found = Omit<NearMiss, 'at'> & { readonly path: readonly (string | number)[] };

/** What is near in a rule on the Gateway; undefined when nothing is. */
function ruleNearMiss(inputs: ExplainInputs, policy: string, rule: WrittenRule, denial: Denial): Found | undefined {
  const { claims, request } = denial;
  if (matchesRequest(rule, request, claims)) return unattached(inputs, policy, rule, denial.gateway);
  const at = ['spec', 'rules', rule.rule];
  const jwt = [...at, 'matches', rule.match];
  if (matchesItem(rule, request)) return claimNearMiss(rule, claims, jwt);
  if (!matchesCaller(rule, claims)) return undefined;
  const allowed = `${pathText(jwt)} matches the caller, but the rule is for`;
  if (rule.name === request.name || rule.name === '*') {
    const what = rule.name === '*' ? `every ${rule.kind}` : `the ${rule.kind} ${quoted(rule.name)}`;
    const message = `${allowed} ${what}, and this is a ${request.kind}. Write a rule with "kind: ${request.kind}".`;
    return { code: 'other-kind', path: [...at, 'resource', 'kind'], message, distance: rule.name === '*' ? 1 : 0 };
  }
  if (rule.kind !== request.kind) return undefined;
  // A rule for a name without a target would be invalid.
  const other = targetOf(request.name) === undefined ? '' : `, or write a rule for ${quoted(request.name)}`;
  const message = `${allowed} the ${rule.kind} ${quoted(rule.name)}. Correct the name${other}.`;
  const distance = nameDistance(rule.name, request.name);
  return { code: 'other-name', path: [...at, 'resource', 'name'], message, distance };
}

/** Names of the same target, or of the same item of another target, are nearer than all others. */
function nameDistance(one: string, other: string): number {
  const itemOf = (name: string): string => name.slice(name.indexOf(':') + 1);
  const apart = dissimilarity(one, other);
  return targetOf(one) === targetOf(other) || itemOf(one) === itemOf(other) ? apart / 2 : apart;
}

function claimNearMiss({ claim, value }: WrittenRule, claims: Claims, match: readonly (string | number)[]): Found {
  const own = claimOf(claims, claim);
  const path = [...match];
  const rule = `${pathText(match)} needs the claim ${quoted(claim)} with the value ${quoted(value)}`;
  const unmatchable = unmatchableClaim(claims, claim, value);
  if (unmatchable !== undefined) {
    const remedy = 'Only a claim of the top level that is a string, compared exactly, can match: choose or issue one';
    return {
      code: 'claim-not-string',
      path,
      message: `${rule}. That of the caller ${unmatchable}. ${remedy}.`,
      distance: 0,
    };
  }
  if (typeof own === 'string') {
    const message = `${rule}, and that of the caller is ${quoted(own)}. Add a match for it, if it is to be allowed.`;
    return { code: 'claim-value', path, message, distance: dissimilarity(own, value) };
  }
  const kind =
    own === undefined ? undefined : Array.isArray(own) ? 'a list' : own === null ? 'null' : `a ${typeof own}`;
  const has = kind === undefined ? 'the caller has no such claim' : `that of the caller is ${kind}`;
  const others = Object.keys(claims).filter((name) => typeof claims[name] === 'string');
  const near = others.map((name) => dissimilarity(name, claim));
  const message = `${rule}, and ${has}. ${kind === undefined ? `It has ${others.slice(0, 10).map(quoted).join(', ') || 'none'}` : 'Only strings can match'}.`;
  return { code: 'claim-missing', path, message, distance: Math.min(1, ...near) };
}

/** A rule that would allow the request, of a policy whose reference to the Gateway does not count. */
function unattached(inputs: ExplainInputs, policy: string, rule: WrittenRule, gateway: string): Found | undefined {
  // Of a Gateway that is not served, nothing counts: that is a reason of its own.
  if (inputs.translation.gateways.get(gateway)?.kind !== 'served') return undefined;
  const name = gateway.slice(gateway.indexOf('/') + 1);
  const ancestors = inputs.translation.policyStatuses.get(policy)?.ancestors ?? [];
  const messages = ancestors
    .filter(({ ancestorRef }) => ancestorRef.name === name)
    .flatMap(({ conditions }) => conditions.filter(({ type, status }) => type === 'Accepted' && status !== 'True'))
    .map(({ message }) => message);
  const why = messages[0] ?? 'Its reference to the Gateway is not understood.';
  const path = ['spec', 'targetRefs', referenceTo(inputs, policy, gateway)];
  const message = `${pathText(['spec', 'rules', rule.rule])} would allow it, but the policy is not attached to the Gateway: ${why}`;
  return { code: 'reference-invalid', path, message, distance: 0 };
}

/** A rule that would allow the request on the Gateway of another policy. */
function elsewhere(
  { resources }: ExplainInputs,
  policy: string,
  rule: WrittenRule,
  { gateway, claims, request }: Denial,
): Found | undefined {
  if (!matchesRequest(rule, request, claims)) return undefined;
  const [namespace = '', name = ''] = gateway.split('/');
  const written = resources.MCPAuthPolicy.get(policy);
  const refs = written?.targetRefs.flatMap((ref) => (ref.ok ? [ref.value.name] : [])) ?? [];
  const place = { code: 'other-gateway' as const, path: ['spec', 'targetRefs'] };
  const rules = `${pathText(['spec', 'rules', rule.rule])} of the policy ${policy} would allow it`;
  if (written?.metadata.namespace !== namespace) {
    const same = refs.includes(name);
    const message = `${rules}, but a policy names Gateways of its own namespace only, and Gateway ${gateway} is in another. Move the policy to the namespace ${quoted(namespace)}, or write one there.`;
    return { ...place, message, distance: same ? 0 : 2 };
  }
  const broken = written.targetRefs.findIndex((ref) => !ref.ok);
  const reason = written.targetRefs[broken];
  if (reason?.ok === false) {
    const message = `${rules}, but no reference of the policy that counts names Gateway ${gateway}, and one is invalid: ${reason.reason}`;
    return { code: 'reference-invalid', path: [...place.path, broken], message, distance: 0 };
  }
  const distance = Math.min(1, ...refs.map((ref) => dissimilarity(ref, name)));
  const message = `${rules}, but the policy does not name Gateway ${gateway}. Add "name: ${name}" to its targetRefs.`;
  return { ...place, message, distance };
}

/** Returns whether a policy is beside the Gateway and names none that exists: it may be meant for this one. */
function isStray({ resources }: ExplainInputs, policy: string, gateway: string): boolean {
  const written = resources.MCPAuthPolicy.get(policy);
  if (written === undefined || !gateway.startsWith(`${written.metadata.namespace}/`)) return false;
  const { namespace } = written.metadata;
  return !written.targetRefs.some((ref) => ref.ok && resources.Gateway.get(`${namespace}/${ref.value.name}`));
}

/** A stray policy whose rules are unknown, such as one with `targetRef` instead of `targetRefs`. */
function unreadablePolicy({ resources }: ExplainInputs, key: string): NearMiss | undefined {
  const policy = resources.MCPAuthPolicy.get(key);
  if (policy === undefined || policy.rules.ok) return undefined;
  const message = `The policy ${key} names no Gateway and is invalid, so that it allows nothing; it may be meant for this one. ${policy.rules.reason}`;
  return { code: 'policy-invalid', at: { kind: 'MCPAuthPolicy', key, path: ['spec'] }, message, distance: 0 };
}

/** The parts of a policy on the Gateway that are dropped: what they were to allow is unknown. Or that it has none. */
function* droppedParts({ resources }: ExplainInputs, key: string): Generator<NearMiss> {
  const policy = resources.MCPAuthPolicy.get(key);
  if (policy === undefined) return;
  const { rules, jwt } = policy;
  const at = (...path: readonly (string | number)[]): NearMiss['at'] => ({ kind: 'MCPAuthPolicy', key, path });
  if (!rules.ok) {
    const message = `The policy ${key} is invalid, so that it allows nothing: ${rules.reason}`;
    yield { code: 'policy-invalid', at: at('spec'), message, distance: 0 };
    return;
  }
  if (rules.value.length === 0 && jwt === undefined) {
    const message = `The policy ${key} has no rules, so that it allows nothing. Write rules in its spec.`;
    yield { code: 'no-rule', at: at('spec'), message, distance: 0 };
  }
  const code: ReasonCode = 'policy-partly-invalid';
  for (const [position, rule] of rules.value.entries()) {
    const path = ['spec', 'rules', position];
    const dropped = `Of the policy ${key} is dropped:`;
    if (!rule.ok) {
      yield { code, at: at(...path), message: `${dropped} ${pathText(path)}. ${rule.reason}`, distance: 0 };
      continue;
    }
    for (const [match, one] of rule.value.matches.entries()) {
      const message = (reason: string): string => `${dropped} ${pathText([...path, 'matches', match])}. ${reason}`;
      if (!one.ok) yield { code, at: at(...path, 'matches', match), message: message(one.reason), distance: 0 };
    }
  }
}
