import { toEnd } from './grants.ts';
import type { AccessRequest, Answer, Answered, Claims, Explainer, Grant, Place, Placed, Question } from './model.ts';

/** Answers a question at once, as {@link answerInSteps} does. */
export function answerQuestion(
  explainer: Explainer,
  question: Question,
  mostGrants: number = Number.POSITIVE_INFINITY,
): Answered {
  return toEnd(answerInSteps(explainer, question, mostGrants));
}

/**
 * Answers a question; yields after each step, so that the caller can divide the work. The places of the fields in it are
 * found by the caller, since that takes I/O.
 *
 * @param mostGrants rules that an answer without a verdict lists; the others are counted
 */
export function* answerInSteps(
  explainer: Explainer,
  question: Question,
  mostGrants: number,
): Generator<undefined, Answered> {
  const gateway = gatewayOf(explainer, question.gateway);
  if (!gateway.ok) return gateway;
  const { claims, request } = question;
  return claims === undefined || request === undefined
    ? yield* grantsAnswer(explainer, gateway.key, question, mostGrants)
    : yield* verdictAnswer(explainer, gateway.key, claims, request);
}

function* verdictAnswer(
  explainer: Explainer,
  gateway: string,
  claims: Claims,
  request: AccessRequest,
): Generator<undefined, Answered> {
  const verdict = yield* explainer.decideInSteps(gateway, claims, request);
  const reasons = verdict.allowed ? verdict.remarks : verdict.reasons;
  const by = verdict.allowed ? [placeOf(verdict.by)] : [];
  return {
    ok: true,
    fields: [...by, ...reasons.flatMap(({ at }) => at ?? [])],
    answerAt: (places) => {
      const asked = { gateway, request, signers: explainer.tokenSigners(gateway) };
      const next = places[Symbol.iterator]();
      if (!verdict.allowed) {
        return {
          ...asked,
          verdict: 'denied',
          reasons: reasons.map((one) => placed(one, next)),
          omitted: verdict.omitted,
        };
      }
      const place = next.next().value;
      return {
        ...asked,
        verdict: 'allowed',
        by: { ...verdict.by, place },
        remarks: reasons.map((one) => placed(one, next)),
      };
    },
  };
}

function* grantsAnswer(
  explainer: Explainer,
  gateway: string,
  { claims, request }: Question,
  mostGrants: number,
): Generator<undefined, Answered> {
  const all = yield* explainer.grantsInSteps(gateway, { ...(claims && { claims }), ...(request && { request }) });
  const grants = all.slice(0, mostGrants);
  const remarks = explainer.gatewayReasons(gateway);
  return {
    ok: true,
    fields: [...grants.map(placeOf), ...remarks.flatMap(({ at }) => at ?? [])],
    answerAt: (places): Answer => {
      const next = places.slice(grants.length)[Symbol.iterator]();
      return {
        gateway,
        request,
        signers: explainer.tokenSigners(gateway),
        verdict: 'grants',
        of: claims === undefined ? 'anybody' : 'caller',
        grants: grants.map((grant, at) => ({ ...grant, place: places[at] })),
        omitted: all.length - grants.length,
        targets: explainer.targets(gateway),
        remarks: remarks.map((one) => placed(one, next)),
      };
    },
  };
}

type GatewayChoice = { readonly ok: true; readonly key: string } | { readonly ok: false; readonly message: string };

/**
 * The Gateway that is asked about: the one of ours, when there is one only. Without any, the only other one: its class is
 * probably misspelt, and the answer says so.
 */
function gatewayOf(explainer: Explainer, name: string | undefined): GatewayChoice {
  if (name !== undefined) return { ok: true, key: name.includes('/') ? name : `default/${name}` };
  const own = explainer.gateways();
  const [only, ...others] = own.length === 0 ? explainer.foreignGateways() : own;
  if (only === undefined) return { ok: false, message: 'there is no Gateway: gatehouse check says what there is.' };
  if (others.length === 0) return { ok: true, key: only };
  const names = [only, ...others].slice(0, mostListed).join(', ');
  const message = `say which of the ${others.length + 1} Gateways is called: --gateway, one of ${names}.`;
  return { ok: false, message };
}

/** Gateways that a message lists. */
const mostListed = 10;

function placeOf({ policy, rule, match }: Grant): Place {
  return { kind: 'MCPAuthPolicy', key: policy, path: ['spec', 'rules', rule, 'matches', match] };
}

/** A value with the next place, if it has a field. */
function placed<T extends { readonly at: Place | undefined }>(
  value: T,
  places: Iterator<string | undefined, undefined>,
): Placed<T> {
  return { ...value, place: value.at === undefined ? undefined : places.next().value };
}
