import { describe, expect, it } from 'vitest';
import type { KubeFailure } from '../../../../src/kube/api-error.ts';
import { nextState, type Outcome, Pace, type ReflectorState } from '../../../../src/source/cluster/reflector/reflector-state.ts';

const message = 'on purpose';
const listing: ReflectorState = { at: 'listing' };
const watching: ReflectorState = { at: 'watching', from: '7' };

function waiting(milliseconds: number, next: ReflectorState): ReflectorState {
  return { at: 'waiting', milliseconds, next };
}

function pace(chance = 0.5): Pace {
  return new Pace(() => chance);
}

function watch(failure: KubeFailure | undefined, lasted = 30_000): Outcome {
  return { of: 'watch', failure, reached: '7', lasted, cutShort: false };
}

function list(failure: KubeFailure): Outcome {
  return { of: 'list', end: 'failed', failure };
}

describe('after a list', () => {
  it.each<[string, Outcome, ReflectorState]>([
    ['that is complete, its version is watched', { of: 'list', end: 'listed', resourceVersion: '7' }, watching],
    ['of what does not exist, it is tried again within seconds', { of: 'list', end: 'absent' }, waiting(7500, listing)],
    ['that cannot be reached, it is tried again', list({ reason: 'unreachable', message }), waiting(600, listing)],
    ['that broke, it is tried again', list({ reason: 'broken', message }), waiting(600, listing)],
    ['that expired between two pages, it is tried again', list({ reason: 'expired', message }), waiting(600, listing)],
    [
      'for which credentials were too old, it is tried again at once',
      list({ reason: 'unauthorized', message }),
      listing,
    ],
    ['that is forbidden, people have half a minute', list({ reason: 'forbidden', message }), waiting(30_000, listing)],
    [
      'of a busy server, it waits as long as that says',
      list({ reason: 'busy', message, retryAfter: 9000 }),
      waiting(9000, listing),
    ],
    [
      'of a busy server that does not say, it waits a little',
      list({ reason: 'busy', message, retryAfter: 0 }),
      waiting(600, listing),
    ],
  ])('%s', (_what, outcome, state) => {
    expect(nextState(outcome, pace())).toEqual(state);
  });
});

describe('after a watch', () => {
  it.each<[string, Outcome, ReflectorState]>([
    ['that ended as it should, it goes on at once', watch(undefined), watching],
    ['whose version expired, all is listed at once', watch({ reason: 'expired', message }), listing],
    ['that broke, it goes on after a moment', watch({ reason: 'broken', message }), waiting(600, watching)],
    ['that fell silent, it goes on after a moment', watch({ reason: 'silent', message }), waiting(600, watching)],
    ['that could not begin, it is tried again', watch({ reason: 'unreachable', message }), waiting(600, watching)],
    ['that was not understood, all is listed', watch({ reason: 'unintelligible', message }), waiting(600, listing)],
    [
      'that the server failed at, it is tried again',
      watch({ reason: 'refused', message, status: 500 }),
      waiting(600, watching),
    ],
    [
      'that the server does not understand, all is listed',
      watch({ reason: 'refused', message, status: 422 }),
      waiting(600, listing),
    ],
    [
      'that is forbidden, it is seen whether lists are',
      watch({ reason: 'forbidden', message }),
      waiting(30_000, listing),
    ],
    [
      'of what is not there any more, it is seen whether lists are',
      watch({ reason: 'not-found', message }),
      waiting(600, listing),
    ],
    ['for which credentials were too old, it goes on at once', watch({ reason: 'unauthorized', message }), watching],
    [
      'of a busy server, it waits as long as that says',
      watch({ reason: 'busy', message, retryAfter: 9000 }),
      waiting(9000, watching),
    ],
  ])('%s', (_what, outcome, state) => {
    expect(nextState(outcome, pace())).toEqual(state);
  });

  it('which the server refuses again and again, lists are read instead', () => {
    const refused = watch({ reason: 'refused', message, status: 500 }, 0);
    const tired = pace();
    const next = Array.from({ length: 6 }, () => nextState(refused, tired));
    expect(next.map((state) => state.at === 'waiting' && state.next.at)).toEqual([
      ...Array.from({ length: 5 }, () => 'watching'),
      'listing',
    ]);
  });

  it('whose version expired in an outage, all is listed at once, however often it was tried before', () => {
    const tired = pace();
    for (let time = 0; time < 5; time += 1) nextState(watch({ reason: 'unreachable', message }, 0), tired);
    expect(nextState(watch({ reason: 'expired', message }, 0), tired)).toEqual(listing);
  });

  it.each<[string, KubeFailure | undefined]>([
    ['ends every watch at once', undefined],
    ['knows no version', { reason: 'expired', message }],
    ['knows nobody', { reason: 'unauthorized', message }],
  ])('of a server that %s, only the first time nothing is waited for', (_what, failure) => {
    const tired = pace();
    const delays = Array.from({ length: 5 }, () => nextState(watch(failure, 0), tired)).map((state) =>
      state.at === 'waiting' ? state.milliseconds : 0,
    );
    expect(delays).toEqual([0, 600, 1200, 2400, 4800]);
  });
});

describe('after a watch that the server ended before its time', () => {
  it('all is listed at once: its CRD may be another one', () => {
    const cut: Outcome = { of: 'watch', failure: undefined, reached: '7', lasted: 30_000, cutShort: true };
    expect(nextState(cut, pace())).toEqual(listing);
  });
});

describe('the waits', () => {
  it('double up to half a minute, and go on for ever', () => {
    const own = pace();
    const delays = Array.from({ length: 200 }, () => own.failed());
    expect(delays.slice(0, 7)).toEqual([600, 1200, 2400, 4800, 9600, 19_200, 22_500]);
    expect(new Set(delays.slice(7))).toEqual(new Set([22_500]));
  });

  it.each([
    [0, 400, 15_000],
    [0.999_999, 800, 30_000],
  ])('are a part of that which chance decides (%d)', (chance, first, longest) => {
    const own = pace(chance);
    const delays = Array.from({ length: 9 }, () => own.failed());
    expect([delays[0], delays[8]]).toEqual([first, longest]);
  });

  it('begin anew after a watch of a minute, and not of less', () => {
    const own = pace();
    own.failed();
    own.lasted(59_999);
    expect(own.failed()).toBe(1200);
    own.lasted(60_000);
    expect(own.failed()).toBe(600);
  });
});

it('a program that stops does nothing more', () => {
  expect(nextState({ of: 'program' }, pace())).toEqual({ at: 'stopped' });
});
