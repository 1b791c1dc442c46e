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
  /** Adds a subscription. Returns the oldest one, removed, when there were {@link maxSubscriptions} already. */
  add(subscription: ResourceSubscription): ResourceSubscription | undefined;
  /** Returns whether there was such a subscription. */
  remove(resource: QualifiedName): boolean;
  /** The subscriptions at one target whose callers are still allowed to read the resource. */
  allowedAt(target: string): readonly ResourceSubscription[];
  /**
   * Delivers `notifications/resources/updated` of a target about a subscribed resource or one below it, if the
   * subscriber is still allowed to read the updated one.
   */
  updated(target: string, params: Params | undefined): void;
}

/** Subscriptions of one session. Beyond this, the oldest one is removed. */
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
      if (subscriptions.size <= maxSubscriptions) return undefined;
      const [oldest] = subscriptions.values();
      if (oldest !== undefined) subscriptions.delete(qualify(oldest));
      return oldest;
    },
    remove: (resource) => subscriptions.delete(qualify(resource)),
    updated(target, params) {
      const name = params?.['uri'];
      if (typeof name !== 'string') return;
      const exact = subscriptions.get(qualify({ target, name }));
      const subscription = exact ?? at(target).find((subscribed) => isBelow(name, subscribed.name));
      if (subscription === undefined || !allows({ target, name }, subscription.caller)) return;
      const uri = exact === undefined ? uriRewriterOf(target)(name) : exact.requestedUri;
      client.notify('notifications/resources/updated', { ...params, uri });
    },
  };
}

/**
 * Returns whether a URI is that of a sub-resource: a target may notify of those of a subscribed one (MCP 2025-11-25,
 * ResourceUpdatedNotification).
 */
function isBelow(uri: string, parent: string): boolean {
  return uri.startsWith(parent) && (parent.endsWith('/') || /^[/?#]/.test(uri.slice(parent.length)));
}
