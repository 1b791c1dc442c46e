/** The resources of one type that a node is subscribed to. */
export interface Subscription {
  /**
   * The subscription to all resources: `legacy`, because no request named a resource (rules B22, C12), or `explicit`,
   * because one named `*`.
   */
  readonly wildcard: 'none' | 'legacy' | 'explicit';
  /** The names it subscribed to, whether or not they exist. The empty string is an ordinary name (rule B25). */
  readonly names: ReadonlySet<string>;
}

/** The change that one request makes to a subscription. */
export interface SubscriptionChange {
  readonly subscription: Subscription;
  /** `requested`: the request subscribes to the wildcard, first or again. `dropped`: it unsubscribes from it. */
  readonly wildcardChange: 'unchanged' | 'requested' | 'dropped';
  /** Names that need a response, also when the node holds their resources. */
  readonly requestedNames: ReadonlySet<string>;
  /** Names that no longer need a response. */
  readonly droppedNames: ReadonlySet<string>;
}

/** Returns whether a subscription covers the name, by itself or by the wildcard. */
export function isSubscribed({ wildcard, names }: Subscription, name: string): boolean {
  return wildcard !== 'none' || names.has(name);
}

/**
 * Applies the lists of one delta request: first the subscribed names, then the unsubscribed ones (rule C14).
 *
 * @param before undefined for the first request of the type on the stream, the only one that can be a legacy wildcard;
 * its subscribe list alone decides (rules C12, C15)
 * @param legacyWildcard whether the type allows a legacy wildcard (rule B24)
 */
export function updateSubscription(
  before: Subscription | undefined,
  { subscribe, unsubscribe }: { readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] },
  legacyWildcard: boolean,
): SubscriptionChange {
  if (before !== undefined && subscribe.length === 0 && unsubscribe.length === 0) return unchanged(before);
  if (before === undefined && subscribe.length === 0 && unsubscribe.length === 0) return firstEmpty(legacyWildcard);
  const legacy = before === undefined && legacyWildcard && subscribe.length === 0;
  const subscribedNames = subscribe.filter(isName);
  const unsubscribedNames = unsubscribe.filter(isName);
  const names = new Set(before?.names);
  for (const name of subscribedNames) names.add(name);
  const removed = new Set(unsubscribedNames.filter((name) => names.delete(name)));

  const wildcard = unsubscribe.includes(wildcardName)
    ? 'none'
    : subscribe.includes(wildcardName)
      ? 'explicit'
      : legacy
        ? 'legacy'
        : (before?.wildcard ?? 'none');
  const requestedNames = new Set(subscribedNames.filter((name) => !removed.has(name)));
  // The wildcard still covers the name, so the response says what the name is now (rule C11).
  if (wildcard !== 'none') for (const name of removed) requestedNames.add(name);
  return {
    subscription: { wildcard, names },
    wildcardChange:
      wildcard === 'none'
        ? (before?.wildcard ?? 'none') === 'none'
          ? 'unchanged'
          : 'dropped'
        : legacy || subscribe.includes(wildcardName)
          ? 'requested'
          : 'unchanged',
    requestedNames,
    droppedNames: wildcard === 'none' ? removed : noNames,
  };
}

/**
 * Applies the `resource_names` of one state-of-the-world request, which replaces the previous list. An empty list is
 * the legacy wildcard as long as no request of the type on this stream named anything (rules B22, B23).
 *
 * @param before undefined for the first request of the type on the stream
 * @param legacyWildcard whether the type allows a legacy wildcard (rule B24)
 */
export function replaceSubscription(
  before: Subscription | undefined,
  resourceNames: readonly string[],
  legacyWildcard: boolean,
): SubscriptionChange {
  if (resourceNames.length === 0 && (before === undefined ? legacyWildcard : before.wildcard === 'legacy')) {
    if (before !== undefined) return unchanged(before);
    return firstEmpty(true);
  }
  const names = new Set(resourceNames.filter(isName));
  const wildcard = resourceNames.includes(wildcardName) ? 'explicit' : 'none';
  const requestedNames = before === undefined ? names : without(names, before.names);
  const droppedNames = before === undefined ? noNames : without(before.names, names);
  return {
    subscription: { wildcard, names },
    // Never `dropped`: the next response lacks what is no longer subscribed, and needs no list of it.
    wildcardChange: wildcard !== 'none' && (before?.wildcard ?? 'none') === 'none' ? 'requested' : 'unchanged',
    requestedNames,
    droppedNames: wildcard === 'none' ? droppedNames : noNames,
  };
}

/** Applies a first request with empty lists, as most nodes send it. All nodes share the empty set of names. */
function firstEmpty(legacyWildcard: boolean): SubscriptionChange {
  return {
    subscription: { wildcard: legacyWildcard ? 'legacy' : 'none', names: noNames },
    wildcardChange: legacyWildcard ? 'requested' : 'unchanged',
    requestedNames: noNames,
    droppedNames: noNames,
  };
}

/** Estimates the memory of a subscription; bytes. */
export function subscriptionSize({ names }: Subscription): number {
  let size = 0;
  for (const name of names) size += name.length + 64;
  return size;
}

const wildcardName = '*';
const noNames: ReadonlySet<string> = new Set();

function isName(name: string): boolean {
  return name !== wildcardName;
}

function unchanged(subscription: Subscription): SubscriptionChange {
  return { subscription, wildcardChange: 'unchanged', requestedNames: noNames, droppedNames: noNames };
}

function without(names: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...names].filter((name) => !others.has(name)));
}
