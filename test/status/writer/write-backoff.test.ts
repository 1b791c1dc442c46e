import { describe, expect, it } from 'vitest';
import type { PendingPatch } from '../../../src/status/writer/status-index.ts';
import {
  historyAfter,
  noWrites,
  type WriteHistory,
  type WriteOutcome,
  writeDelay,
} from '../../../src/status/writer/write-backoff.ts';

const highest = (): number => 1 - Number.EPSILON;

function patchOf(desired: unknown, resourceVersion = '1', fields = {}): PendingPatch {
  return { kind: 'Gateway', key: 'default/gw', resourceVersion, fields, desired };
}

const [a, b] = [patchOf('a'), patchOf('b')];

function historyOf(outcome: WriteOutcome, before: WriteHistory = noWrites, patch = a, now = 0): WriteHistory {
  return historyAfter(before, patch, outcome, now, highest);
}

function written(times: number): WriteHistory {
  let history = noWrites;
  for (let round = 0; round < times; round += 1) history = historyOf('written', history);
  return history;
}

/** The delays, in seconds, between writes of the same status that follow as soon as they may. */
function delays(count: number, outcome: WriteOutcome): readonly number[] {
  let history = noWrites;
  let now = 0;
  return Array.from({ length: count }, () => {
    history = historyOf(outcome, history, a, now);
    const delay = writeDelay(history, a, now);
    now += delay;
    return Math.round(delay / 1_000);
  });
}

describe('the write delay of an object', () => {
  it('is zero before the first write', () => {
    expect(writeDelay(noWrites, a, 5)).toBe(0);
  });

  it('doubles when the same status has to be written again and again', () => {
    expect(delays(10, 'written')).toEqual([2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it.each(['failed', 'conflict'] as const)('doubles when writes fail: %s', (outcome) => {
    expect(delays(11, outcome)).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
  });

  it('is a second for another status, however often the last one was written', () => {
    const history = written(10);
    expect(writeDelay(history, b, 0)).toBe(1_000);
    expect(writeDelay(history, b, 1_000)).toBe(0);
  });

  it('starts again from two seconds after ten minutes without a write, or with another status', () => {
    const history = written(10);
    expect(historyOf('written', history, a, 600_000).repeats).toBe(0);
    expect(historyOf('written', history, b, 1_000).repeats).toBe(0);
    expect(historyOf('written', history, a, 1_000).repeats).toBe(10);
  });

  it('is zero after a first conflict once a newer object was observed', () => {
    const once = historyOf('conflict');
    expect(writeDelay(once, patchOf('a', '2'), 0)).toBe(0);
    expect(writeDelay(historyOf('conflict', once), patchOf('a', '2'), 0)).toBe(2_000);
    expect(writeDelay(historyOf('failed'), patchOf('a', '2'), 0)).toBe(1_000);
  });

  it('is ten minutes for refused content, apart from its transition times, and the usual one for other content', () => {
    const condition = { type: 'Accepted', lastTransitionTime: '2026-01-01T00:00:00Z' };
    const history = historyOf('refused', noWrites, patchOf('a', '1', { conditions: [condition] }));
    const later = patchOf('a', '2', { conditions: [{ ...condition, lastTransitionTime: '2026-02-01T00:00:00Z' }] });
    expect(writeDelay(history, later, 1_000)).toBe(599_000);
    expect(writeDelay(history, later, 600_000)).toBe(0);
    expect(writeDelay(history, b, 0)).toBe(0);
    expect(writeDelay(historyOf('gone', history), later, 0)).toBe(0);
  });
});
