import type { Caller } from '../model.ts';
import type { Params } from '../rpc/model.ts';
import type { Authorization } from './authorization.ts';
import type { Client } from './model.ts';
import { type QualifiedName, qualify } from './qualified-names.ts';
import { uriRewriterOf } from './resource-uris.ts';

/** A resource subscription of the client. */
interface ResourceSubscription extends QualifiedName {
  /** The URI as the client spelled it. */
  readonly requestedUri: string;
  /** The parameters of the request to the target. */
  readonly params: Params;
  readonly caller: Caller;
}

/** The resource subscriptions of one session. */
export interface Subscriptions {
  add(subscription: ResourceSubscription): void;
  /** Returns whether there was such a subscription. */
  remove(resource: QualifiedName): boolean;
  /** The subscriptions at one target whose callers are still allowed to read the resource. */
  allowedAt(target: string): readonly ResourceSubscription[];
  /**
   * Delivers `notifications/resources/updated` of a target, if the subscriber is still allowed to read the resource.
   */
  updated(target: string, params: Params | undefined): void;
}

/** Beyond this, the oldest subscription is dropped. */
const maxSubscriptions = 1_000;

/** Starts without subscriptions. */
export function createSubscriptions(authorization: Authorization, client: Client): Subscriptions {
  const subscriptions = new Map<string, ResourceSubscription>();
  const at = (target: string): readonly ResourceSubscription[] =>
    [...subscriptions.values()].filter((subscription) => subscription.target === target);

  const allows = (resource: QualifiedName, caller: Caller): boolean =>
    authorization.allows({ kind: 'resource', name: qualify(resource) }, caller);

  return {
    allowedAt: (target) => at(target).filter((subscription) => allows(subscription, subscription.caller)),
    add(subscription) {
      subscriptions.set(qualify(subscription), subscription);
      for (const oldest of subscriptions.keys()) {
        if (subscriptions.size <= maxSubscriptions) break;
        subscriptions.delete(oldest);
      }
    },
    remove: (resource) => subscriptions.delete(qualify(resource)),
    updated(target, params) {
      const name = params?.['uri'];
      if (typeof name !== 'string') return;
      const exact = subscriptions.get(qualify({ target, name }));
      // The URI may be that of a sub-resource of the subscribed one (MCP 2025-11-25, ResourceUpdatedNotification).
      const subscription = exact ?? at(target)[0];
      if (subscription === undefined || !allows({ target, name }, subscription.caller)) return;
      const uri = exact === undefined ? uriRewriterOf(target)(name) : exact.requestedUri;
      client.notify('notifications/resources/updated', { ...params, uri });
    },
  };
}
