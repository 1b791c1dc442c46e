import type { Caller } from '../model.ts';
import type { Params } from '../rpc/model.ts';
import { changed } from '../rpc/source-text.ts';
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
}

/**
 * The resource subscriptions of one session. They say what the client wants; what it gets is decided for each
 * notification.
 */
export interface Subscriptions {
  /** Adds a subscription. Returns the oldest one, removed, when there were {@link maxSubscriptions} already. */
  add(subscription: ResourceSubscription): ResourceSubscription | undefined;
  /** Returns the resource of this name, a URI at its target, that was subscribed to first. */
  withName(name: string): QualifiedName | undefined;
  /** Returns whether there was such a subscription. */
  remove(resource: QualifiedName): boolean;
  /** The subscriptions at one target whose resources a caller may read, decided when each is taken. */
  allowedAt(target: string, caller: Caller): Iterable<ResourceSubscription>;
  /**
   * Delivers `notifications/resources/updated` of a target about a subscribed resource or one below it, if the caller
   * on the stream of the session may read the updated one.
   */
  updated(target: string, params: Params | undefined): void;
}

/** Subscriptions of one session. Beyond this, the oldest one is removed. */
export const maxSubscriptions = 1_000;

/** Starts without subscriptions. */
export function createSubscriptions(authorization: Authorization, client: Client): Subscriptions {
  const subscriptions = new Map<string, ResourceSubscription>();
  const at = (target: string): readonly ResourceSubscription[] =>
    [...subscriptions.values()].filter((subscription) => subscription.target === target);

  const allows = (resource: QualifiedName, caller: Caller): boolean =>
    authorization.allows({ kind: 'resource', name: qualify(resource) }, caller);

  return {
    *allowedAt(target, caller) {
      for (const subscription of at(target)) if (allows(subscription, caller)) yield subscription;
    },
    add(subscription) {
      subscriptions.set(qualify(subscription), subscription);
      if (subscriptions.size <= maxSubscriptions) return undefined;
      const [oldest] = subscriptions.values();
      if (oldest !== undefined) subscriptions.delete(qualify(oldest));
      return oldest;
    },
    withName: (name) => [...subscriptions.values()].find((subscription) => subscription.name === name),
    remove: (resource) => subscriptions.delete(qualify(resource)),
    updated(target, params) {
      const name = params?.['uri'];
      if (typeof name !== 'string') return;
      const exact = subscriptions.get(qualify({ target, name }));
      const subscription = exact ?? at(target).find((subscribed) => isBelow(name, subscribed.name));
      if (subscription === undefined) return;
      const uri = exact === undefined ? uriRewriterOf(target)(name) : exact.requestedUri;
      const method = 'notifications/resources/updated';
      const renamed = changed(params ?? {}, [{ path: ['uri'], value: uri }]);
      client.notify({ method, params: renamed }, (caller) => allows({ target, name }, caller));
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
