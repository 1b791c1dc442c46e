import { matchesCaller, matchesItem } from './claims.ts';
import { foreignGateways, gatewayReason, ownGateways } from './gateways.ts';
import { decidingGrant, grantsOf } from './grants.ts';
import { hints } from './hints/hints.ts';
import type { Explainer, ExplainInputs, Reason, ReasonCode, Verdict } from './model.ts';
import { nameReason } from './names.ts';
import { type Denial, type NearMiss, policyNearMisses } from './near-misses.ts';
import { signerClaims } from './signers.ts';
import { statusFindings } from './status-findings.ts';
import { servedTargets, targetOf, targetReason } from './targets.ts';
import { tokenSigners } from './token-signers.ts';

export { changedSigners, gainedAccess } from './access-diff.ts';
export { answerQuestion } from './answer.ts';
export type { Explainer, ExplainInputs } from './model.ts';

/** Creates the explanations over the collections of the translation. */
export function createExplainer(inputs: ExplainInputs): Explainer {
  return {
    gateways: () => ownGateways(inputs),
    foreignGateways: () => foreignGateways(inputs),
    gatewayReasons: (gateway) => present([gatewayReason(inputs, gateway)]),
    targets: (gateway) => servedTargets(inputs, gateway),
    decide: (gateway, claims, request) => {
      const by = decidingGrant(inputs, gateway, claims, request);
      const form = nameReason(inputs, request);
      const target = targetOf(request.name);
      // A name in another form begins with no target.
      const unserved = form ?? (target === undefined ? undefined : targetReason(inputs, gateway, target));
      if (by !== undefined) return { allowed: true, by, remarks: present([unserved]) };
      return denied(inputs, { gateway, claims, request }, present([gatewayReason(inputs, gateway), unserved]));
    },
    grants: (gateway, { claims, request }) =>
      [...grantsOf(inputs, gateway)].filter(
        (grant) =>
          (claims === undefined || matchesCaller(grant, claims)) &&
          (request === undefined || matchesItem(grant, request)),
      ),
    tokenSigners: (gateway) => tokenSigners(inputs, gateway),
    signers: () => signerClaims(inputs),
    statusFindings: () => statusFindings(inputs),
    hints: () => hints(inputs),
  };
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

/** @param certain the reasons that hold for every caller */
function denied(inputs: ExplainInputs, denial: Denial, certain: readonly Reason[]): Verdict {
  const all: NearMiss[] = certain.map((reason) => ({ ...reason, distance: 0 }));
  // Nothing is near a Gateway that does not exist, but another Gateway.
  const exists = inputs.resources.Gateway.get(denial.gateway) !== undefined;
  if (exists) all.push(...policyNearMisses(inputs, denial));
  if (all.length === 0) all.push({ ...nothingNear, distance: 0 });
  const sorted = all.toSorted((a, b) => order[a.code] - order[b.code] || a.distance - b.distance);
  const reasons = sorted.slice(0, mostReasons).map(({ code, at, message }) => ({ code, at, message }));
  return { allowed: false, reasons, omitted: sorted.length - reasons.length };
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
