import { shortened } from '../../json/quoted.ts';
import type { Acceptance } from '../gateway/gateway.ts';
import type { ListenerResult } from '../gateway/listeners.ts';
import type { Condition, ListenerConditionType, ListenerStatus } from '../model.ts';
import type { ConditionWriter } from './conditions.ts';

/**
 * The status of every listener with a unique valid name. The positive conditions are always present, `Conflicted` only
 * when it is true. `Accepted` is independent of the Gateway's; `Programmed` needs both.
 */
export function listenerStatuses(
  listeners: readonly ListenerResult[],
  gateway: Acceptance['kind'],
  condition: ConditionWriter,
): readonly ListenerStatus[] {
  return listeners.slice(0, mostListeners).flatMap((listener) => {
    if (listener.name === undefined) return [];
    const conditions = [
      accepted(listener, condition),
      resolvedRefs(listener, condition),
      programmed(listener, gateway, condition),
    ];
    if (listener.conflict !== undefined)
      conditions.push(condition('Conflicted', 'True', 'HostnameConflict', listener.conflict));
    return [{ name: listener.name, supportedKinds: [], attachedRoutes: 0, conditions }];
  });
}

/** The limit of `status.listeners` in the Gateway API, and of `spec.listeners`. */
const mostListeners = 64;

function accepted({ outcome }: ListenerResult, condition: ConditionWriter): Condition<ListenerConditionType> {
  if (!outcome.accepted) return condition('Accepted', 'False', outcome.reason, outcome.message);
  const { namespaces } = outcome;
  if (namespaces.from !== 'Selector' || namespaces.selector !== undefined) {
    return condition('Accepted', 'True', 'Accepted', 'The listener is accepted.');
  }
  const why = namespaces.selectorError ?? 'allowedRoutes.namespaces.selector is missing.';
  return condition('Accepted', 'True', 'Accepted', `The listener is accepted, but it selects no namespace: ${why}`);
}

function resolvedRefs({ routeKinds }: ListenerResult, condition: ConditionWriter): Condition<ListenerConditionType> {
  if (routeKinds.length === 0) return condition('ResolvedRefs', 'True', 'ResolvedRefs', 'There is nothing to resolve.');
  const message = `allowedRoutes.kinds lists ${shortened(routeKinds.join(', '))}: this protocol has no routes, remove the list.`;
  return condition('ResolvedRefs', 'False', 'InvalidRouteKinds', message);
}

function programmed(
  { outcome }: ListenerResult,
  gateway: Acceptance['kind'],
  condition: ConditionWriter,
): Condition<ListenerConditionType> {
  if (!outcome.accepted) return condition('Programmed', 'False', 'Invalid', 'The listener is not accepted.');
  switch (gateway) {
    case 'served':
      return condition('Programmed', 'True', 'Programmed', 'The listener is served.');
    case 'rejected':
      return condition('Programmed', 'False', 'Invalid', 'The Gateway is not accepted.');
    case 'pending':
      return condition('Programmed', 'False', 'Pending', 'The Gateway waits for its GatewayClass.');
  }
}
