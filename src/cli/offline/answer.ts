import type { OfflineWorld } from '../../app/offline.ts';
import type { AccessRequest, Claims, Grant, Place, Reason } from '../../explain/model.ts';

export interface Question {
  readonly gateway: string;
  /** Undefined: whoever may. */
  readonly claims: Claims | undefined;
  /** Undefined: everything that the caller may use. */
  readonly request: AccessRequest | undefined;
}

/** A value with the place of the field that it is about; undefined when nothing is written there. */
type Placed<T> = T & { readonly place: string | undefined };

export type Answer = {
  readonly gateway: string;
  readonly request: AccessRequest | undefined;
} & (
  | { readonly verdict: 'allowed'; readonly by: Placed<Grant>; readonly remarks: readonly Placed<Reason>[] }
  | { readonly verdict: 'denied'; readonly reasons: readonly Placed<Reason>[]; readonly omitted: number }
  /** The rules that match the caller, or the request, or all. */
  | {
      readonly verdict: 'grants';
      readonly of: 'caller' | 'anybody';
      readonly grants: readonly Placed<Grant>[];
      /** The targets that the Gateway serves: a rule for `*` is about all of them. */
      readonly targets: readonly string[];
      /** Why the Gateway serves nobody. */
      readonly remarks: readonly Placed<Reason>[];
    }
);

/** Answers a question, and finds the place of everything in the answer. */
export async function answerQuestion(world: OfflineWorld, question: Question): Promise<Answer> {
  const { gateway, claims, request } = question;
  const { explainer } = world;
  const asked = { gateway, request };
  if (claims !== undefined && request !== undefined) {
    const verdict = explainer.decide(gateway, claims, request);
    if (!verdict.allowed) {
      const reasons = await placed(world, verdict.reasons, ({ at }) => at);
      return { ...asked, verdict: 'denied', reasons, omitted: verdict.omitted };
    }
    const [by] = await placed(world, [verdict.by], placeOf);
    const remarks = await placed(world, verdict.remarks, ({ at }) => at);
    return { ...asked, verdict: 'allowed', by: by ?? { ...verdict.by, place: undefined }, remarks };
  }
  const filter = { ...(claims && { claims }), ...(request && { request }) };
  return {
    ...asked,
    verdict: 'grants',
    of: claims === undefined ? 'anybody' : 'caller',
    grants: await placed(world, explainer.grants(gateway, filter), placeOf),
    targets: explainer.targets(gateway),
    remarks: await placed(world, explainer.gatewayReasons(gateway), ({ at }) => at),
  };
}

function placeOf({ policy, rule, match }: Grant): Place {
  return { kind: 'MCPAuthPolicy', key: policy, path: ['spec', 'rules', rule, 'matches', match] };
}

async function placed<T extends object>(
  world: OfflineWorld,
  values: readonly T[],
  at: (value: T) => Place | undefined,
): Promise<readonly Placed<T>[]> {
  const known = values.flatMap((value) => at(value) ?? []);
  const places = (await world.placesOf(known))[Symbol.iterator]();
  return values.map((value) => ({ ...value, place: at(value) === undefined ? undefined : places.next().value }));
}
