import type { Collection, Context } from '../../graph/model.ts';
import { quoted } from '../../json/quoted.ts';
import type { Gateway, GatewayParameters } from '../../resources/model.ts';
import { joinSentences } from '../messages.ts';
import type { McpListener } from '../model.ts';
import { type AddressesResult, evaluateAddresses } from './addresses.ts';
import type { GatewayClassResult } from './gateway-class.ts';
import { evaluateListeners, type ListenerResult } from './listeners.ts';
import { parametersRefError } from './parameters-ref.ts';

/** The evaluation of a Gateway, with everything that its status needs. */
export type GatewayResult =
  | { readonly kind: 'foreign' }
  | {
      readonly kind: 'ours';
      readonly namespace: string;
      readonly acceptance: Acceptance;
      readonly addresses: AddressesResult;
      readonly listeners: readonly ListenerResult[];
    };

/** The acceptance of a Gateway of ours, as far as its class, parameters and addresses decide it. */
export type Acceptance =
  | { readonly kind: 'pending'; readonly message: string }
  | { readonly kind: 'rejected'; readonly reason: 'InvalidParameters' | 'UnsupportedAddress'; readonly message: string }
  /** Served with its accepted listeners; there may be none. */
  | { readonly kind: 'served' };

/** The other objects that the evaluation of a Gateway reads. */
export interface GatewayInputs {
  readonly classes: Collection<GatewayClassResult>;
  readonly parameters: Collection<GatewayParameters>;
}

/** Evaluates one Gateway. */
export function evaluateGateway(gateway: Gateway, context: Context, inputs: GatewayInputs): GatewayResult {
  const className = gateway.className.ok ? gateway.className.value : undefined;
  const gatewayClass = className === undefined ? undefined : context.get(inputs.classes, className);
  if (className === undefined || gatewayClass === undefined) return { kind: 'foreign' };
  const addresses = evaluateAddresses(gateway.addresses);
  const acceptance = gatewayClass.accepted
    ? (rejection(gateway, context, addresses, inputs) ?? { kind: 'served' as const })
    : {
        kind: 'pending' as const,
        message: `Waiting for the GatewayClass ${quoted(className)}, which is not accepted.`,
      };
  const { namespace } = gateway.metadata;
  return { kind: 'ours', namespace, acceptance, addresses, listeners: evaluateListeners(gateway.listeners) };
}

/** Parameters take precedence over addresses, and both over listeners: `InvalidParameters` outranks other reasons. */
function rejection(
  gateway: Gateway,
  context: Context,
  addresses: AddressesResult,
  { parameters }: GatewayInputs,
): Acceptance | undefined {
  const field = 'spec.infrastructure.parametersRef';
  const reference = { field, ref: gateway.parametersRef, namespace: gateway.metadata.namespace };
  const message = parametersRefError(context, parameters, reference);
  if (message !== undefined) return { kind: 'rejected', reason: 'InvalidParameters', message };
  if (addresses.unsupported.length === 0) return undefined;
  return { kind: 'rejected', reason: 'UnsupportedAddress', message: joinSentences(addresses.unsupported) };
}

/**
 * The accepted listeners of a served Gateway, in document order; undefined for a Gateway that is not served. Read from
 * the Gateway: its result has no port, so that a listener that moves to another one runs nothing that depends on it.
 */
export function acceptedListeners(
  gateway: Gateway,
  result: GatewayResult | undefined,
): readonly McpListener[] | undefined {
  if (result?.kind !== 'ours' || result.acceptance.kind !== 'served') return undefined;
  return result.listeners.flatMap(({ name, outcome }, position) => {
    const port = gateway.listeners[position]?.ok ? gateway.listeners[position].value.port : undefined;
    return outcome.accepted && name !== undefined && port?.ok ? [{ name, port: port.value }] : [];
  });
}
