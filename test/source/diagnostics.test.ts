import { describe, expect, it } from 'vitest';
import { DiagnosticRegistry, type PlacedDiagnostic } from '../../src/source/diagnostics.ts';
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

describe('diagnostics of one change', () => {
  it('are logged up to twenty lines and one that counts the others, and all of them are listed', () => {
    const log = createRecordedLog();
    const registry = new DiagnosticRegistry(log, createRecordedCounters());
    const many = Array.from({ length: 1_000 }, (_, index): PlacedDiagnostic => {
      const whole = { severity: 'error', position: undefined, object: undefined, field: '' } as const;
      return { path: 'a.yaml', diagnostic: { ...whole, message: `problem ${index}` } };
    });
    registry.replace('a.yaml', many);
    registry.logChanges();
    expect(log.lines.map(({ message }) => message).slice(0, 2)).toEqual(['problem 0', 'problem 1']);
    expect(log.lines.length).toBe(21);
    expect(log.lines.at(-1)?.fields).toEqual({ more: 980 });
    expect(registry.list().length).toBe(1_000);
    registry.replace('a.yaml', many.slice(0, 10));
    registry.logChanges();
    expect(log.lines.length).toBe(42);
    expect(log.lines.at(-1)?.fields).toEqual({ more: 970 });
  });

  it('are logged up to sixty lines at once of all changes, then one a second, and all are counted', () => {
    const log = createRecordedLog();
    const clock = createManualClock();
    const registry = new DiagnosticRegistry(log, createRecordedCounters(), clock);
    const change = (count: number): void => {
      for (let index = 0; index < count; index += 1) {
        const whole = { severity: 'error', position: undefined, object: undefined, field: '' } as const;
        const name = `${registry.list().length}`;
        registry.replace(name, [{ path: name, diagnostic: { ...whole, message: `problem ${name}` } }]);
      }
      registry.logChanges();
    };
    for (let round = 0; round < 10; round += 1) change(10);
    expect(log.lines.length).toBe(60);
    clock.advance(1_000);
    change(0);
    expect(log.lines.at(-1)?.fields).toEqual({ more: 40 });
    clock.advance(60_000);
    change(3);
    expect(log.lines.length).toBe(64);
    expect(registry.list().length).toBe(103);
  });
});
