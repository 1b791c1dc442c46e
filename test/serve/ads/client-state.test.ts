import { beforeEach, describe, expect, it } from 'vitest';
import {
  type ClientState,
  changeSubscription,
  initialClientState,
  type PendingDelta,
  pendingDelta,
  requeue,
  upToDate,
} from '../../../src/serve/ads/client-state.ts';
import { type Subscription, type SubscriptionChange, updateSubscription } from '../../../src/serve/ads/subscription.ts';
import type { View } from '../../../src/snapshot/model.ts';
import { deltaRequest, initialVersionsIn } from '../../support/nodes/requests.ts';
import { createHandMadeWorld, type HandMadeWorld, targetType } from '../../support/worlds/hand-made-world.ts';

const gateway = 'default/gw';
let world: HandMadeWorld;
let empty: View;

beforeEach(() => {
  world = createHandMadeWorld();
  empty = view();
  world.commit((edit) => edit.gateway(gateway));
});

const view = (): View => {
  const found = world.snapshots.of(gateway).views.get(targetType);
  if (found === undefined) throw new Error('no view');
  return found;
};
/** Commits exactly these targets and returns the View; `name:port` is another content. */
const worldOf = (...targets: string[]): View => {
  world.commit((edit) => {
    for (const { name } of view().resources()) edit.noTarget(name);
    for (const entry of targets) {
      const [name = '', port] = entry.split(':');
      edit.target(name, port === undefined ? 80 : Number(port));
    }
  });
  return view();
};
const versionOf = (name: string): string => view().get(name)?.version ?? '';
const request = (subscribe: string[], unsubscribe: string[] = [], before?: Subscription): SubscriptionChange =>
  updateSubscription(before, { subscribe, unsubscribe }, true);
const difference = (from: View, to: View): ReturnType<HandMadeWorld['snapshots']['diff']> =>
  world.snapshots.diff(from, to);
const pending = (state: ClientState, subscription: Subscription, current: View): PendingDelta | undefined =>
  pendingDelta(state, subscription, current, difference);
const shown = (delta: PendingDelta | undefined): string =>
  delta === undefined
    ? 'nothing'
    : [...delta.changed.map(({ name }) => `+${name}`), ...delta.removed.map((name) => `-${name}`)].sort().join(' ');
const initial = (change: SubscriptionChange, current: View, reported: Record<string, string> = {}): ClientState =>
  initialClientState(
    change,
    { current, empty },
    initialVersionsIn(deltaRequest({ initialResourceVersions: reported })),
  );

describe('a node that is up to date', () => {
  it('is one reference, whatever the number of resources', () => {
    const current = worldOf('a/1', 'a/2', 'a/3');
    expect(upToDate(current)).toEqual({ view: current, pendingNames: new Map(), responseRequired: false });
    expect(upToDate(current).pendingNames).toBe(upToDate(empty).pendingNames);
  });

  it('with a wildcard has the difference pending, as an object shared with all such nodes', () => {
    const { subscription } = request([]);
    const before = worldOf('a/1', 'a/2');
    const after = worldOf('a/1:81', 'a/3');
    const delta = pending(upToDate(before), subscription, after);
    expect(shown(delta)).toBe('+a/1 +a/3 -a/2');
    expect(delta?.shared).toBe(difference(before, after));
    expect(pending(upToDate(after), subscription, after)).toBeUndefined();
  });

  it('with names has the part of the difference pending that it subscribed to', () => {
    const { subscription } = request(['a/1', 'a/9']);
    const before = worldOf('a/1', 'a/2');
    expect(shown(pending(upToDate(before), subscription, worldOf('a/1:81', 'a/2:81', 'a/9')))).toBe('+a/1 +a/9');
    expect(pending(upToDate(before), subscription, worldOf('a/1', 'a/3'))).toBeUndefined();
  });
});

describe('the first request', () => {
  it.each<[string, string[], Record<string, string>, string]>([
    ['for the wildcard', [], {}, '+a/1 +a/2'],
    ['for the wildcard, with reported names without versions', [], { 'a/1': '', 'a/9': '' }, '+a/1 +a/2 -a/9'],
    ['for names', ['a/1', 'a/9'], {}, '+a/1 -a/9'],
    ['for a name that does not exist', ['a/9'], {}, '-a/9'],
    ['for the wildcard and a name that does not exist', ['*', 'a/9'], {}, '+a/1 +a/2 -a/9'],
    ['for names, with other names reported', ['a/1'], { 'a/2': '' }, '+a/1 -a/2'],
  ])('%s', (_, subscribe, reported, expected) => {
    const first = request(subscribe);
    expect(shown(pending(initial(first, worldOf('a/1', 'a/2'), reported), first.subscription, view()))).toBe(expected);
  });

  it('for the wildcard requires a response even if wildcard is current; for names it does not', () => {
    const current = worldOf('a/1');
    const reported = { 'a/1': versionOf('a/1') };
    const wildcard = request([]);
    expect(pending(initial(wildcard, current, reported), wildcard.subscription, current)).toEqual({
      changed: [],
      removed: [],
    });
    const named = request(['a/1']);
    expect(pending(initial(named, current, reported), named.subscription, current)).toBeUndefined();
  });

  it('for the wildcard, with names but without versions, shares the difference of a new node', () => {
    const wildcard = request([]);
    const current = worldOf('a/1', 'a/2');
    const delta = pending(initial(wildcard, current, { 'a/2': '', 'a/1': '' }), wildcard.subscription, current);
    expect(delta?.shared).toBe(difference(empty, current));
  });

  it('is answered with the View at the time of the response', () => {
    const named = request(['a/1', 'a/2']);
    const state = initial(named, worldOf('a/1'));
    expect(shown(pending(state, named.subscription, worldOf('a/2')))).toBe('+a/2 -a/1');
  });
});

describe('a later request', () => {
  it.each<[string, string[], [string[], string[]?], string, string]>([
    ['for a name that it holds', [], [['a/1']], '', '+a/1'],
    ['for the wildcard', [], [['*']], '', '+a/1 +a/2'],
    ['for the wildcard, after a removal', [], [['*']], 'a/1', '+a/1 -a/2'],
    ['for the wildcard in addition to names', ['a/1', 'a/9'], [['*']], '', '+a/1 +a/2'],
    ['for the wildcard in addition to names, one of them removed', ['a/1'], [['*']], 'a/2', '+a/2 -a/1'],
    ['that unsubscribes from the wildcard', [], [[], ['*']], '', '-a/1 -a/2'],
    ['that unsubscribes from the wildcard and keeps a name', ['*', 'a/1'], [[], ['*']], '', '-a/2'],
    ['that unsubscribes from a name', ['a/1', 'a/2'], [[], ['a/1']], 'a/1:81 a/2', 'nothing'],
    ['that unsubscribes from a name under the wildcard', ['*', 'a/1'], [[], ['a/1']], '', '+a/1'],
  ])('%s', (_, subscribed, [subscribe, unsubscribe = []], then, expected) => {
    const before = request(subscribed).subscription;
    const state = upToDate(worldOf('a/1', 'a/2'));
    const next = request(subscribe, unsubscribe, before);
    const current = then === '' ? view() : worldOf(...then.split(' '));
    expect(shown(pending(changeSubscription(state, before, next, empty), next.subscription, current))).toBe(expected);
  });

  it('that unsubscribes from a name before its response leaves nothing pending', () => {
    const before = request(['a/1']).subscription;
    const current = worldOf('a/1', 'a/2');
    const more = request(['a/2'], [], before);
    const less = request([], ['a/2'], more.subscription);
    const state = changeSubscription(
      changeSubscription(upToDate(current), before, more, empty),
      more.subscription,
      less,
      empty,
    );
    expect(pending(state, less.subscription, current)).toBeUndefined();
  });

  it('without lists returns the same state object', () => {
    const { subscription } = request([]);
    const state = upToDate(worldOf('a/1'));
    expect(changeSubscription(state, subscription, request([], [], subscription), empty)).toBe(state);
  });
});

it('requeued chunks become pending names', () => {
  const { subscription } = request([]);
  const current = worldOf('a/1', 'a/2', 'a/3');
  const [, ...unsent] = [...current.resources()];
  const state = requeue(upToDate(current), [{ delta: { changed: unsent, removed: ['a/9'] } }]);
  expect(shown(pending(state, subscription, current))).toBe('+a/2 +a/3 -a/9');
  expect(shown(pending(state, subscription, worldOf('a/1', 'a/2')))).toBe('+a/2 -a/3 -a/9');
});
