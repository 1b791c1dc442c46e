import type { Collection, Context } from '../../graph/model.ts';
import { quoted } from '../../json/quoted.ts';
import type { GatewayParameters, ParametersRef, Parsed } from '../../resources/model.ts';

const group = 'gateway.kgateway.dev';
const kind = 'GatewayParameters';

/**
 * The reason why a `parametersRef` is invalid; undefined when it is valid or absent. The referenced object must exist
 * and be exactly `selfManaged`: a reference to a deployed proxy is an error, because none is deployed.
 *
 * @param field the path of the reference in its object
 * @param namespace the one written in a GatewayClass, without a default; the Gateway's own
 */
export function parametersRefError(
  context: Context,
  parameters: Collection<GatewayParameters>,
  { field, ref, namespace }: { field: string; ref: Parsed<ParametersRef> | undefined; namespace: string | undefined },
): string | undefined {
  if (ref === undefined) return undefined;
  if (!ref.ok) return ref.reason;
  if (ref.value.group !== group || ref.value.kind !== kind) {
    const found = `kind ${quoted(ref.value.kind)} in group ${quoted(ref.value.group)}`;
    return `${field} is of ${found}: only a ${kind} of group "${group}" is supported.`;
  }
  if (namespace === undefined)
    return `${field}.namespace is missing: write the namespace of the ${kind}, it has no default.`;
  const key = `${namespace}/${ref.value.name}`;
  const object = context.get(parameters, key);
  if (object === undefined) return `${field} names the ${kind} ${key}, which does not exist or cannot be read.`;
  return object.selfManaged.ok ? undefined : `${field} names the ${kind} ${key}: ${object.selfManaged.reason}`;
}
