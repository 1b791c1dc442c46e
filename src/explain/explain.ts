import { matchesCaller, matchesItem } from './claims.ts';
import { foreignGateways, gatewayReason, ownGateways } from './gateways.ts';
import { decidingGrant, grantsOf, rulesText, toEnd } from './grants.ts';
import { hints } from './hints/hints.ts';
import type { Explainer, ExplainInputs, Grant, GrantFilter, Reason, ReasonCode, Verdict } from './model.ts';
import { nameReason } from './names.ts';
import { type Denial, type NearMiss, policyNearMisses } from './near-misses.ts';
import { signerClaims } from './signers.ts';
import { statusFindings } from './status-findings.ts';
import { servedTargets, targetOf, targetReason } from './targets.ts';
import { tokenSigners } from './token-signers.ts';

export { type ComparedWorld, changedSigners, gainedAccess, oncePerPair } from './access-diff.ts';
export { answerInSteps, answerQuestion } from './answer.ts';
export type { Explainer, ExplainInputs } from './model.ts';
export { CollectedProblems, mostListed, problemsOf, skippedNotes } from './problems.ts';

/** Creates the explanations over the collections of the translation. */
export function createExplainer(inputs: ExplainInputs): Explainer {
  return {
    gateways: () => ownGateways(inputs),
    foreignGateways: () => foreignGateways(inputs),
    gatewayReasons: (gateway) => present([gatewayReason(inputs, gateway)]),
    targets: (gateway) => servedTargets(inputs, gateway),
    decide: (gateway, claims, request) => toEnd(decide(inputs, { gateway, claims, request })),
    decideInSteps: (gateway, claims, request) => decide(inputs, { gateway, claims, request }),
    grants: (gateway, filter) => toEnd(grants(inputs, gateway, filter)),
    grantsInSteps: (gateway, filter) => grants(inputs, gateway, filter),
    rulesText: (gateway) => rulesText(inputs, gateway),
    tokenSigners: (gateway) => tokenSigners(inputs, gateway),
    signers: () => signerClaims(inputs),
    statusFindings: () => statusFindings(inputs),
    hints: () => hints(inputs),
  };
}

function* decide(inputs: ExplainInputs, question: Denial): Generator<undefined, Verdict> {
  const { gateway, claims, request } = question;
  const by = yield* decidingGrant(inputs, gateway, claims, request);
  const form = nameReason(inputs, request);
  const target = targetOf(request.name);
  // A name in another form begins with no target.
  const unserved = form ?? (target === undefined ? undefined : targetReason(inputs, gateway, target));
  if (by !== undefined) return { allowed: true, by, remarks: present([unserved]) };
  return yield* denied(inputs, question, present([gatewayReason(inputs, gateway), unserved]));
}

function* grants(
  inputs: ExplainInputs,
  gateway: string,
  { claims, request }: GrantFilter,
): Generator<undefined, readonly Grant[]> {
  const found: Grant[] = [];
  for (const grant of grantsOf(inputs, gateway)) {
    const isAskedFor =
      (claims === undefined || matchesCaller(grant, claims)) && (request === undefined || matchesItem(grant, request));
    if (isAskedFor) found.push(grant);
    yield undefined;
  }
  return found;
}

/** The order of an answer: nearest first, and what makes all others pointless before them. */
const order: Readonly<Record<ReasonCode, number>> = {
  'gateway-unknown': 0,
  'gateway-foreign': 1,
  'gateway-not-accepted': 2,
  'no-policy': 3,
  'name-form': 4,
  'target-unknown': 5,
  'claim-not-string': 6,
  'other-gateway': 7,
  'reference-invalid': 8,
  'claim-value': 9,
  'claim-missing': 10,
  'other-kind': 11,
  'policy-invalid': 12,
  'policy-partly-invalid': 13,
  'other-name': 14,
  'target-not-served': 15,
  'no-rule': 16,
};

/** Reasons that an answer lists: a Gateway may have thousands of rules. */
const mostReasons = 20;

/** Near misses that are kept before the nearest of them are chosen. */
const mostKept = 1_000;

/** @param certain the reasons that hold for every caller */
function* denied(inputs: ExplainInputs, denial: Denial, certain: readonly Reason[]): Generator<undefined, Verdict> {
  let nearest: readonly NearMiss[] = [];
  let kept: NearMiss[] = certain.map((reason) => ({ ...reason, distance: 0 }));
  let total = kept.length;
  const choose = (): void => {
    nearest = [...nearest, ...kept].sort(compareNearness).slice(0, mostReasons);
    kept = [];
  };
  // Nothing is near a Gateway that does not exist, but another Gateway.
  const exists = inputs.resources.Gateway.get(denial.gateway) !== undefined;
  for (const miss of exists ? policyNearMisses(inputs, denial) : []) {
    if (miss !== undefined) {
      kept.push(miss);
      total += 1;
      if (kept.length >= mostKept) choose();
    }
    yield undefined;
  }
  choose();
  if (total === 0) return { allowed: false, reasons: [nothingNear], omitted: 0 };
  const reasons = nearest.map(({ code, at, message }) => ({ code, at, message }));
  return { allowed: false, reasons, omitted: total - reasons.length };
}

function compareNearness(a: NearMiss, b: NearMiss): number {
  return order[a.code] - order[b.code] || a.distance - b.distance;
}

const nothingNear: Reason = {
  code: 'no-rule',
  at: undefined,
  message:
    'No rule on this Gateway is for this caller or for this item, and without one every call is denied. Write one.',
};

function present(reasons: readonly (Reason | undefined)[]): readonly Reason[] {
  return reasons.flatMap((reason) => (reason === undefined ? [] : [reason]));
}
