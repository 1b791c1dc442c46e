import type { Collection, Context, Derived } from '../../graph/model.ts';
import type { GatewayClass, GatewayParameters } from '../../resources/model.ts';
import type { BundleVersions, GatewayClassStatus } from '../model.ts';
import { conditionsOf, internalError } from '../status/conditions.ts';
import { describeBundle } from '../status/gateway-class-conditions.ts';
import { whyUnusable } from './parameters-ref.ts';

/** What a GatewayClass of ours is worth to its Gateways. Other controllers' classes have no verdict. */
export type ClassVerdict = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/** Judges one GatewayClass. */
export function judgeGatewayClass(
  gatewayClass: GatewayClass,
  context: Context,
  { controllerName, parameters }: { controllerName: string; parameters: Collection<GatewayParameters> },
): ClassVerdict | undefined {
  if (!isOurs(gatewayClass, controllerName)) return undefined;
  const { parametersRef: ref } = gatewayClass;
  const namespace = ref?.ok ? ref.value.namespace : undefined;
  const reason = whyUnusable(context, parameters, { field: 'spec.parametersRef', ref, namespace });
  return reason === undefined ? { accepted: true } : { accepted: false, reason };
}

/** What the status of a GatewayClass is told from. */
export interface GatewayClassFindings {
  readonly controllerName: string;
  readonly classes: Derived<ClassVerdict>;
  /** Under the empty key; nothing there without a cluster. */
  readonly bundle: Collection<BundleVersions>;
}

/** The status of one GatewayClass of ours. */
export function describeGatewayClass(
  gatewayClass: GatewayClass,
  context: Context,
  { controllerName, classes, bundle }: GatewayClassFindings,
): GatewayClassStatus | undefined {
  if (!isOurs(gatewayClass, controllerName)) return undefined;
  const { name } = gatewayClass.identity;
  const say = conditionsOf(gatewayClass.identity);
  const supported = describeBundle(context.get(bundle, ''), say);
  const failure = context.get(classes.failures, name);
  if (failure !== undefined) {
    const waiting = say('Accepted', 'Unknown', 'Pending', 'The GatewayClass could not be judged.');
    return { kind: 'GatewayClass', name, conditions: [waiting, ...supported, internalError(say, failure)] };
  }
  const verdict = context.get(classes, name);
  if (verdict === undefined) return undefined;
  const accepted = verdict.accepted
    ? say('Accepted', 'True', 'Accepted', 'The GatewayClass is accepted.')
    : say('Accepted', 'False', 'InvalidParameters', verdict.reason);
  return { kind: 'GatewayClass', name, conditions: [accepted, ...supported] };
}

function isOurs({ controllerName }: GatewayClass, ours: string): boolean {
  return controllerName.ok && controllerName.value === ours;
}
