import type { AccessRequest } from '../../authz/model.ts';
import { Quota } from '../../rate/quota.ts';
import { callerKey } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { Params } from '../rpc/model.ts';
import { errorCode, RpcError } from '../rpc/rpc-error.ts';
import { changed } from '../rpc/source-text.ts';
import { type Authorization, allowedAll } from './decisions/authorization.ts';
import type { Client } from './model.ts';
import type { Names } from './names/names.ts';
import { type QualifiedName, qualify } from './names/qualified-names.ts';

/** A resource subscription of the client. */
interface ResourceSubscription extends QualifiedName {
  /** The URI as the client spelled it. */
  readonly requestedUri: string;
}

/** A subscription with what it holds of the budget. */
interface Kept {
  readonly subscription: ResourceSubscription;
  readonly key: string;
  readonly bytes: number;
}

/**
 * The resource subscriptions of one session. They say what the client wants; what it gets is decided for each
 * notification.
 */
export interface Subscriptions {
  /**
   * Adds a subscription. Returns the oldest one, removed, when there were {@link maxSubscriptions} already.
   *
   * @param caller whose share of the budget it takes
   * @throws RpcError when the budget of all sessions, or the caller's share of it, has no room for it
   */
  add(subscription: ResourceSubscription, caller: Caller): ResourceSubscription | undefined;
  /** Returns the resource of this name, a URI at its target, that was subscribed to first. */
  withName(name: string): QualifiedName | undefined;
  /** Returns whether there was such a subscription. */
  remove(resource: QualifiedName): boolean;
  /** The subscriptions at one target whose resources a caller may read, decided when each is taken. */
  allowedAt(target: string, caller: Caller | undefined): Iterable<ResourceSubscription>;
  /**
   * Delivers `notifications/resources/updated` of a target about a subscribed resource or one below it, if the caller
   * on the stream of the session may read the updated one.
   */
  updated(target: string, params: Params | undefined): void;
  /** Gives everything back. Nothing can be added after that. */
  close(): void;
}

/** Subscriptions of one session. Beyond this, the oldest one is removed. */
export const maxSubscriptions = 1_000;

/** Bytes of the subscriptions of all sessions: more than 30,000 with URIs of 100 characters. */
const maxSubscribedBytes = 32 * 1024 * 1024;

/** Half of it for one caller, whose sessions may be those of a fleet. */
const callerShare = 1 / 2;
/** Two callers leave a quarter. */
const shareOfRest = 1;

/** Creates the budget that all sessions share. */
export function createSubscriptionBudget(): Quota {
  return new Quota(maxSubscribedBytes, callerShare, shareOfRest);
}

/** Starts without subscriptions. */
export function createSubscriptions(parts: {
  readonly authorization: Pick<Authorization, 'allows'>;
  readonly client: Pick<Client, 'notify'>;
  readonly names: Pick<Names, 'rewriterOf'>;
  readonly budget: Quota;
}): Subscriptions {
  const { authorization, client, names, budget } = parts;
  const subscriptions = new Map<string, Kept>();
  let closed = false;
  const at = (target: string): readonly ResourceSubscription[] =>
    [...subscriptions.values()].flatMap(({ subscription }) => (subscription.target === target ? [subscription] : []));

  const remove = (qualified: string): ResourceSubscription | undefined => {
    const kept = subscriptions.get(qualified);
    if (kept === undefined) return undefined;
    subscriptions.delete(qualified);
    budget.release(kept.key, kept.bytes);
    return kept.subscription;
  };

  const allows = (resource: QualifiedName, caller: Caller): boolean => authorization.allows(useOf(resource), caller);

  return {
    *allowedAt(target, caller) {
      if (caller === undefined) return;
      for (const subscription of at(target)) if (allows(subscription, caller)) yield subscription;
    },
    add(subscription, caller) {
      const qualified = qualify(subscription);
      remove(qualified);
      const [key, bytes] = [callerKey(caller), bytesOf(subscription)];
      if (closed || !budget.acquire(key, bytes)) {
        const most = `${maxSubscribedBytes / 2 ** 20} MiB of memory, those of one caller half of it`;
        throw new RpcError(
          errorCode.unavailable,
          `Subscriptions take at most ${most}: unsubscribe from some resources`,
        );
      }
      subscriptions.set(qualified, { subscription, key, bytes });
      const [oldest] = subscriptions.keys();
      return subscriptions.size > maxSubscriptions && oldest !== undefined ? remove(oldest) : undefined;
    },
    withName: (name) => [...subscriptions.values()].find((kept) => kept.subscription.name === name)?.subscription,
    remove: (resource) => remove(qualify(resource)) !== undefined,
    updated(target, params) {
      const name = params?.['uri'];
      if (typeof name !== 'string') return;
      const exact = subscriptions.get(qualify({ target, name }))?.subscription;
      const subscription = exact ?? at(target).find((subscribed) => isBelow(name, subscribed.name));
      if (subscription === undefined) return;
      const uri = exact === undefined ? names.rewriterOf(target)(name) : exact.requestedUri;
      const method = 'notifications/resources/updated';
      const renamed = changed(params ?? {}, [{ path: ['uri'], value: uri }]);
      client.notify({ method, params: renamed }, allowedAll(authorization, [useOf({ target, name })]));
    },
    close() {
      closed = true;
      for (const qualified of [...subscriptions.keys()]) remove(qualified);
    },
  };
}

function useOf(resource: QualifiedName): AccessRequest {
  return { kind: 'resource', name: qualify(resource) };
}

/** Memory of a subscription: three texts, two bytes for each character, and about 300 bytes beside them. */
function bytesOf({ target, name, requestedUri }: ResourceSubscription): number {
  return 300 + 2 * (target.length + 2 * name.length + requestedUri.length);
}

/**
 * Returns whether a URI is that of a sub-resource: a target may notify of those of a subscribed one (MCP 2025-11-25,
 * ResourceUpdatedNotification).
 */
function isBelow(uri: string, parent: string): boolean {
  return uri.startsWith(parent) && (parent.endsWith('/') || /^[/?#]/.test(uri.slice(parent.length)));
}
