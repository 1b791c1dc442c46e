import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../../src/edges.ts';
import type { ApiError, StatusError } from '../../../../src/kube/model.ts';
import { Outages } from '../../../../src/source/cluster/reflector/outages.ts';
import {
  nextState,
  type Outcome,
  ReflectorBackoff,
  type ReflectorState,
} from '../../../../src/source/cluster/reflector/reflector-state.ts';
import { createManualClock } from '../../../support/edges/manual-clock.ts';

const message = 'on purpose';
const listing: ReflectorState = { at: 'listing' };
const watching: ReflectorState = { at: 'watching', from: '7' };

function waiting(milliseconds: number, next: ReflectorState, until: 'recovery' | 'time' = 'recovery'): ReflectorState {
  return { at: 'waiting', milliseconds, until, next };
}

function backoff(chance = 0.5, clock: Clock = createManualClock()): ReflectorBackoff {
  const outages = new Outages();
  // Its failures alone are no outage.
  outages.join();
  return new ReflectorBackoff(() => chance, clock, outages.join());
}

function status(
  reason: StatusError['reason'],
  more: Partial<Pick<StatusError, 'status' | 'retryAfter'>> = {},
): StatusError {
  return { reason, message, status: 400, retryAfter: 0, ...more };
}

function watch(error: ApiError | undefined, duration = 30_000): Outcome {
  return { of: 'watch', error, resourceVersion: '7', duration, endedEarly: false };
}

function list(error: ApiError): Outcome {
  return { of: 'list', end: 'failed', error };
}

describe('after a list', () => {
  it.each<[string, Outcome, ReflectorState]>([
    ['that is complete, watches from its version', { of: 'list', end: 'listed', resourceVersion: '7' }, watching],
    [
      'of a resource that does not exist, lists again within seconds',
      { of: 'list', end: 'absent' },
      waiting(7500, listing, 'time'),
    ],
    ['that could not be requested, lists again', list({ reason: 'unreachable', message }), waiting(600, listing)],
    ['that broke, lists again', list({ reason: 'broken', message }), waiting(600, listing)],
    ['that expired between two pages, lists again', list(status('expired')), waiting(600, listing)],
    ['with outdated credentials, lists again at once', list(status('unauthorized')), listing],
    ['that is forbidden, lists again after half a minute', list(status('forbidden')), waiting(30_000, listing)],
    ['of a busy server, waits for its Retry-After', list(status('busy', { retryAfter: 9000 })), waiting(9000, listing)],
    [
      'of a busy server without Retry-After, waits for the backoff',
      list(status('busy', { retryAfter: 0 })),
      waiting(600, listing),
    ],
  ])('%s', (_what, outcome, state) => {
    expect(nextState(outcome, backoff())).toEqual(state);
  });
});

describe('after a watch', () => {
  it.each<[string, Outcome, ReflectorState]>([
    ['that ended in good order, watches at once', watch(undefined), watching],
    ['whose version expired, lists at once', watch(status('expired')), listing],
    ['that broke, watches after the backoff', watch({ reason: 'broken', message }), waiting(600, watching)],
    ['that timed out, watches after the backoff', watch({ reason: 'silent', message }), waiting(600, watching)],
    ['that could not be requested, watches again', watch({ reason: 'unreachable', message }), waiting(600, watching)],
    ['that was unintelligible, lists', watch({ reason: 'unintelligible', message }), waiting(600, listing)],
    ['with a server error, watches again', watch(status('refused', { status: 500 })), waiting(600, watching)],
    ['with a client error, lists', watch(status('refused', { status: 422 })), waiting(600, listing)],
    ['that is forbidden, lists', watch(status('forbidden')), waiting(30_000, listing)],
    ['that is not found, lists', watch(status('not-found')), waiting(600, listing)],
    ['with outdated credentials, watches at once', watch(status('unauthorized')), watching],
    [
      'of a busy server, waits for its Retry-After',
      watch(status('busy', { retryAfter: 9000 })),
      waiting(9000, watching),
    ],
  ])('%s', (_what, outcome, state) => {
    expect(nextState(outcome, backoff())).toEqual(state);
  });

  it('that the server refuses again and again, lists instead', () => {
    const refused = watch(status('refused', { status: 500 }), 0);
    const tired = backoff();
    const next = Array.from({ length: 6 }, () => nextState(refused, tired));
    expect(next.map((state) => state.at === 'waiting' && state.next.at)).toEqual([
      ...Array.from({ length: 5 }, () => 'watching'),
      'listing',
    ]);
  });

  it('whose version expired in an outage, lists at once, however many attempts failed before', () => {
    const tired = backoff();
    for (let time = 0; time < 5; time += 1) nextState(watch({ reason: 'unreachable', message }, 0), tired);
    expect(nextState(watch(status('expired'), 0), tired)).toEqual(listing);
  });

  it.each<[string, ApiError | undefined]>([
    ['ends every watch at once', undefined],
    ['expires every version', status('expired')],
    ['rejects the credentials', status('unauthorized')],
  ])('of a server that %s, retries at once only the first time', (_what, error) => {
    const tired = backoff();
    const delays = Array.from({ length: 5 }, () => nextState(watch(error, 0), tired)).map((state) =>
      state.at === 'waiting' ? state.milliseconds : 0,
    );
    expect(delays).toEqual([0, 600, 1200, 2400, 4800]);
  });
});

describe('after a watch of a custom resource that ended early', () => {
  it('lists at once: the CRD may have changed', () => {
    const cut: Outcome = { of: 'watch', error: undefined, resourceVersion: '7', duration: 30_000, endedEarly: true };
    expect(nextState(cut, backoff())).toEqual(listing);
  });
});

describe('the backoff', () => {
  it('doubles up to half a minute, and never gives up', () => {
    const own = backoff();
    const delays = Array.from({ length: 200 }, () => own.next());
    expect(delays.slice(0, 7)).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500]);
    expect(new Set(delays.slice(7))).toEqual(new Set([22_500]));
  });

  it.each([
    [0, 400, 15_000],
    [0.999_999, 800, 30_000],
  ])('has jitter (%d)', (chance, first, longest) => {
    const own = backoff(chance);
    const delays = Array.from({ length: 9 }, () => own.next());
    expect([delays[0], delays[8]]).toEqual([first, longest]);
  });

  it('is reset by a watch of a minute, and not by a shorter one', () => {
    const own = backoff();
    own.next();
    own.watched(59_999);
    expect(own.next()).toBe(1200);
    own.watched(60_000);
    expect(own.next()).toBe(600);
  });
});

/** The backoff of the first of four reflectors, of which this many have failed for long. */
function afterFailures(failed: number, clock: Clock = createManualClock()): ReflectorBackoff {
  const outages = new Outages();
  const first = new ReflectorBackoff(() => 0.5, clock, outages.join());
  const others = [2, 3, 4].map(() => new ReflectorBackoff(() => 0.5, clock, outages.join()));
  for (const one of [first, ...others].slice(0, failed)) {
    one.failed({ reason: 'unreachable', message });
    for (let time = 0; time < 6; time += 1) one.next();
  }
  return first;
}

/** The delays after a server came back, with random numbers of one half. */
const urgent: readonly number[] = [75, 150, ...Array.from({ length: 8 }, () => 300)];

describe('after an outage', () => {
  it('the success of another request ends the wait, and delays begin anew and short', () => {
    const one = afterFailures(3);
    expect(one.recover()).toBe(true);
    expect(urgent.map(() => one.next())).toEqual(urgent);
    expect([one.next(), one.next()]).toEqual([600, 1200]);
  });

  it('a success ends no wait within the first seconds, whose delays are short', () => {
    const one = afterFailures(3);
    expect(one.recover()).toBe(true);
    for (const delay of urgent) {
      expect(one.next()).toBe(delay);
      expect(one.recover()).toBe(false);
    }
    one.next();
    expect(one.recover()).toBe(true);
  });

  it('a server that answers others and never this one is asked four times at once, and then every half a minute', () => {
    const clock = createManualClock();
    const one = afterFailures(4, clock);
    const wakes = (): number =>
      Array.from({ length: 20 }, () => {
        const woken = one.recover();
        for (let time = 0; time <= urgent.length; time += 1) one.next();
        return woken ? 1 : 0;
      }).reduce<number>((sum, woken) => sum + woken, 0);
    expect(wakes()).toBe(4);
    clock.advance(30_000);
    expect(wakes()).toBe(1);
  });
});

describe('after an outage, a server', () => {
  it('that asks for a second is asked sooner, and then after as long as it asks for', () => {
    const one = afterFailures(4);
    one.recover();
    const busy = list(status('busy', { retryAfter: 1000 }));
    const delays = [...urgent, 1000];
    expect(delays.map(() => nextState(busy, one))).toEqual(delays.map((delay) => waiting(delay, listing)));
  });

  it('that refuses a watch, because its cache is not filled, is asked for a list', () => {
    const one = afterFailures(4);
    const busy = watch(status('busy', { retryAfter: 1000 }), 0);
    expect(nextState(busy, one)).toMatchObject({ next: watching });
    one.recover();
    expect(nextState(busy, one)).toEqual(waiting(75, listing));
  });

  it('that holds a watch is asked for a list at once', () => {
    expect(nextState({ of: 'watch that was left' }, backoff())).toEqual(listing);
  });

  it('that forbids is asked again soon, since it may not know every role yet', () => {
    const one = afterFailures(4);
    one.recover();
    expect(nextState(list(status('forbidden')), one)).toEqual(waiting(75, listing));
  });
});

describe('an outage', () => {
  it.each([
    ['a failure of one kind', 1],
    ['a failure of half of the kinds', 2],
  ])('is none with %s', (_what, failed) => {
    const one = afterFailures(failed);
    expect(one.recover()).toBe(false);
  });

  it('ends with the first list that is complete', () => {
    const one = afterFailures(4);
    nextState({ of: 'list', end: 'listed', resourceVersion: '7' }, one);
    expect(one.recover()).toBe(false);
  });
});

it('a program that stops ends the loop', () => {
  expect(nextState({ of: 'program' }, backoff())).toEqual({ at: 'stopped' });
});
