import { describe, expect, it } from 'vitest';
import {
  changeSubscription,
  covers,
  replaceSubscription,
  type Subscription,
  type SubscriptionStep,
} from '../../../src/serve/ads/subscription.ts';

type Message = readonly [subscribe: readonly string[], unsubscribe?: readonly string[]];

/** The step that the last of these messages makes, the first being the first of its type on the stream. */
const delta = (messages: readonly Message[], legacyWildcard = true): SubscriptionStep => {
  let step: SubscriptionStep | undefined;
  for (const [subscribe, unsubscribe = []] of messages) {
    step = changeSubscription(step?.subscription, { subscribe, unsubscribe }, legacyWildcard);
  }
  if (step === undefined) throw new Error('no message');
  return step;
};
const state = (...lists: readonly (readonly string[])[]): SubscriptionStep => {
  let step: SubscriptionStep | undefined;
  for (const names of lists) step = replaceSubscription(step?.subscription, names, true);
  if (step === undefined) throw new Error('no message');
  return step;
};
const shown = ({ wildcard, names }: Subscription): string =>
  [...(wildcard === 'none' ? [] : ['*']), ...names].map((name) => name || '(empty)').join(' ');
const step = ({ subscription, everything, asked, forgotten }: SubscriptionStep): object => ({
  wants: shown(subscription),
  everything,
  asked: [...asked].map((name) => name || '(empty)').join(' '),
  forgotten: [...forgotten].join(' '),
});

describe('delta:', () => {
  const cases: [string, readonly Message[], string, string, string, string][] = [
    ['C12 nothing named at first means everything', [[[]]], '*', 'asked', '', ''],
    ['* at first means everything', [[['*']]], '*', 'asked', '', ''],
    ['names at first mean these names', [[['a', 'b']]], 'a b', 'unchanged', 'a b', ''],
    ['C16 an acknowledgement changes nothing', [[[]], [[]]], '*', 'unchanged', '', ''],
    ['C12 a name beside the legacy wildcard leaves it', [[[]], [['a']]], '* a', 'unchanged', 'a', ''],
    ['C12 without * only the names remain', [[[]], [['a']], [[], ['*']]], 'a', 'dropped', '', ''],
    ['C12 without the last name nothing remains', [[[]], [['a']], [[], ['*']], [[], ['a']]], '', 'unchanged', '', 'a'],
    ['C12 and never everything again', [[[]], [[], ['*']], [[]]], '', 'unchanged', '', ''],
    ['C12 but * can be named again', [[[]], [[], ['*']], [['*']]], '*', 'asked', '', ''],
    ['C8 a name that is subscribed already is asked again', [[['a']], [['a']]], 'a', 'unchanged', 'a', ''],
    ['C8 so is *', [[['*']], [['*']]], '*', 'asked', '', ''],
    ['C8 so is * after the legacy wildcard', [[[]], [['*']]], '*', 'asked', '', ''],
    ['C9 an unsubscribed name is forgotten', [[['a', 'b']], [[], ['a']]], 'b', 'unchanged', '', 'a'],
    ['C10 a name that was not subscribed is ignored', [[['a']], [[], ['x']]], 'a', 'unchanged', '', ''],
    ['C10 also beside the wildcard', [[[]], [[], ['x']]], '*', 'unchanged', '', ''],
    ['C11 a name that leaves a wildcard is answered', [[['*', 'a']], [[], ['a']]], '*', 'unchanged', 'a', ''],
    ['C11 not when the wildcard leaves with it', [[['*', 'a']], [[], ['a', '*']]], '', 'dropped', '', 'a'],
    ['C14 subscribe first, then unsubscribe', [[['a', 'b'], ['a']]], 'b', 'unchanged', 'b', 'a'],
    ['C14 * in both is nothing, and no legacy wildcard', [[['*'], ['*']], [[]]], '', 'unchanged', '', ''],
    ['C14 * in both ends a wildcard', [[[]], [['*'], ['*']]], '', 'dropped', '', ''],
    ['C15 the subscribe list alone decides', [[[], ['x']]], '*', 'asked', '', ''],
    ['C15 and * can leave at once', [[[], ['*']]], '', 'unchanged', '', ''],
    ['B25 the empty name is a name', [[['']]], '(empty)', 'unchanged', '(empty)', ''],
    ['a name twice is one name', [[['a', 'a']]], 'a', 'unchanged', 'a', ''],
  ];
  it.each(cases)('%s', (_, messages, wants, everything, asked, forgotten) => {
    expect(step(delta(messages))).toEqual({ wants, everything, asked, forgotten });
  });

  it('B25 the empty name covers itself and nothing else', () => {
    const { subscription } = delta([[['']]]);
    expect(covers(subscription, '')).toBe(true);
    expect(covers(subscription, 'a')).toBe(false);
  });

  it('B24 a type without a legacy wildcard means nothing by naming nothing', () => {
    expect(step(delta([[[]]], false))).toMatchObject({ wants: '', everything: 'unchanged' });
    expect(step(delta([[['*']]], false))).toMatchObject({ wants: '*', everything: 'asked' });
  });

  it('a subscription is a value: the message after it does not change it', () => {
    const first = delta([[['a']]]).subscription;
    changeSubscription(first, { subscribe: ['b'], unsubscribe: ['a'] }, true);
    expect(shown(first)).toBe('a');
    expect(changeSubscription(first, { subscribe: [], unsubscribe: [] }, true).subscription).toBe(first);
  });
});

describe('state of the world:', () => {
  const cases: [string, readonly (readonly string[])[], string, string, string][] = [
    ['B22 an empty list at first means everything', [[]], '*', 'asked', ''],
    ['B22 for as long as it stays empty', [[], [], []], '*', 'unchanged', ''],
    ['B23 * and a name', [[], ['*', 'a']], '* a', 'unchanged', 'a'],
    ['B23 only the name', [[], ['*', 'a'], ['a']], 'a', 'unchanged', ''],
    ['B23 then an empty list means nothing', [[], ['*', 'a'], ['a'], []], '', 'unchanged', ''],
    ['B23 and * means everything again', [[], ['a'], [], ['*']], '*', 'asked', ''],
    ['B23 an explicit * ends with an empty list', [['*'], []], '', 'unchanged', ''],
    ['B13 an added name is asked', [['a'], ['a', 'b']], 'a b', 'unchanged', 'b'],
    ['B20 a name that is missing is unsubscribed', [['a', 'b'], ['b']], 'b', 'unchanged', ''],
    ['B21 a name that comes back is asked again', [['a', 'b'], ['b'], ['a', 'b']], 'a b', 'unchanged', 'a'],
    ['B25 the empty name unsubscribes from the others', [['a'], ['']], '(empty)', 'unchanged', '(empty)'],
  ];
  it.each(cases)('%s', (_, lists, wants, everything, asked) => {
    const last = state(...lists);
    expect(step(last)).toMatchObject({ wants, everything, asked });
  });
});
