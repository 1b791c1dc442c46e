import { beforeEach, describe, expect, it } from 'vitest';
import {
  ask,
  beginHolding,
  type Holding,
  owed,
  takeBack,
  told,
  type Update,
} from '../../../src/serve/ads/client-state.ts';
import { changeSubscription, type Subscription, type SubscriptionStep } from '../../../src/serve/ads/subscription.ts';
import type { View } from '../../../src/snapshot/model.ts';
import { deltaRequest, reportedIn } from '../../support/nodes/requests.ts';
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
/** A View of just these targets; `name:port` is another content. */
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
const step = (subscribe: string[], unsubscribe: string[] = [], before?: Subscription): SubscriptionStep =>
  changeSubscription(before, { subscribe, unsubscribe }, true);
const difference = (from: View, to: View): ReturnType<HandMadeWorld['snapshots']['diff']> =>
  world.snapshots.diff(from, to);
const owing = (holding: Holding, subscription: Subscription, current: View): Update | undefined =>
  owed(holding, subscription, current, difference);
const shown = (update: Update | undefined): string =>
  update === undefined
    ? 'nothing'
    : [...update.changed.map(({ name }) => `+${name}`), ...update.removed.map((name) => `-${name}`)].sort().join(' ');
const begun = (at: SubscriptionStep, current: View, reported: Record<string, string> = {}): Holding =>
  beginHolding(at, { current, empty }, reportedIn(deltaRequest({ initialResourceVersions: reported })));

describe('a node that was told everything', () => {
  it('is one reference, whatever the size of its world', () => {
    const current = worldOf('a/1', 'a/2', 'a/3');
    expect(told(current)).toEqual({ view: current, asked: new Map(), answer: false });
    expect(told(current).asked).toBe(told(empty).asked);
  });

  it('is owed the difference, the very object that every other such node is owed', () => {
    const { subscription } = step([]);
    const before = worldOf('a/1', 'a/2');
    const after = worldOf('a/1:81', 'a/3');
    const update = owing(told(before), subscription, after);
    expect(shown(update)).toBe('+a/1 +a/3 -a/2');
    expect(update?.step).toBe(difference(before, after));
    expect(owing(told(after), subscription, after)).toBeUndefined();
  });

  it('with names is owed of the difference what it named, and never compares anything else', () => {
    const { subscription } = step(['a/1', 'a/9']);
    const before = worldOf('a/1', 'a/2');
    expect(shown(owing(told(before), subscription, worldOf('a/1:81', 'a/2:81', 'a/9')))).toBe('+a/1 +a/9');
    expect(owing(told(before), subscription, worldOf('a/1', 'a/3'))).toBeUndefined();
  });
});

describe('a node that asks for the first time', () => {
  it.each<[string, string[], Record<string, string>, string]>([
    ['for everything', [], {}, '+a/1 +a/2'],
    ['for everything, knowing names only', [], { 'a/1': '', 'a/9': '' }, '+a/1 +a/2 -a/9'],
    ['for names', ['a/1', 'a/9'], {}, '+a/1 -a/9'],
    ['for nothing that exists', ['a/9'], {}, '-a/9'],
    ['for everything and a name that is missing', ['*', 'a/9'], {}, '+a/1 +a/2 -a/9'],
    ['for names, knowing others', ['a/1'], { 'a/2': '' }, '+a/1 -a/2'],
  ])('%s', (_, subscribe, reported, expected) => {
    const first = step(subscribe);
    expect(shown(owing(begun(first, worldOf('a/1', 'a/2'), reported), first.subscription, view()))).toBe(expected);
  });

  it('for everything, holding all of it, still waits for an answer; with names it does not', () => {
    const current = worldOf('a/1');
    const reported = { 'a/1': versionOf('a/1') };
    const everything = step([]);
    expect(owing(begun(everything, current, reported), everything.subscription, current)).toEqual({
      changed: [],
      removed: [],
    });
    const named = step(['a/1']);
    expect(owing(begun(named, current, reported), named.subscription, current)).toBeUndefined();
  });

  it('for everything, with names but without versions, makes the step of a new node', () => {
    const everything = step([]);
    const current = worldOf('a/1', 'a/2');
    const update = owing(begun(everything, current, { 'a/2': '', 'a/1': '' }), everything.subscription, current);
    expect(update?.step).toBe(difference(empty, current));
  });

  it('and is answered later is told the world of then', () => {
    const named = step(['a/1', 'a/2']);
    const holding = begun(named, worldOf('a/1'));
    expect(shown(owing(holding, named.subscription, worldOf('a/2')))).toBe('+a/2 -a/1');
  });
});

describe('a node that asks again', () => {
  it.each<[string, string[], [string[], string[]?], string, string]>([
    ['for a name it has', [], [['a/1']], '', '+a/1'],
    ['for everything', [], [['*']], '', '+a/1 +a/2'],
    ['for everything, of which something went', [], [['*']], 'a/1', '+a/1 -a/2'],
    ['for everything beside names', ['a/1', 'a/9'], [['*']], '', '+a/1 +a/2'],
    ['for everything beside names, one of which went', ['a/1'], [['*']], 'a/2', '+a/2 -a/1'],
    ['for nothing any more', [], [[], ['*']], '', '-a/1 -a/2'],
    ['for one of all', ['*', 'a/1'], [[], ['*']], '', '-a/2'],
    ['for one less', ['a/1', 'a/2'], [[], ['a/1']], 'a/1:81 a/2', 'nothing'],
    ['for one less than everything, by name', ['*', 'a/1'], [[], ['a/1']], '', '+a/1'],
  ])('%s', (_, subscribed, [subscribe, unsubscribe = []], then, expected) => {
    const before = step(subscribed).subscription;
    const holding = told(worldOf('a/1', 'a/2'));
    const next = step(subscribe, unsubscribe, before);
    const current = then === '' ? view() : worldOf(...then.split(' '));
    expect(shown(owing(ask(holding, before, next, empty), next.subscription, current))).toBe(expected);
  });

  it('and takes it back before it was answered, is owed nothing', () => {
    const before = step(['a/1']).subscription;
    const current = worldOf('a/1', 'a/2');
    const more = step(['a/2'], [], before);
    const less = step([], ['a/2'], more.subscription);
    const holding = ask(ask(told(current), before, more, empty), more.subscription, less, empty);
    expect(owing(holding, less.subscription, current)).toBeUndefined();
  });

  it('for nothing that changes what it is owed, has the same holding', () => {
    const { subscription } = step([]);
    const holding = told(worldOf('a/1'));
    expect(ask(holding, subscription, step([], [], subscription), empty)).toBe(holding);
  });
});

it('what was to be told and was not is owed by name', () => {
  const { subscription } = step([]);
  const current = worldOf('a/1', 'a/2', 'a/3');
  const [, ...unsent] = [...current.resources()];
  const holding = takeBack(told(current), [{ says: { changed: unsent, removed: ['a/9'] } }]);
  expect(shown(owing(holding, subscription, current))).toBe('+a/2 +a/3 -a/9');
  expect(shown(owing(holding, subscription, worldOf('a/1', 'a/2')))).toBe('+a/2 -a/3 -a/9');
});
