import type { Collection, Context } from '../../graph/model.ts';
import type { GatewayParameters, ParametersRef, Part } from '../../resources/model.ts';
import { quote } from '../status/conditions.ts';

const group = 'gateway.kgateway.dev';
const kind = 'GatewayParameters';

/**
 * Why a `parametersRef` cannot be used; `undefined` when it can, or when there is none. What it names must exist and
 * be exactly `selfManaged`: whoever asks for a deployed proxy must not be told that all is well.
 *
 * @param field the path of the reference in its object
 * @param namespace where the object stands: the one written in a GatewayClass, never a default; the Gateway's own
 */
export function whyUnusable(
  context: Context,
  parameters: Collection<GatewayParameters>,
  { field, ref, namespace }: { field: string; ref: Part<ParametersRef> | undefined; namespace: string | undefined },
): string | undefined {
  if (ref === undefined) return undefined;
  if (!ref.ok) return ref.reason;
  if (ref.value.group !== group || ref.value.kind !== kind) {
    const found = `kind ${quote(ref.value.kind)} in group ${quote(ref.value.group)}`;
    return `${field} is of ${found}: only a ${kind} of group "${group}" is supported.`;
  }
  if (namespace === undefined)
    return `${field}.namespace is missing: write the namespace of the ${kind}, it has no default.`;
  const key = `${namespace}/${ref.value.name}`;
  const named = context.get(parameters, key);
  if (named === undefined) return `${field} names the ${kind} ${key}, which does not exist or cannot be read.`;
  return named.selfManaged.ok ? undefined : `${field} names the ${kind} ${key}: ${named.selfManaged.reason}`;
}
