import type { Delta, EncodedResource, View } from '../../snapshot/model.ts';
import type { InitialVersions } from '../request/initial-versions.ts';
import { isSubscribed, type Subscription, type SubscriptionChange } from './subscription.ts';

/**
 * The resources of one type that a node holds: for each subscribed name, the resource in `view`. For a node that is up
 * to date this is one reference for any number of resources; names are kept only where the node deviates from the View.
 */
export interface ClientState {
  readonly view: View;
  /**
   * Names that need a response in any case: the resource, or a removal if it does not exist or is not
   * subscribed. The value is the version that the node reported and needs no response for, or `undefined`.
   */
  readonly pendingNames: ReadonlyMap<string, string | undefined>;
  /** True if the node needs a response even if it is empty (rules B2, C1). */
  readonly responseRequired: boolean;
}

/** Returns the state of a node that was sent everything in this View. */
export function upToDate(view: View): ClientState {
  return { view, pendingNames: noNames, responseRequired: false };
}

interface CurrentAndEmpty {
  readonly current: View;
  readonly empty: View;
}

/**
 * Returns the state after the first request of a type on a stream.
 *
 * @param initialVersions the resources that the node holds from an earlier stream
 */
export function initialClientState(
  change: SubscriptionChange,
  views: CurrentAndEmpty,
  initialVersions: InitialVersions | undefined,
): ClientState {
  const { subscription, requestedNames, wildcardChange } = change;
  if (initialVersions !== undefined && subscription.wildcard !== 'none') {
    return reconnectedClientState(change, views, initialVersions);
  }
  const pendingNames =
    initialVersions === undefined && requestedNames.size === 0 ? noNames : namesOf(initialVersions, requestedNames);
  // Without a wildcard every subscribed name is pending, so the View is not compared with the empty one.
  const view = subscription.wildcard === 'none' ? views.current : views.empty;
  return { view, pendingNames, responseRequired: wildcardChange === 'requested' };
}

function namesOf(
  initialVersions: InitialVersions | undefined,
  requestedNames: ReadonlySet<string>,
): ClientState['pendingNames'] {
  const names = new Map<string, string | undefined>();
  for (const [name, version] of initialVersions?.entries() ?? []) names.set(name, version === '' ? undefined : version);
  for (const name of requestedNames) if (!names.has(name)) names.set(name, undefined);
  return names;
}

/**
 * Returns the state of a wildcard node that reconnects (rule C22): it holds the View, except for names that it did not
 * report or reported in another version. A node without any current version is sent what a new node is sent.
 */
function reconnectedClientState(
  { requestedNames, wildcardChange }: SubscriptionChange,
  { current, empty }: CurrentAndEmpty,
  initialVersions: InitialVersions,
): ClientState {
  const { currentCount, differing, isCurrent } = initialVersions.compare(current);
  const names = new Map<string, string | undefined>();
  for (const [name, version] of differing) names.set(name, version === '' ? undefined : version);
  for (const name of requestedNames) if (!names.has(name) && !isCurrent(name)) names.set(name, undefined);
  if (currentCount > 0 && currentCount < current.size) {
    for (const { name } of current.resources()) if (!names.has(name) && !isCurrent(name)) names.set(name, undefined);
  }
  return {
    view: currentCount > 0 ? current : empty,
    pendingNames: names.size === 0 ? noNames : names,
    responseRequired: wildcardChange === 'requested',
  };
}

/**
 * Returns the state after a later request of the type.
 *
 * @param before the subscription before the request
 */
export function changeSubscription(
  state: ClientState,
  before: Subscription,
  change: SubscriptionChange,
  empty: View,
): ClientState {
  const { wildcardChange, requestedNames, droppedNames, subscription } = change;
  if (wildcardChange === 'unchanged' && requestedNames.size === 0 && droppedNames.size === 0) return state;
  const names = new Map(state.pendingNames);
  for (const name of droppedNames) names.delete(name);
  if (wildcardChange === 'requested') {
    // Everything is sent again (rule C8). Names that the node holds are pending, so that removals are sent too.
    for (const name of heldNames(state.view, before)) names.set(name, undefined);
  }
  if (wildcardChange === 'dropped') {
    // The names that only the wildcard covered are sent as removed (rule C13).
    for (const { name } of state.view.resources()) if (!subscription.names.has(name)) names.set(name, undefined);
  }
  for (const name of requestedNames) names.set(name, undefined);
  return {
    view: wildcardChange === 'requested' ? empty : state.view,
    pendingNames: names.size === 0 ? noNames : names,
    responseRequired: subscription.wildcard !== 'none' && (state.responseRequired || wildcardChange === 'requested'),
  };
}

/** Returns the state with the names of chunks that will not be sent as pending names. */
export function requeue(state: ClientState, chunks: readonly { readonly delta: Delta }[]): ClientState {
  if (chunks.length === 0) return state;
  const pendingNames = new Map(state.pendingNames);
  for (const { delta } of chunks) {
    for (const { name } of delta.changed) pendingNames.set(name, undefined);
    for (const name of delta.removed) pendingNames.set(name, undefined);
  }
  return { ...state, pendingNames };
}

/** The changes that bring a node up to date. */
export interface PendingDelta extends Delta {
  /**
   * The same delta as one object for all nodes that go from one View to another, the key of the response cache;
   * undefined for a delta of this node alone.
   */
  readonly shared?: Delta;
}

/** Returns the changes to send, or undefined if the node is up to date and needs no response. */
export function pendingDelta(
  state: ClientState,
  subscription: Subscription,
  current: View,
  diff: (from: View, to: View) => Delta,
): PendingDelta | undefined {
  const step = state.view === current ? noChanges : diff(state.view, current);
  const delta =
    state.pendingNames.size === 0
      ? subscribedPart(step, subscription)
      : withPendingNames(step, state, subscription, current);
  const empty = delta.changed.length === 0 && delta.removed.length === 0;
  return empty && !state.responseRequired ? undefined : delta;
}

const noNames: ReadonlyMap<string, string | undefined> = new Map();
const noChanges: Delta = { changed: [], removed: [] };

function subscribedPart(step: Delta, { wildcard, names }: Subscription): PendingDelta {
  // Not shared: the object for "no changes" is the same for every type, the response is not.
  if (step.changed.length === 0 && step.removed.length === 0) return step;
  if (wildcard !== 'none') return { changed: step.changed, removed: step.removed, shared: step };
  return {
    changed: step.changed.filter(({ name }) => names.has(name)),
    removed: step.removed.filter((name) => names.has(name)),
  };
}

function withPendingNames(
  step: Delta,
  { pendingNames }: ClientState,
  subscription: Subscription,
  current: View,
): PendingDelta {
  // A node that reconnects without versions is sent the same shared responses as a new node.
  if (subscription.wildcard !== 'none' && answersAll(step, pendingNames)) return subscribedPart(step, subscription);
  const found: EncodedResource[] = [];
  const missing: string[] = [];
  for (const [name, version] of pendingNames) {
    const resource = isSubscribed(subscription, name) ? current.get(name) : undefined;
    if (resource === undefined) missing.push(name);
    else if (resource.version !== version) found.push(resource);
  }
  const delta = subscribedPart(step, subscription);
  const others = delta.changed.filter(({ name }) => !pendingNames.has(name));
  return {
    changed: others.concat(found),
    removed: delta.removed.filter((name) => !pendingNames.has(name)).concat(missing),
  };
}

/** Returns whether a step has each pending name as changed, in another version than the node reported. */
function answersAll({ changed }: Delta, pendingNames: ClientState['pendingNames']): boolean {
  if (changed.length < pendingNames.size) return false;
  let answered = 0;
  for (const { name, version } of changed) {
    const held = pendingNames.get(name);
    if (held === version) return false;
    if (held !== undefined || pendingNames.has(name)) answered += 1;
  }
  return answered === pendingNames.size;
}

/** Yields the names of the View that a node with this subscription holds. */
function* heldNames(view: View, subscription: Subscription): Iterable<string> {
  if (subscription.wildcard !== 'none') {
    for (const { name } of view.resources()) yield name;
    return;
  }
  for (const name of subscription.names) if (view.get(name) !== undefined) yield name;
}
