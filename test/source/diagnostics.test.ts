import { describe, expect, it } from 'vitest';
import { createLineLimits, DiagnosticRegistry, type PlacedDiagnostic } from '../../src/source/diagnostics.ts';
import { createManualClock } from '../support/edges/manual-clock.ts';
import { createRecordedCounters } from '../support/edges/recorded-counters.ts';
import { createRecordedLog } from '../support/edges/recorded-log.ts';

const cause = { appeared: 'the server is away', gone: 'the server is back' };

function lost(path: string, message: string): PlacedDiagnostic {
  const whole = { severity: 'warning', position: undefined, object: undefined, field: '' } as const;
  return { path, diagnostic: { ...whole, message, cause } };
}

describe('diagnostics of one cause', () => {
  const log = createRecordedLog();
  const registry = new DiagnosticRegistry(log, createRecordedCounters());
  let read = 0;
  const lines = (): readonly string[] => {
    const unread = log.lines.slice(read);
    read = log.lines.length;
    return unread.map(({ level, message }) => `${level} ${message}`);
  };
  const report = (owner: string, ...diagnostics: readonly PlacedDiagnostic[]): void => {
    registry.replace(owner, diagnostics);
    registry.logChanges();
  };

  it('are logged as one line when the first of them appears, and as one when the last is gone', () => {
    report('services', lost('/services', 'lost: services'));
    report('gateways', lost('/gateways', 'lost: gateways'));
    expect(lines()).toEqual(['warn the server is away']);
    expect(registry.list().map(({ place, message }) => `${place} ${message}`)).toEqual([
      '/gateways lost: gateways',
      '/services lost: services',
    ]);
    report('services', lost('/services', 'lost: services, for another reason'));
    report('gateways');
    expect(lines()).toEqual([]);
    report('services');
    expect(lines()).toEqual(['info the server is back']);
  });

  it('are logged again when it comes back', () => {
    report('services', lost('/services', 'lost: services'));
    report('services');
    expect(lines()).toEqual(['warn the server is away', 'info the server is back']);
  });
});

it('of many problems at once ten are logged, with a line that there are more, and all are counted', () => {
  const [log, counters, clock] = [createRecordedLog(), createRecordedCounters(), createManualClock()];
  const registry = new DiagnosticRegistry(log, counters, createLineLimits(clock));
  const problem = { severity: 'error', position: undefined, object: undefined, field: '', message: 'broken' } as const;
  const breakFiles = (from: number, to: number): void => {
    for (let file = from; file < to; file += 1) {
      registry.replace(`${file}`, [{ path: `${file}.yaml`, diagnostic: problem }]);
    }
    registry.logChanges();
  };
  const lines = (): readonly string[] => log.lines.map(({ message }) => message);
  breakFiles(0, 1_000);
  breakFiles(1_000, 2_000);
  expect(lines()).toEqual([...Array.from({ length: 10 }, () => 'broken'), expect.stringContaining('more problems')]);
  expect(counters.total('gatehouse_source_problems_total')).toBe(2_000);
  clock.advance(30_000);
  breakFiles(2_000, 2_001);
  expect(lines().at(-1)).toBe('broken');
  for (let file = 0; file < 2_000; file += 1) registry.replace(`${file}`, []);
  registry.logChanges();
  expect(lines().filter((message) => message === 'a problem is gone')).toHaveLength(10);
});
