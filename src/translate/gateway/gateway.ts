import type { Collection, Context } from '../../graph/model.ts';
import type { Gateway, GatewayParameters } from '../../resources/model.ts';
import { recount } from '../status/conditions.ts';
import { type AddressVerdict, judgeAddresses } from './addresses.ts';
import type { ClassVerdict } from './gateway-class.ts';
import { judgeListeners, type ListenerVerdict } from './listeners.ts';
import { whyUnusable } from './parameters-ref.ts';

/** What becomes of a Gateway, with everything that its status says about it. */
export type GatewayVerdict =
  | { readonly kind: 'foreign' }
  | {
      readonly kind: 'ours';
      readonly namespace: string;
      readonly standing: Standing;
      readonly addresses: AddressVerdict;
      readonly listeners: readonly ListenerVerdict[];
    };

/** How far a Gateway of ours got. */
export type Standing =
  | { readonly kind: 'pending'; readonly message: string }
  | { readonly kind: 'refused'; readonly reason: 'InvalidParameters' | 'UnsupportedAddress'; readonly message: string }
  /** Served, with those of its listeners that are accepted; there may be none. */
  | { readonly kind: 'served' };

/** What a Gateway is judged by. */
export interface GatewaySurroundings {
  readonly classes: Collection<ClassVerdict>;
  readonly parameters: Collection<GatewayParameters>;
}

/** Judges one Gateway. */
export function judgeGateway(gateway: Gateway, context: Context, surroundings: GatewaySurroundings): GatewayVerdict {
  const className = gateway.className.ok ? gateway.className.value : undefined;
  const verdict = className === undefined ? undefined : context.get(surroundings.classes, className);
  if (className === undefined || verdict === undefined) return { kind: 'foreign' };
  const addresses = judgeAddresses(gateway.addresses);
  const standing = verdict.accepted
    ? (whyRefused(gateway, context, addresses, surroundings) ?? { kind: 'served' as const })
    : { kind: 'pending' as const, message: `Waiting for the GatewayClass "${className}", which is not accepted.` };
  const { namespace } = gateway.identity;
  return { kind: 'ours', namespace, standing, addresses, listeners: judgeListeners(gateway.listeners) };
}

/** Parameters come before addresses, and both before listeners (`InvalidParameters` is reported whatever else is wrong). */
function whyRefused(
  gateway: Gateway,
  context: Context,
  addresses: AddressVerdict,
  { parameters }: GatewaySurroundings,
): Standing | undefined {
  const field = 'spec.infrastructure.parametersRef';
  const reference = { field, ref: gateway.parametersRef, namespace: gateway.identity.namespace };
  const unusable = whyUnusable(context, parameters, reference);
  if (unusable !== undefined) return { kind: 'refused', reason: 'InvalidParameters', message: unusable };
  if (addresses.unsupported.length === 0) return undefined;
  return { kind: 'refused', reason: 'UnsupportedAddress', message: recount(addresses.unsupported) };
}
