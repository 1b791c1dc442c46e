import type { Standing } from '../gateway/gateway.ts';
import type { ListenerVerdict } from '../gateway/listeners.ts';
import type { Condition, ListenerStatus } from '../model.ts';
import type { Say } from './conditions.ts';

/**
 * The status of every listener that has a place for one. The positive conditions are always there, `Conflicted` only
 * when true. A listener is judged by itself also when its Gateway is not accepted; only `Programmed` follows both.
 */
export function describeListeners(
  listeners: readonly ListenerVerdict[],
  standing: Standing['kind'],
  say: Say,
): readonly ListenerStatus[] {
  return listeners.slice(0, mostListeners).flatMap((listener) => {
    if (listener.name === undefined) return [];
    const conditions = [accepted(listener, say), resolved(listener, say), programmed(listener, standing, say)];
    if (listener.conflict !== undefined)
      conditions.push(say('Conflicted', 'True', 'HostnameConflict', listener.conflict));
    return [{ name: listener.name, supportedKinds: [], attachedRoutes: 0, conditions }];
  });
}

/** The limit of `status.listeners` in the API; the same as that of `spec.listeners`. */
const mostListeners = 64;

function accepted({ outcome }: ListenerVerdict, say: Say): Condition {
  if (!outcome.accepted) return say('Accepted', 'False', outcome.reason, outcome.message);
  const { allowed } = outcome;
  if (allowed.from !== 'Selector' || allowed.selector !== undefined) {
    return say('Accepted', 'True', 'Accepted', 'The listener is accepted.');
  }
  const why = allowed.fault ?? 'allowedRoutes.namespaces.selector is missing.';
  return say('Accepted', 'True', 'Accepted', `The listener is accepted, but it selects no namespace: ${why}`);
}

function resolved({ routeKinds }: ListenerVerdict, say: Say): Condition {
  if (routeKinds.length === 0) return say('ResolvedRefs', 'True', 'ResolvedRefs', 'There is nothing to resolve.');
  const message = `allowedRoutes.kinds lists ${routeKinds.join(', ')}: this protocol has no routes, remove the list.`;
  return say('ResolvedRefs', 'False', 'InvalidRouteKinds', message);
}

function programmed({ outcome }: ListenerVerdict, standing: Standing['kind'], say: Say): Condition {
  if (!outcome.accepted) return say('Programmed', 'False', 'Invalid', 'The listener is not accepted.');
  switch (standing) {
    case 'served':
      return say('Programmed', 'True', 'Programmed', 'The listener is served.');
    case 'refused':
      return say('Programmed', 'False', 'Invalid', 'The Gateway is not accepted.');
    case 'pending':
      return say('Programmed', 'False', 'Pending', 'The Gateway waits for its GatewayClass.');
  }
}
