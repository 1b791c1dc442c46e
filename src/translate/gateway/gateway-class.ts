import type { Collection, Context } from '../../graph/model.ts';
import type { GatewayClass, GatewayParameters } from '../../resources/model.ts';
import { parametersRefError } from './parameters-ref.ts';

/** The evaluation of a GatewayClass; its Gateways are served if accepted. Classes of other controllers have none. */
export type GatewayClassResult = { readonly accepted: true } | { readonly accepted: false; readonly reason: string };

/** Evaluates one GatewayClass. */
export function evaluateGatewayClass(
  gatewayClass: GatewayClass,
  context: Context,
  { controllerName, parameters }: { controllerName: string; parameters: Collection<GatewayParameters> },
): GatewayClassResult | undefined {
  if (!hasController(gatewayClass, controllerName)) return undefined;
  const { parametersRef: ref } = gatewayClass;
  const namespace = ref?.ok ? ref.value.namespace : undefined;
  const reason = parametersRefError(context, parameters, { field: 'spec.parametersRef', ref, namespace });
  return reason === undefined ? { accepted: true } : { accepted: false, reason };
}

/** Returns whether a GatewayClass belongs to the controller. */
export function hasController({ controllerName }: GatewayClass, name: string): boolean {
  return controllerName.ok && controllerName.value === name;
}
