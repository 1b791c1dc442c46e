import { describe, expect, it } from 'vitest';
import {
  isSubscribed,
  replaceSubscription,
  type Subscription,
  type SubscriptionChange,
  updateSubscription,
} from '../../../src/serve/ads/subscription.ts';

type Request = readonly [subscribe: readonly string[], unsubscribe?: readonly string[]];

/** Applies the requests of one type on one stream and returns the change of the last one. */
const delta = (requests: readonly Request[], legacyWildcard = true): SubscriptionChange => {
  let change: SubscriptionChange | undefined;
  for (const [subscribe, unsubscribe = []] of requests) {
    change = updateSubscription(change?.subscription, { subscribe, unsubscribe }, legacyWildcard);
  }
  if (change === undefined) throw new Error('no request');
  return change;
};
const state = (...lists: readonly (readonly string[])[]): SubscriptionChange => {
  let change: SubscriptionChange | undefined;
  for (const names of lists) change = replaceSubscription(change?.subscription, names, true);
  if (change === undefined) throw new Error('no request');
  return change;
};
const shown = ({ wildcard, names }: Subscription): string =>
  [...(wildcard === 'none' ? [] : ['*']), ...names].map((name) => name || '(empty)').join(' ');
const summary = (change: SubscriptionChange): object => ({
  subscribed: shown(change.subscription),
  wildcard: change.wildcardChange,
  requested: [...change.requestedNames].map((name) => name || '(empty)').join(' '),
  dropped: [...change.droppedNames].join(' '),
});

describe('delta:', () => {
  const cases: [string, readonly Request[], string, string, string, string][] = [
    ['C12 a first request with empty lists is a wildcard', [[[]]], '*', 'requested', '', ''],
    ['a first request with * is a wildcard', [[['*']]], '*', 'requested', '', ''],
    ['a first request with names subscribes to these', [[['a', 'b']]], 'a b', 'unchanged', 'a b', ''],
    ['C16 an ACK changes nothing', [[[]], [[]]], '*', 'unchanged', '', ''],
    ['C12 a name is added to the legacy wildcard', [[[]], [['a']]], '* a', 'unchanged', 'a', ''],
    ['C12 without * the names remain', [[[]], [['a']], [[], ['*']]], 'a', 'dropped', '', ''],
    ['C12 without the last name nothing remains', [[[]], [['a']], [[], ['*']], [[], ['a']]], '', 'unchanged', '', 'a'],
    ['C12 and the legacy wildcard does not return', [[[]], [[], ['*']], [[]]], '', 'unchanged', '', ''],
    ['C12 * can be subscribed again', [[[]], [[], ['*']], [['*']]], '*', 'requested', '', ''],
    ['C8 a name subscribed again is requested again', [[['a']], [['a']]], 'a', 'unchanged', 'a', ''],
    ['C8 so is *', [[['*']], [['*']]], '*', 'requested', '', ''],
    ['C8 so is * after the legacy wildcard', [[[]], [['*']]], '*', 'requested', '', ''],
    ['C9 an unsubscribed name is dropped', [[['a', 'b']], [[], ['a']]], 'b', 'unchanged', '', 'a'],
    ['C10 unsubscribing from another name is ignored', [[['a']], [[], ['x']]], 'a', 'unchanged', '', ''],
    ['C10 also under the wildcard', [[[]], [[], ['x']]], '*', 'unchanged', '', ''],
    ['C11 a name unsubscribed under the wildcard is requested', [[['*', 'a']], [[], ['a']]], '*', 'unchanged', 'a', ''],
    ['C11 not if the wildcard is unsubscribed with it', [[['*', 'a']], [[], ['a', '*']]], '', 'dropped', '', 'a'],
    ['C14 subscribe first, then unsubscribe', [[['a', 'b'], ['a']]], 'b', 'unchanged', 'b', 'a'],
    ['C14 * in both lists at first is an empty subscription', [[['*'], ['*']], [[]]], '', 'unchanged', '', ''],
    ['C14 * in both lists ends a wildcard', [[[]], [['*'], ['*']]], '', 'dropped', '', ''],
    ['C15 the subscribe list alone decides', [[[], ['x']]], '*', 'requested', '', ''],
    ['C15 * unsubscribed at first is an empty subscription', [[[], ['*']]], '', 'unchanged', '', ''],
    ['B25 the empty string is a name', [[['']]], '(empty)', 'unchanged', '(empty)', ''],
    ['duplicate names count once', [[['a', 'a']]], 'a', 'unchanged', 'a', ''],
  ];
  it.each(cases)('%s', (_, requests, subscribed, wildcard, requested, dropped) => {
    expect(summary(delta(requests))).toEqual({ subscribed, wildcard, requested, dropped });
  });

  it('B25 the empty name subscribes to itself only', () => {
    const { subscription } = delta([[['']]]);
    expect(isSubscribed(subscription, '')).toBe(true);
    expect(isSubscribed(subscription, 'a')).toBe(false);
  });

  it('B24 a type without a legacy wildcard needs *', () => {
    expect(summary(delta([[[]]], false))).toMatchObject({ subscribed: '', wildcard: 'unchanged' });
    expect(summary(delta([[['*']]], false))).toMatchObject({ subscribed: '*', wildcard: 'requested' });
  });

  it('a subscription is immutable: a later request returns another one', () => {
    const first = delta([[['a']]]).subscription;
    updateSubscription(first, { subscribe: ['b'], unsubscribe: ['a'] }, true);
    expect(shown(first)).toBe('a');
    expect(updateSubscription(first, { subscribe: [], unsubscribe: [] }, true).subscription).toBe(first);
  });
});

describe('state of the world:', () => {
  const cases: [string, readonly (readonly string[])[], string, string, string][] = [
    ['B22 a first request with an empty list is a wildcard', [[]], '*', 'requested', ''],
    ['B22 as long as the list stays empty', [[], [], []], '*', 'unchanged', ''],
    ['B23 * and a name', [[], ['*', 'a']], '* a', 'unchanged', 'a'],
    ['B23 only the name', [[], ['*', 'a'], ['a']], 'a', 'unchanged', ''],
    ['B23 then an empty list subscribes to nothing', [[], ['*', 'a'], ['a'], []], '', 'unchanged', ''],
    ['B23 * is a wildcard again', [[], ['a'], [], ['*']], '*', 'requested', ''],
    ['B23 an explicit * ends with an empty list', [['*'], []], '', 'unchanged', ''],
    ['B13 an added name is requested', [['a'], ['a', 'b']], 'a b', 'unchanged', 'b'],
    ['B20 a name missing from the list is unsubscribed', [['a', 'b'], ['b']], 'b', 'unchanged', ''],
    ['B21 a name that returns is requested again', [['a', 'b'], ['b'], ['a', 'b']], 'a b', 'unchanged', 'a'],
    ['B25 the empty name unsubscribes from the others', [['a'], ['']], '(empty)', 'unchanged', '(empty)'],
  ];
  it.each(cases)('%s', (_, lists, subscribed, wildcard, requested) => {
    const last = state(...lists);
    expect(summary(last)).toMatchObject({ subscribed, wildcard, requested });
  });
});
