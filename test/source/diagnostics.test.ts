import { describe, expect, it } from 'vitest';
import { DiagnosticRegistry, type PlacedDiagnostic } from '../../src/source/diagnostics.ts';
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
