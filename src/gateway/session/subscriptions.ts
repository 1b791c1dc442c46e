import type { Caller } from '../model.ts';
import type { Params } from '../rpc/model.ts';
import type { Access } from './authorization.ts';
import type { Audience } from './model.ts';
import { type Qualified, qualify } from './qualified-names.ts';

/** A resource whose changes a client wants to hear of. */
interface Subscription extends Qualified {
  /** The URI as the client spelled it. */
  readonly asked: string;
  readonly params: Params;
  readonly caller: Caller;
}

/** The resource subscriptions of one session. */
export interface Subscriptions {
  add(subscription: Subscription): void;
  /** Returns whether there was one. */
  remove(resource: Qualified): boolean;
  /** Those at one target whose subscribers may still read them. */
  permittedAt(target: string): readonly Subscription[];
  /** `notifications/resources/updated` of a target. */
  updated(target: string, params: Params | undefined, show: (resource: Qualified) => string): void;
}

/** Bounded, because a client could subscribe to ever more. */
const maxSubscriptions = 1_000;

/** Remembers who subscribed: an update is delivered only while that caller may still read the resource. */
export function createSubscriptions(access: Access, audience: Audience): Subscriptions {
  const all = new Map<string, Subscription>();
  const at = (target: string): readonly Subscription[] => [...all.values()].filter((one) => one.target === target);

  const permits = (resource: Qualified, caller: Caller): boolean =>
    access.permits({ kind: 'resource', name: qualify(resource) }, caller);

  return {
    permittedAt: (target) => at(target).filter((one) => permits(one, one.caller)),
    add(subscription) {
      all.set(qualify(subscription), subscription);
      for (const oldest of all.keys()) {
        if (all.size <= maxSubscriptions) break;
        all.delete(oldest);
      }
    },
    remove: (resource) => all.delete(qualify(resource)),
    updated(target, params, show) {
      const name = params?.['uri'];
      if (typeof name !== 'string') return;
      const exact = all.get(qualify({ target, name }));
      // The target may name a part of what was subscribed to (MCP 2025-11-25, ResourceUpdatedNotification).
      const subscription = exact ?? at(target)[0];
      if (subscription === undefined || !permits({ target, name }, subscription.caller)) return;
      const uri = exact === undefined ? show({ target, name }) : exact.asked;
      audience.notify('notifications/resources/updated', { ...params, uri });
    },
  };
}
