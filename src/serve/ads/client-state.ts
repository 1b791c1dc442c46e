import type { Delta, EncodedResource, View } from '../../snapshot/model.ts';
import type { Reported } from '../request/initial-versions.ts';
import { covers, type Subscription, type SubscriptionStep } from './subscription.ts';

/**
 * What a node holds of one type: of every name it is subscribed to, what `view` has of it. That is the whole record of
 * a node that was told everything, however large its world. Only where it deviates are names kept.
 */
export interface Holding {
  readonly view: View;
  /**
   * Names to be answered whatever `view` says: with the resource, or as removed where it does not exist or is not
   * wanted. The value is the version that the node surely holds, which then needs no answer; else `undefined`.
   */
  readonly asked: ReadonlyMap<string, string | undefined>;
  /** Whether the node waits for a response even if there is nothing to say. */
  readonly answer: boolean;
}

/** A node that was told everything there is in this View. */
export function told(view: View): Holding {
  return { view, asked: nothing, answer: false };
}

/**
 * What a node holds that asks for a type for the first time on its stream.
 *
 * @param reported what it says it holds from an earlier stream
 */
export function beginHolding(
  step: SubscriptionStep,
  views: { readonly current: View; readonly empty: View },
  reported: Reported | undefined,
): Holding {
  const { subscription, asked, everything } = step;
  if (reported !== undefined && subscription.wildcard !== 'none') return holdAgain(step, views, reported);
  const names = reported === undefined && asked.size === 0 ? nothing : namesOf(reported, asked);
  // Without a wildcard every wanted name is asked for just now, so nothing has to be compared with an empty world.
  const view = subscription.wildcard === 'none' ? views.current : views.empty;
  return { view, asked: names, answer: everything === 'asked' };
}

function namesOf(reported: Reported | undefined, asked: ReadonlySet<string>): Holding['asked'] {
  const names = new Map<string, string | undefined>();
  for (const [name, version] of reported?.entries() ?? []) names.set(name, version === '' ? undefined : version);
  for (const name of asked) if (!names.has(name)) names.set(name, undefined);
  return names;
}

/**
 * What a node holds that comes back and wants everything: what the View has, but for what it did not report or reported
 * otherwise. One that reports nothing of it as it is holds nothing but names, and is told what a new node is told.
 */
function holdAgain(
  { asked, everything }: SubscriptionStep,
  { current, empty }: { readonly current: View; readonly empty: View },
  reported: Reported,
): Holding {
  const { same, others, holds } = reported.compare(current);
  const names = new Map<string, string | undefined>();
  for (const [name, version] of others) names.set(name, version === '' ? undefined : version);
  for (const name of asked) if (!names.has(name) && !holds(name)) names.set(name, undefined);
  if (same > 0 && same < current.size) {
    for (const { name } of current.resources()) if (!names.has(name) && !holds(name)) names.set(name, undefined);
  }
  return {
    view: same > 0 ? current : empty,
    asked: names.size === 0 ? nothing : names,
    answer: everything === 'asked',
  };
}

/** What the node is owed after another message of the type. */
export function ask(holding: Holding, before: Subscription, step: SubscriptionStep, empty: View): Holding {
  const { everything, asked, forgotten, subscription } = step;
  if (everything === 'unchanged' && asked.size === 0 && forgotten.size === 0) return holding;
  const names = new Map(holding.asked);
  for (const name of forgotten) names.delete(name);
  if (everything === 'asked') {
    // Everything goes out again; what the node holds and is gone by then must be told as well.
    for (const name of held(holding.view, before)) names.set(name, undefined);
  }
  if (everything === 'dropped') {
    for (const { name } of holding.view.resources()) if (!subscription.names.has(name)) names.set(name, undefined);
  }
  for (const name of asked) names.set(name, undefined);
  return {
    view: everything === 'asked' ? empty : holding.view,
    asked: names.size === 0 ? nothing : names,
    answer: subscription.wildcard !== 'none' && (holding.answer || everything === 'asked'),
  };
}

/** What a node holds that was to be told these parts and will not be: they are owed by name. */
export function takeBack(holding: Holding, parts: readonly { readonly says: Delta }[]): Holding {
  if (parts.length === 0) return holding;
  const asked = new Map(holding.asked);
  for (const { says } of parts) {
    for (const { name } of says.changed) asked.set(name, undefined);
    for (const name of says.removed) asked.set(name, undefined);
  }
  return { ...holding, asked };
}

/** What brings a node up to date. */
export interface Update extends Delta {
  /** The object that says the same to every node which makes the same step; absent for a node that goes its own way. */
  readonly step?: Delta;
}

/** What the node must be told, or nothing when it is up to date and waits for no answer. */
export function owed(
  holding: Holding,
  subscription: Subscription,
  current: View,
  difference: (from: View, to: View) => Delta,
): Update | undefined {
  const step = holding.view === current ? noDifference : difference(holding.view, current);
  const update =
    holding.asked.size === 0 ? wanted(step, subscription) : withAsked(step, holding, subscription, current);
  const empty = update.changed.length === 0 && update.removed.length === 0;
  return empty && !holding.answer ? undefined : update;
}

const nothing: ReadonlyMap<string, string | undefined> = new Map();
const noDifference: Delta = { changed: [], removed: [] };

function wanted(step: Delta, { wildcard, names }: Subscription): Update {
  // An empty step is the same for every type, so there is nothing to share.
  if (step.changed.length === 0 && step.removed.length === 0) return step;
  if (wildcard !== 'none') return { changed: step.changed, removed: step.removed, step };
  return {
    changed: step.changed.filter(({ name }) => names.has(name)),
    removed: step.removed.filter((name) => names.has(name)),
  };
}

function withAsked(step: Delta, { asked }: Holding, subscription: Subscription, current: View): Update {
  // A node that comes back and knows no versions is told what a new node is told, in the same bytes.
  if (subscription.wildcard !== 'none' && saysAll(step, asked)) return wanted(step, subscription);
  const answers: EncodedResource[] = [];
  const gone: string[] = [];
  for (const [name, version] of asked) {
    const resource = covers(subscription, name) ? current.get(name) : undefined;
    if (resource === undefined) gone.push(name);
    else if (resource.version !== version) answers.push(resource);
  }
  const update = wanted(step, subscription);
  const others = update.changed.filter(({ name }) => !asked.has(name));
  return { changed: others.concat(answers), removed: update.removed.filter((name) => !asked.has(name)).concat(gone) };
}

/** Whether a step answers each of these names with a version that the node does not hold. */
function saysAll({ changed }: Delta, asked: Holding['asked']): boolean {
  if (changed.length < asked.size) return false;
  let answered = 0;
  for (const { name, version } of changed) {
    const held = asked.get(name);
    if (held === version) return false;
    if (held !== undefined || asked.has(name)) answered += 1;
  }
  return answered === asked.size;
}

/** The names of which a node with this subscription holds what the View has. */
function* held(view: View, subscription: Subscription): Iterable<string> {
  if (subscription.wildcard !== 'none') {
    for (const { name } of view.resources()) yield name;
    return;
  }
  for (const name of subscription.names) if (view.get(name) !== undefined) yield name;
}
