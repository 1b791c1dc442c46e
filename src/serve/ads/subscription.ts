/** What a node wants to know of one type. */
export interface Subscription {
  /** Everything: because the node has named nothing so far (`legacy`), or because it named `*` (`explicit`). */
  readonly wildcard: 'none' | 'legacy' | 'explicit';
  /** The names it named, whether or not they exist. The empty string is a name like any other. */
  readonly names: ReadonlySet<string>;
}

/** What one message makes of a subscription. */
export interface SubscriptionStep {
  readonly subscription: Subscription;
  /** Whether everything was asked for (again), or is no longer wanted. */
  readonly everything: 'unchanged' | 'asked' | 'dropped';
  /** Names to be answered, whatever the node was told before. */
  readonly asked: ReadonlySet<string>;
  /** Names that nobody waits for any more. */
  readonly forgotten: ReadonlySet<string>;
}

/** Whether the resource of this name is wanted. */
export function covers({ wildcard, names }: Subscription, name: string): boolean {
  return wildcard !== 'none' || names.has(name);
}

/**
 * One message of the delta variant: first what it subscribes to, then what it unsubscribes from.
 *
 * @param before absent for the first message of the type on the stream; only that can begin a legacy wildcard, and its
 * list of subscriptions alone decides (rules C12 to C15)
 */
export function changeSubscription(
  before: Subscription | undefined,
  { subscribe, unsubscribe }: { readonly subscribe: readonly string[]; readonly unsubscribe: readonly string[] },
  legacyWildcard: boolean,
): SubscriptionStep {
  if (before !== undefined && subscribe.length === 0 && unsubscribe.length === 0) return unchanged(before);
  if (before === undefined && subscribe.length === 0 && unsubscribe.length === 0) return nothingNamed(legacyWildcard);
  const legacy = before === undefined && legacyWildcard && subscribe.length === 0;
  const named = subscribe.filter(isName);
  const unnamed = unsubscribe.filter(isName);
  const names = new Set(before?.names);
  for (const name of named) names.add(name);
  const left = new Set(unnamed.filter((name) => names.delete(name)));

  const wildcard = unsubscribe.includes(everything)
    ? 'none'
    : subscribe.includes(everything)
      ? 'explicit'
      : legacy
        ? 'legacy'
        : (before?.wildcard ?? 'none');
  const asked = new Set(named.filter((name) => !left.has(name)));
  // Still covered by the wildcard: the node is told what the name means now (rule C11).
  if (wildcard !== 'none') for (const name of left) asked.add(name);
  return {
    subscription: { wildcard, names },
    everything:
      wildcard === 'none'
        ? (before?.wildcard ?? 'none') === 'none'
          ? 'unchanged'
          : 'dropped'
        : legacy || subscribe.includes(everything)
          ? 'asked'
          : 'unchanged',
    asked,
    forgotten: wildcard === 'none' ? left : none,
  };
}

/**
 * One message of the state-of-the-world variant: its list replaces the one before. An empty list means everything for
 * as long as no message of the type on this stream named anything (rules B22, B23).
 */
export function replaceSubscription(
  before: Subscription | undefined,
  names: readonly string[],
  legacyWildcard: boolean,
): SubscriptionStep {
  if (names.length === 0 && (before === undefined ? legacyWildcard : before.wildcard === 'legacy')) {
    if (before !== undefined) return unchanged(before);
    return nothingNamed(true);
  }
  const wanted = new Set(names.filter(isName));
  const wildcard = names.includes(everything) ? 'explicit' : 'none';
  const asked = before === undefined ? wanted : without(wanted, before.names);
  const forgotten = before === undefined ? none : without(before.names, wanted);
  return {
    subscription: { wildcard, names: wanted },
    // What is no longer wanted is missing from the next response: there is nothing to tell about it.
    everything: wildcard !== 'none' && (before?.wildcard ?? 'none') === 'none' ? 'asked' : 'unchanged',
    asked,
    forgotten: wildcard === 'none' ? forgotten : none,
  };
}

/** What a first message makes that names nothing, as most do: all names together are one empty set, for all nodes. */
function nothingNamed(legacyWildcard: boolean): SubscriptionStep {
  return {
    subscription: { wildcard: legacyWildcard ? 'legacy' : 'none', names: none },
    everything: legacyWildcard ? 'asked' : 'unchanged',
    asked: none,
    forgotten: none,
  };
}

/** About how many bytes a subscription keeps in memory. */
export function weightOf({ names }: Subscription): number {
  let weight = 0;
  for (const name of names) weight += name.length + 64;
  return weight;
}

const everything = '*';
const none: ReadonlySet<string> = new Set();

function isName(name: string): boolean {
  return name !== everything;
}

function unchanged(subscription: Subscription): SubscriptionStep {
  return { subscription, everything: 'unchanged', asked: none, forgotten: none };
}

function without(names: ReadonlySet<string>, others: ReadonlySet<string>): ReadonlySet<string> {
  return new Set([...names].filter((name) => !others.has(name)));
}
