import { describe, expect, it } from 'vitest';
import type { ApiError, StatusError } from '../../../../src/kube/model.ts';
import {
  nextState,
  type Outcome,
  ReflectorBackoff,
  type ReflectorState,
} from '../../../../src/source/cluster/reflector/reflector-state.ts';

const message = 'on purpose';
const listing: ReflectorState = { at: 'listing' };
const watching: ReflectorState = { at: 'watching', from: '7' };

function waiting(milliseconds: number, next: ReflectorState): ReflectorState {
  return { at: 'waiting', milliseconds, next };
}

function backoff(chance = 0.5): ReflectorBackoff {
  return new ReflectorBackoff(() => chance);
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
    ['that is complete, its version is watched', { of: 'list', end: 'listed', resourceVersion: '7' }, watching],
    ['of what does not exist, it is tried again within seconds', { of: 'list', end: 'absent' }, waiting(7500, listing)],
    ['that cannot be reached, it is tried again', list({ reason: 'unreachable', message }), waiting(600, listing)],
    ['that broke, it is tried again', list({ reason: 'broken', message }), waiting(600, listing)],
    ['that expired between two pages, it is tried again', list(status('expired')), waiting(600, listing)],
    ['for which credentials were too old, it is tried again at once', list(status('unauthorized')), listing],
    ['that is forbidden, people have half a minute', list(status('forbidden')), waiting(30_000, listing)],
    [
      'of a busy server, it waits as long as that says',
      list(status('busy', { retryAfter: 9000 })),
      waiting(9000, listing),
    ],
    [
      'of a busy server that does not say, it waits a little',
      list(status('busy', { retryAfter: 0 })),
      waiting(600, listing),
    ],
  ])('%s', (_what, outcome, state) => {
    expect(nextState(outcome, backoff())).toEqual(state);
  });
});

describe('after a watch', () => {
  it.each<[string, Outcome, ReflectorState]>([
    ['that ended as it should, it goes on at once', watch(undefined), watching],
    ['whose version expired, all is listed at once', watch(status('expired')), listing],
    ['that broke, it goes on after a moment', watch({ reason: 'broken', message }), waiting(600, watching)],
    ['that fell silent, it goes on after a moment', watch({ reason: 'silent', message }), waiting(600, watching)],
    ['that could not begin, it is tried again', watch({ reason: 'unreachable', message }), waiting(600, watching)],
    ['that was not understood, all is listed', watch({ reason: 'unintelligible', message }), waiting(600, listing)],
    ['that the server failed at, it is tried again', watch(status('refused', { status: 500 })), waiting(600, watching)],
    [
      'that the server does not understand, all is listed',
      watch(status('refused', { status: 422 })),
      waiting(600, listing),
    ],
    ['that is forbidden, it is seen whether lists are', watch(status('forbidden')), waiting(30_000, listing)],
    ['of what is not there any more, it is seen whether lists are', watch(status('not-found')), waiting(600, listing)],
    ['for which credentials were too old, it goes on at once', watch(status('unauthorized')), watching],
    [
      'of a busy server, it waits as long as that says',
      watch(status('busy', { retryAfter: 9000 })),
      waiting(9000, watching),
    ],
  ])('%s', (_what, outcome, state) => {
    expect(nextState(outcome, backoff())).toEqual(state);
  });

  it('which the server refuses again and again, lists are read instead', () => {
    const refused = watch(status('refused', { status: 500 }), 0);
    const tired = backoff();
    const next = Array.from({ length: 6 }, () => nextState(refused, tired));
    expect(next.map((state) => state.at === 'waiting' && state.next.at)).toEqual([
      ...Array.from({ length: 5 }, () => 'watching'),
      'listing',
    ]);
  });

  it('whose version expired in an outage, all is listed at once, however often it was tried before', () => {
    const tired = backoff();
    for (let time = 0; time < 5; time += 1) nextState(watch({ reason: 'unreachable', message }, 0), tired);
    expect(nextState(watch(status('expired'), 0), tired)).toEqual(listing);
  });

  it.each<[string, ApiError | undefined]>([
    ['ends every watch at once', undefined],
    ['knows no version', status('expired')],
    ['knows nobody', status('unauthorized')],
  ])('of a server that %s, only the first time nothing is waited for', (_what, error) => {
    const tired = backoff();
    const delays = Array.from({ length: 5 }, () => nextState(watch(error, 0), tired)).map((state) =>
      state.at === 'waiting' ? state.milliseconds : 0,
    );
    expect(delays).toEqual([0, 600, 1200, 2400, 4800]);
  });
});

describe('after a watch that the server ended before its time', () => {
  it('all is listed at once: its CRD may be another one', () => {
    const cut: Outcome = { of: 'watch', error: undefined, resourceVersion: '7', duration: 30_000, endedEarly: true };
    expect(nextState(cut, backoff())).toEqual(listing);
  });
});

describe('the waits', () => {
  it('double up to half a minute, and go on for ever', () => {
    const own = backoff();
    const delays = Array.from({ length: 200 }, () => own.next());
    expect(delays.slice(0, 7)).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500]);
    expect(new Set(delays.slice(7))).toEqual(new Set([22_500]));
  });

  it.each([
    [0, 400, 15_000],
    [0.999_999, 800, 30_000],
  ])('are a part of that which chance decides (%d)', (chance, first, longest) => {
    const own = backoff(chance);
    const delays = Array.from({ length: 9 }, () => own.next());
    expect([delays[0], delays[8]]).toEqual([first, longest]);
  });

  it('begin anew after a watch of a minute, and not of less', () => {
    const own = backoff();
    own.next();
    own.watched(59_999);
    expect(own.next()).toBe(1200);
    own.watched(60_000);
    expect(own.next()).toBe(600);
  });
});

it('a program that stops does nothing more', () => {
  expect(nextState({ of: 'program' }, backoff())).toEqual({ at: 'stopped' });
});
