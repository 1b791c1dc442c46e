import { describe, expect, it } from 'vitest';
import { LogThrottle } from '../../src/rate/log-throttle.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

function createRig() {
  const clock = createManualClock();
  const log = createRecordedLog();
  return { clock, log, throttle: new LogThrottle(clock, log) };
}

const failure = { reason: 'no answer', message: 'writing failed' };

describe('a condition that lasts', () => {
  it('is logged once, again after ten minutes, and once when it is over', () => {
    const { clock, log, throttle } = createRig();
    throttle.recovered('writing', 'writing works again');
    for (let second = 0; second < 1_000; second += 1) {
      throttle.failed('writing', failure);
      clock.advance(1_000);
    }
    throttle.recovered('writing', 'writing works again');
    throttle.recovered('writing', 'writing works again');
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn writing failed',
      'warn writing failed',
      'info writing works again',
    ]);
  });

  it('is logged twice a minute at most when its reasons differ', () => {
    const { clock, log, throttle } = createRig();
    for (let second = 0; second < 60; second += 1) {
      throttle.failed('writing', { ...failure, reason: `reason ${second}`, fields: { target: 'a' } });
      clock.advance(1_000);
    }
    expect(log.lines.map(({ fields }) => fields)).toEqual([
      { target: 'a', because: 'reason 0' },
      { target: 'a', because: 'reason 30' },
    ]);
  });

  it('does not hide another one', () => {
    const { log, throttle } = createRig();
    throttle.failed('writing', failure);
    throttle.failed('reading', failure);
    expect(log.lines).toHaveLength(2);
  });

  it('begins anew when its key was forgotten', () => {
    const { log, throttle } = createRig();
    throttle.failed('writing', failure);
    throttle.forget('writing');
    throttle.recovered('writing', 'works again');
    throttle.failed('writing', failure);
    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'warn']);
  });

  it('is logged once per reason, for the first reasons, when the number of reasons is limited', () => {
    const { clock, log } = createRig();
    const throttle = new LogThrottle(clock, log, { maxReasons: 2 });
    for (const reason of ['a', 'b', 'a', 'c']) {
      throttle.failed('writing', { ...failure, reason });
      clock.advance(3_600_000);
    }
    throttle.recovered('writing', 'writing works again');
    throttle.failed('writing', { ...failure, reason: 'a' });
    expect(log.lines.map(({ fields }) => fields['because'])).toEqual(['a', 'b', undefined, 'a']);
  });

  it('is logged by the caller itself when that only asks whether to', () => {
    const { log, throttle } = createRig();
    expect([throttle.admit('writing', 'a'), throttle.admit('writing', 'a')]).toEqual([true, false]);
    expect(log.lines).toEqual([]);
  });
});
