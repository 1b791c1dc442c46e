import { describe, expect, it } from 'vitest';
import { Complaints } from '../../src/rate/log-throttle.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

describe('a complaint', () => {
  it('is made once, again after ten minutes, and withdrawn once', () => {
    const clock = createManualClock();
    const log = createRecordedLog();
    const complaints = new Complaints(clock, log);
    complaints.withdraw('writing');
    for (let second = 0; second < 1_000; second += 1) {
      complaints.make('writing', 'no answer');
      clock.advance(1_000);
    }
    complaints.withdraw('writing');
    complaints.withdraw('writing');
    expect(log.lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'warn writing: failed, and is tried again',
      'warn writing: failed, and is tried again',
      'info writing: works again',
    ]);
  });

  it('in ever other words is made twice a minute at most', () => {
    const clock = createManualClock();
    const log = createRecordedLog();
    const complaints = new Complaints(clock, log);
    for (let second = 0; second < 60; second += 1) {
      complaints.make('writing', `words ${second}`);
      clock.advance(1_000);
    }
    expect(log.lines.map(({ fields }) => fields['because'])).toEqual(['words 0', 'words 30']);
  });

  it('of something else is a complaint of its own', () => {
    const log = createRecordedLog();
    const complaints = new Complaints(createManualClock(), log);
    complaints.make('writing', 'no answer');
    complaints.make('reading', 'no answer');
    expect(log.lines).toHaveLength(2);
  });
});
