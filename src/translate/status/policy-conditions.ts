import type { Collection, Context, Derived, Failure } from '../../graph/model.ts';
import type { MCPAuthPolicy } from '../../resources/model.ts';
import { type Allowance, allowsNamespace } from '../gateway/allowed-namespaces.ts';
import type { GatewayVerdict } from '../gateway/gateway.ts';
import type { LabelledNamespace } from '../gateway/namespace-selector.ts';
import type { Condition, PolicyNotice, PolicyStatus } from '../model.ts';
import type { PolicyVerdict } from '../policy/policy.ts';
import type { NamedItem } from '../policy/rules.ts';
import { type Reference, readReferences } from '../policy/target-refs.ts';
import { conditionsOf, enumerate, internalError, recount, type Say } from './conditions.ts';

/** What the status of a policy is told from. */
export interface PolicyFindings {
  readonly controllerName: string;
  readonly verdicts: Derived<PolicyVerdict>;
  /** Whatever else is computed from a policy, to tell when it threw. */
  readonly consequences: readonly Derived<unknown>[];
  readonly gateways: Derived<GatewayVerdict>;
  readonly allowances: Derived<Allowance>;
  /** The namespace of every target that exists, by its name. */
  readonly homes: Collection<string>;
  readonly labelled: Collection<LabelledNamespace>;
}

type Ancestor = PolicyStatus['ancestors'][number];

/** The limit of `status.ancestors` in the API. */
const mostAncestors = 16;

/** The status of one policy; none when all its references lead to other controllers' Gateways, or have no place in it. */
export function describePolicy(
  policy: MCPAuthPolicy,
  context: Context,
  key: string,
  findings: PolicyFindings,
): PolicyStatus | undefined {
  const { namespace, name } = policy.identity;
  const say = conditionsOf(policy.identity);
  const verdict = context.get(findings.verdicts, key);
  const failure = findFailure(context, key, findings);
  const references = verdict?.references ?? readReferences(policy.targetRefs, namespace);
  const parts = droppedParts(verdict, references.unwritable, say);
  const ancestors = references.written.flatMap((reference): readonly Ancestor[] => {
    const standing = standingOf(reference, context, findings);
    if (standing.kind === 'foreign') return [];
    const accepted =
      verdict === undefined || failure !== undefined
        ? say('Accepted', 'False', 'Invalid', 'The policy could not be judged.')
        : judge(verdict, standing, context, findings, say);
    const bug = failure === undefined ? [] : [internalError(say, failure)];
    const { ancestorRef } = reference;
    return [{ ancestorRef, controllerName: findings.controllerName, conditions: [accepted, ...parts, ...bug] }];
  });
  if (ancestors.length === 0) return undefined;
  return { kind: 'MCPAuthPolicy', namespace, name, ancestors: ancestors.slice(0, mostAncestors) };
}

/** What has to be said outside of the status. */
export function policyNoticeOf({ namespace, name, references }: PolicyVerdict): PolicyNotice | undefined {
  const surplus = references.written.length - mostAncestors;
  const missing = `spec.targetRefs has ${surplus} references too many to be shown: a status holds ${mostAncestors}.`;
  const unwritable = surplus > 0 ? [...references.unwritable, missing] : references.unwritable;
  return unwritable.length === 0 ? undefined : { namespace, name, unwritable };
}

function findFailure(context: Context, key: string, { verdicts, consequences }: PolicyFindings): Failure | undefined {
  return [verdicts, ...consequences]
    .map(({ failures }) => context.get(failures, key))
    .find((failure) => failure !== undefined);
}

/** What a reference leads to. A Gateway that could not be judged is there, and serves nothing; of another controller's nothing is told. */
type AttachedTo = Allowance | { readonly kind: 'missing' } | { readonly kind: 'nothing'; readonly message: string };

function standingOf({ points }: Reference, context: Context, { gateways, allowances }: PolicyFindings): AttachedTo {
  if (points.to === 'nothing') {
    const allowance = points.of === undefined ? undefined : context.get(allowances, points.of);
    return allowance?.kind === 'foreign' ? allowance : { kind: 'nothing', message: points.message };
  }
  const allowance = context.get(allowances, points.gateway);
  if (allowance !== undefined) return allowance;
  const failed = [gateways, allowances].some(({ failures }) => context.get(failures, points.gateway) !== undefined);
  return failed ? { kind: 'rejected' } : { kind: 'missing' };
}

function judge(
  verdict: PolicyVerdict,
  standing: Exclude<AttachedTo, { kind: 'foreign' }>,
  context: Context,
  findings: PolicyFindings,
  say: Say,
): Condition {
  if (standing.kind === 'nothing') return say('Accepted', 'False', 'Invalid', standing.message);
  if (standing.kind === 'missing') {
    const message = `There is no such Gateway in the namespace ${verdict.namespace}: create it, or correct the name.`;
    return say('Accepted', 'False', 'TargetNotFound', message);
  }
  if (verdict.outcome === 'invalid') {
    return say(
      'Accepted',
      'False',
      'Invalid',
      `Nothing of the policy is valid, so it allows nothing. ${recount(verdict.dropped)}`,
    );
  }
  const accepted =
    verdict.outcome === 'silent'
      ? 'The policy is accepted and allows nothing: spec.rules is empty.'
      : 'The policy is accepted.';
  if (standing.kind === 'rejected') {
    return say('Accepted', 'True', 'Accepted', `${accepted} The Gateway is not accepted, so nothing is sent to it.`);
  }
  const unserved = verdict.names.filter((item) => !isServed(item, standing, context, findings)).map(({ id }) => id);
  const missing = unserved.length === 0 ? '' : ` The Gateway serves no target for ${enumerate(unserved)}.`;
  return say('Accepted', 'True', 'Accepted', `${accepted}${missing}`);
}

/** Asks for this one target only, so that no other one can make a policy be looked at again. */
function isServed(
  { target }: NamedItem,
  { allows }: Extract<Allowance, { kind: 'served' }>,
  context: Context,
  { homes, labelled }: PolicyFindings,
): boolean {
  const namespace = context.get(homes, target);
  return namespace !== undefined && allowsNamespace(allows, namespace, context, labelled);
}

/** Only when there is something: parts of an accepted policy that were dropped, and references without a place of their own. */
function droppedParts(
  verdict: PolicyVerdict | undefined,
  unwritable: readonly string[],
  say: Say,
): readonly Condition[] {
  const rules = verdict === undefined || verdict.outcome === 'invalid' ? [] : verdict.dropped;
  const parts = [...rules, ...unwritable];
  if (parts.length === 0) return [];
  return [say('kgateway.dev/PartiallyInvalid', 'True', 'RulesDropped', `Dropped: ${recount(parts)}`)];
}
